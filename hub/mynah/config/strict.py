"""Makes a voluptuous schema fit for what people write.

Voluptuous takes `true` for an int, refuses 5 for a float, and stops at the first wrong entry of a list. A strict
schema tells truth values from numbers, reports every entry, takes an empty section or list for one with nothing in it,
and reads text from secrets and the environment as the number or truth value that is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import voluptuous as vol

from mynah.config.text import Sourced

TRUTHS: Final = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


def strict(schema: Any, *, extra: int = vol.PREVENT_EXTRA, required: bool = False) -> Any:
    """Return the strict form of `schema`; what is not a type, mapping, list, All or Any stays as it is."""
    if isinstance(schema, vol.Schema):
        return strict(schema.schema, extra=schema.extra, required=schema.required)
    if isinstance(schema, Mapping):
        entries = {_key(key): strict(value, extra=extra, required=required) for key, value in schema.items()}
        return Section(entries, extra=extra, required=required)
    if isinstance(schema, list):
        return Each([strict(item, extra=extra, required=required) for item in schema])
    if type(schema) is vol.All:
        return vol.All(*(strict(part, extra=extra, required=required) for part in schema.validators), msg=schema.msg)
    if type(schema) is vol.Any:
        parts = sorted(schema.validators, key=lambda part: part is not None)  # None first: a list would take it for []
        return vol.Any(*(strict(part, extra=extra, required=required) for part in parts), msg=schema.msg)
    if isinstance(schema, vol.Coerce) and schema.type in (int, float):
        return vol.All(_no_truth, vol.Coerce(schema.type, msg=schema.msg), _finite)
    return _TYPES.get(schema, schema) if isinstance(schema, type) else schema


class Section:
    """A validator for a mapping, which may be empty in YAML."""

    def __init__(self, entries: Mapping[Any, Any], *, extra: int, required: bool) -> None:
        self._schema = vol.Schema(dict(entries), extra=extra, required=required)
        self._order = [str(key) for key in entries if isinstance(key, str | vol.Marker)]

    def __call__(self, value: Any) -> Any:
        """Return the valid mapping, its keys in the order of the schema. Raises `vol.MultipleInvalid`."""
        valid = self._schema({} if value is None else value)
        named = {key: valid[key] for key in self._order if key in valid}
        return {**named, **valid}


class Each:
    """A validator for a list, every entry of which is checked; it may be empty in YAML."""

    def __init__(self, choices: Sequence[Any]) -> None:
        self._choices = [vol.Schema(choice) for choice in choices]

    def __call__(self, value: Any) -> list[Any]:
        """Return the valid list. Raises `vol.MultipleInvalid`."""
        if value is None:
            return []
        if not isinstance(value, list):
            raise vol.SequenceTypeInvalid("expected a list")
        items: list[Any] = []
        errors: list[vol.Invalid] = []
        for index, item in enumerate(value):
            try:
                items.append(self._first(item))
            except vol.MultipleInvalid as error:
                error.prepend([index])
                errors.extend(error.errors)
        if errors:
            raise vol.MultipleInvalid(errors)
        return items

    def _first(self, item: Any) -> Any:
        """Return what the first fitting choice makes of `item`; if none fits, the error that got furthest is raised."""
        furthest = vol.MultipleInvalid([vol.ValueInvalid("not a valid value")])
        for choice in self._choices:
            try:
                return choice(item)
            except vol.MultipleInvalid as error:
                if choice is self._choices[0] or len(error.path) > len(furthest.path):
                    furthest = error
        raise furthest


def _key(key: Any) -> Any:
    return vol.Coerce(key) if key in (int, float) else key  # keys of YAML are read as text


def _whole(value: Any) -> int:
    if isinstance(value, Sourced):
        try:
            return int(value)
        except ValueError:
            raise vol.TypeInvalid("expected int") from None
    if isinstance(value, bool) or not isinstance(value, int):
        raise vol.TypeInvalid("expected int")
    return value


def _number(value: Any) -> float:
    if isinstance(value, Sourced):
        try:
            value = float(value)
        except ValueError:
            raise vol.TypeInvalid("expected float") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise vol.TypeInvalid("expected float")
    return float(_finite(value))


def _truth(value: Any) -> bool:
    if isinstance(value, Sourced):
        value = TRUTHS.get(value.lower())
    if not isinstance(value, bool):
        raise vol.TypeInvalid("expected bool")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise vol.TypeInvalid("expected str")
    return value  # still `Sourced`, so that a message of a later part of the schema does not show it


def _no_truth(value: Any) -> Any:
    if isinstance(value, bool):
        raise vol.CoerceInvalid("expected a number")
    return value


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise vol.RangeInvalid("value must be finite")
    return value


_TYPES: Final[Mapping[type, Any]] = {int: _whole, float: _number, bool: _truth, str: _text}
