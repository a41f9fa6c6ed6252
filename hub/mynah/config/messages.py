"""Voluptuous' complaints in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import voluptuous as vol

from mynah.config.describe import VAGUE, choices, describe, entries, find, key_name, names
from mynah.config.strict import strict
from mynah.config.text import Sourced, closest, shown, suggest
from mynah.errors import Problem

# How voluptuous' own messages begin; any other text is a validator's own, written for people, and kept.
STOCK: Final[Mapping[type[vol.Invalid], tuple[str, ...]]] = {
    vol.MatchInvalid: ("does not match regular expression", "expected string"),
    vol.RangeInvalid: ("value must be", "invalid value or type"),
    vol.LengthInvalid: ("length of value must be", "invalid value or type"),
    vol.InInvalid: ("value must be one of", "value is not allowed"),
}
OTHER_STOCK: Final = ("expected ", "not a valid value", "no valid value found", "Invalid value")
EXTRA_KEY: Final = "extra keys not allowed"
UNKNOWN: Final = "unknown key"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong: the path of keys to it, what is wrong, and what to do."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""


def validate(schema: Any, data: Any, path: tuple[str | int, ...] = ()) -> tuple[Any, list[Mistake]]:
    """Check `data`, which stands at `path`, and return it with its defaults, or None and every mistake in it."""
    try:
        return vol.Schema(strict(schema))(data), []
    except vol.MultipleInvalid as invalid:
        return None, [explain(error, schema, data, path) for error in _flat(invalid)]
    except (TypeError, AttributeError, KeyError, ArithmeticError) as error:
        # A plugin's own validator that did not expect such a value; its text might repeat a secret.
        return None, [Mistake(path, f"cannot be checked: a validator failed with {type(error).__name__}")]


def checked(schema: Any, data: Any, where: tuple[str | int, ...] = ()) -> tuple[Any, list[Problem]]:
    """Check `data`, which stands at `where` of a file, by a voluptuous schema, as the configuration is checked.

    Return it with its defaults, or None and every problem in it, without file and line.
    """
    value, mistakes = validate(schema, data, where)
    return value, [Problem(mistake.message, where=mistake.path, hint=mistake.hint) for mistake in mistakes]


def explain(error: vol.Invalid, schema: Any, data: Any, path: tuple[str | int, ...] = ()) -> Mistake:
    """Return one of voluptuous' errors about `data`, which stands at `path`, in plain words."""
    steps = tuple(key_name(step) for step in error.path)
    place = tuple(step if isinstance(step, int) else str(step) for step in (*path, *steps))
    if isinstance(error, vol.RequiredFieldInvalid):
        missing = place[-1] if isinstance(steps[-1], str) else f"one of {describe(steps[-1])}"
        own = error.msg if error.msg != "required key not provided" else f"{missing!r} is missing"
        return Mistake(place[:-1], own)
    if error.msg == EXTRA_KEY:
        known = names(find(schema, steps[:-1]))
        return Mistake(place, UNKNOWN, suggest(place[-1] if isinstance(place[-1], str) else "", known))
    if isinstance(error, vol.ExclusiveInvalid | vol.InclusiveInvalid):
        return Mistake(place[:-1], _grouped(error, schema, steps))
    value = _at(data, steps)
    expected = find(schema, steps)
    if _own_words(error):
        return Mistake(place, error.msg)
    if isinstance(error, vol.MatchInvalid) and isinstance(value, str):
        return Mistake(place, f"{shown(value)} does not match the pattern {_pattern(error)}")
    words = describe(expected)
    if words in (VAGUE, "anything") or type(error) is vol.ValueInvalid:
        return Mistake(place, f"{shown(value)} cannot be used here")
    return Mistake(place, f"expected {words}, got {shown(value)}", _hint(words, expected, value))


def _flat(error: vol.Invalid) -> list[vol.Invalid]:
    if isinstance(error, vol.MultipleInvalid):
        return [each for inner in error.errors for each in _flat(inner)]
    return [error]


def _own_words(error: vol.Invalid) -> bool:
    return type(error) is vol.Invalid or not error.msg.startswith(STOCK.get(type(error), OTHER_STOCK))


def _pattern(error: vol.Invalid) -> str:
    return error.msg.removeprefix("does not match regular expression ")


def _grouped(error: vol.Invalid, schema: Any, steps: tuple[Any, ...]) -> str:
    group = steps[-1]  # text that voluptuous shows with <> around it, but that compares without
    members = [
        repr(key_name(key))
        for key, _ in entries(find(schema, steps[:-1]))
        if group in (getattr(key, "group_of_exclusion", None), getattr(key, "group_of_inclusion", None))
    ]
    either = isinstance(error, vol.ExclusiveInvalid)
    return f"only one of {', '.join(members)} may be given" if either else f"{' and '.join(members)} belong together"


def _at(data: Any, steps: tuple[Any, ...]) -> Any:
    for step in steps:
        if isinstance(data, Mapping):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def _hint(words: str, expected: Any, value: Any) -> str:
    if value is None:
        return "give it a value or remove the key"
    if words.startswith(("text", "some text")) and "mapping" not in words and isinstance(value, bool | int | float):
        return "put it in quotes"
    if words.startswith("a list") and isinstance(value, str | int | float) and not isinstance(value, Sourced):
        return f"write it as a list: [{value}]" if len(str(value)) < 40 else "write it as a list"
    if isinstance(expected, vol.In) and isinstance(value, str) and not isinstance(value, Sourced):
        near = closest(value, [choice for choice in choices(expected) if isinstance(choice, str)])
        return f"did you mean {near!r}?" if near else ""
    return ""
