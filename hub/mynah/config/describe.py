"""What a voluptuous schema asks for, in plain words, and finding one's way in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final

import voluptuous as vol

VAGUE: Final = "a value"
TYPES: Final[Mapping[Any, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a mapping",
    list: "a list",
    object: "anything",
    None: "nothing",
}
FUNCTIONS: Final = {
    "Boolean": "true or false",
    "Url": "a URL",
    "FqdnUrl": "a URL",
    "Email": "an e-mail address",
    "IsFile": "the path of a file",
    "IsDir": "the path of a folder",
    "PathExists": "a path",
}


def describe(schema: Any) -> str:
    """Return what `schema` asks for, such as "a whole number from 1 to 65535"."""
    if isinstance(schema, vol.Schema):
        return describe(schema.schema)
    if isinstance(schema, Mapping):
        return "a mapping"
    if isinstance(schema, list):
        entries = _either([describe(item) for item in schema])
        return "a list" if entries in (VAGUE, "anything", "") else f"a list ({entries} each)"
    if isinstance(schema, vol.All):
        return _all(schema)
    if isinstance(schema, vol.Any):
        return _any(schema.validators)
    if isinstance(schema, vol.In):
        return f"one of {', '.join(plain(choice) for choice in choices(schema))}"
    if isinstance(schema, vol.Range):
        return f"a number {_bounds(schema)}"
    if isinstance(schema, vol.Coerce):
        return describe(schema.type)
    if schema is None or isinstance(schema, str | int | float):
        return plain(schema)
    if isinstance(schema, type) and issubclass(schema, Enum):
        return f"one of {', '.join(plain(member.value) for member in schema)}"
    return _named(schema)


def choices(schema: vol.In) -> list[Any]:
    """Return what an `In` allows."""
    return list(schema.container) if isinstance(schema.container, Iterable) else []


def plain(value: Any) -> str:
    """Return a constant as it is written in YAML."""
    if value is None or value == "":
        return "nothing" if value is None else '""'
    return str(value).lower() if isinstance(value, bool) else str(value)


def entries(schema: Any) -> list[tuple[Any, Any]]:
    """Return the keys and values of the mappings in `schema`, through All and Any."""
    if isinstance(schema, vol.Schema):
        return entries(schema.schema)
    if isinstance(schema, Mapping):
        return list(schema.items())
    if isinstance(schema, vol.All | vol.Any):
        return [pair for part in schema.validators for pair in entries(part)]
    return []


def names(schema: Any) -> list[str]:
    """Return the keys that a mapping may have by name."""
    return [str(key_name(key)) for key, _ in entries(schema) if isinstance(key_name(key), str)]


def key_name(key: Any) -> Any:
    """Return the key itself, without its voluptuous marker: text, or a validator for any key."""
    return key.schema if isinstance(key, vol.Marker) else key


def find(schema: Any, path: tuple[Any, ...]) -> Any:
    """Return the part of `schema` that checks the value at `path`; `object`, which fits all, where there is none."""
    for step in path:
        if isinstance(step, int) and (items := _items(schema)):
            schema = items[0] if len(items) == 1 else vol.Any(*items)
            continue
        pairs = entries(schema)
        exact = [value for key, value in pairs if key_name(key) == step]
        wild = [value for key, value in pairs if not isinstance(key_name(key), str)]
        schema = next(iter(exact or wild), object)
    return schema


def _items(schema: Any) -> list[Any]:
    if isinstance(schema, vol.Schema):
        return _items(schema.schema)
    if isinstance(schema, list):
        return schema
    if isinstance(schema, vol.All | vol.Any):
        return [item for part in schema.validators for item in _items(part)]
    return []


def _all(schema: vol.All) -> str:
    bounds = [part for part in schema.validators if isinstance(part, vol.Range | vol.Length)]
    clear = [words for part in schema.validators if part not in bounds and (words := describe(part)) != VAGUE]
    base = clear[-1] if clear else "a number" if bounds else VAGUE  # a later part says more: All(str, Url())
    for part in bounds:
        if isinstance(part, vol.Range):
            base = f"{base} {_bounds(part)}"
        elif base == "text" and part.min == 1 and part.max is None:
            base = "some text"
        else:
            unit = "entries" if base.startswith(("a list", "a mapping")) else "characters"
            base = f"{base} of {_span(part.min, part.max)} {unit}"
    return base


def _any(parts: Any) -> str:
    constants = [part for part in parts if part is not None and isinstance(part, str | int | float)]
    described = [describe(part) for part in parts if part is not None and part not in constants]
    if len(constants) > 1:
        described.insert(0, f"one of {', '.join(plain(each) for each in constants)}")
    else:
        described += [plain(each) for each in constants]
    return _either([*described, "nothing"] if None in parts else described)


def _either(words: list[str]) -> str:
    if "a number" in words:
        words = [each for each in words if each != "a whole number"]
    return " or ".join(dict.fromkeys(words))


def _bounds(part: vol.Range) -> str:
    low = "from" if part.min_included else "above"
    if part.min is not None and part.max is not None:
        return f"{low} {part.min} {'to' if part.max_included else 'to below'} {part.max}"
    if part.min is not None:
        return f"of at least {part.min}" if part.min_included else f"above {part.min}"
    return f"of at most {part.max}" if part.max_included else f"below {part.max}"


def _span(low: Any, high: Any) -> str:
    if low is not None and high is not None:
        return f"{low} to {high}"
    return f"at least {low}" if low is not None else f"at most {high}"


def _named(schema: Any) -> str:
    try:
        known = TYPES.get(schema)
    except TypeError:  # not hashable
        known = None
    return known or FUNCTIONS.get(getattr(schema, "__name__", ""), VAGUE)
