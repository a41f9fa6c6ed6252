"""What a field of a payload may hold: checked, said in words, and written as JSON Schema, all from one declaration."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import voluptuous as vol

from mynah import InputError

Fields = Mapping[vol.Marker, "Kind"]
"""A payload's fields: `vol.Required` or `vol.Optional` keys and their kinds."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A validator for voluptuous that knows its words and its JSON Schema."""

    words: str
    fits: Callable[[Any], bool]
    json: Mapping[str, Any]

    def __call__(self, value: Any) -> Any:
        """Return `value`. Raises `vol.Invalid` in words."""
        if not self.fits(value):
            raise vol.Invalid(f"must be {self.words}")
        return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def whole(low: int | None = None, high: int | None = None) -> Kind:
    """Return the kind of whole numbers from `low` to `high`."""
    range_words = f" from {low} to {high}" if high is not None else f" of {low} or more" if low is not None else ""
    limits = {name: value for name, value in (("minimum", low), ("maximum", high)) if value is not None}

    def fits(value: Any) -> bool:
        return _is_whole(value) and (low is None or value >= low) and (high is None or value <= high)

    return Kind(f"a whole number{range_words}", fits, {"type": "integer", **limits})


def number(low: float) -> Kind:
    """Return the kind of numbers of `low` or more."""

    def fits(value: Any) -> bool:
        return (_is_whole(value) or (isinstance(value, float) and math.isfinite(value))) and value >= low

    return Kind(f"a number of {low:g} or more", fits, {"type": "number", "minimum": low})


def text(low: int, high: int, pattern: str = "", words: str = "") -> Kind:
    """Return the kind of texts of `low` to `high` characters, that match `pattern`, which `words` describe."""
    own = words or (f"text of {low} to {high} characters" if low else f"text of up to {high} characters")

    def fits(value: Any) -> bool:
        return isinstance(value, str) and low <= len(value) <= high and bool(not pattern or re.search(pattern, value))

    limits = {"minLength": low, "maxLength": high, **({"pattern": pattern} if pattern else {})}
    return Kind(own, fits, {"type": "string", **limits})


def one_of(*values: str) -> Kind:
    """Return the kind of these words."""
    return Kind(
        " or ".join((", ".join(values[:-1]), values[-1])), lambda value: value in values, {"enum": list(values)}
    )


def list_of(kind: Kind) -> Kind:
    """Return the kind of lists of another kind."""
    return Kind(
        f"a list, each {kind.words}",
        lambda value: isinstance(value, list) and all(map(kind.fits, value)),
        {"type": "array", "items": dict(kind.json)},
    )


def map_of(kind: Kind, most: int, words: str) -> Kind:
    """Return the kind of objects of up to `most` entries of another kind."""

    def fits(value: Any) -> bool:
        return isinstance(value, dict) and len(value) <= most and all(map(kind.fits, value.values()))

    return Kind(words, fits, {"type": "object", "additionalProperties": dict(kind.json), "maxProperties": most})


def object_of(fields: Fields, words: str) -> Kind:
    """Return the kind of objects with these fields and others."""
    schema = vol.Schema(dict(fields), extra=vol.ALLOW_EXTRA)

    def fits(value: Any) -> bool:
        try:
            schema(value)
        except vol.Invalid:
            return False
        return True

    return Kind(words, fits, object_schema(fields, more=True))


def or_null(kind: Kind) -> Kind:
    """Return a kind that may be null too."""
    json = {"anyOf": [dict(kind.json), {"type": "null"}]}
    return Kind(f"{kind.words}, or null", lambda value: value is None or kind.fits(value), json)


FLAG = Kind("true or false", lambda value: isinstance(value, bool), {"type": "boolean"})


def object_schema(fields: Fields, *, more: bool) -> dict[str, Any]:
    """Return the JSON Schema of an object with `fields`, and others where `more`."""
    required = [str(key) for key in fields if isinstance(key, vol.Required)]
    properties = {
        str(key): {**kind.json, **({"description": key.description} if key.description else {})}
        for key, kind in fields.items()
    }
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": more,
    }


def check(fields: Fields, value: Mapping[str, Any], *, more: bool = False) -> dict[str, Any]:
    """Return `value`, checked; names that are not in `fields` are an error, or where `more` are left out.

    Raises `InputError` in words, about the first thing that is wrong.
    """
    extra = vol.REMOVE_EXTRA if more else vol.PREVENT_EXTRA
    try:
        checked: dict[str, Any] = vol.Schema(dict(fields), extra=extra)(dict(value))
    except vol.MultipleInvalid as error:
        raise InputError(_words(error.errors[0])) from None
    return checked


def _words(error: vol.Invalid) -> str:
    name = str(error.path[-1])[:40] if error.path else "it"
    if isinstance(error, vol.RequiredFieldInvalid):
        return f"{name} is missing"
    if error.error_message == "extra keys not allowed":
        return f"there is no field {name!a}"
    return f"{name} {error.error_message}"
