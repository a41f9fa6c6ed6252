"""One declaration per message: a frozen dataclass whose fields say what they carry.

The same declaration checks what comes in (`parse`), writes what goes out (`dump`) and documents both (`table`).
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, dataclass_transform

from mynah import InputError
from mynah.sockets import SHOWN, shown

T = TypeVar("T")
M = TypeVar("M")
SHAPE = "__wire_shape__"
"""Where a message's class carries its name and fields."""


class Misfit(InputError):
    """A value that is not what its field must be. Reads `plays → 0 → rate: must be …`."""

    def __init__(self, message: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(f"{' → '.join(path)}: {message}" if path else message)
        self.message = message
        self.path = path

    def within(self, step: str) -> Misfit:
        """Return the same mistake, seen from one level further out."""
        return Misfit(self.message, (step, *self.path))


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """What a field carries: in words for people, read from JSON (raises `Misfit`), written to JSON."""

    words: str
    read: Callable[[Any], T]
    write: Callable[[T], Any] = lambda value: value


@dataclass(frozen=True, slots=True)
class WireField:
    """One field of a message, as declared by `wire`."""

    name: str
    kind: Kind[Any]
    about: str
    required: bool
    default: Any


def wire(kind: Kind[T], about: str, *, default: Any = dataclasses.MISSING) -> Any:
    """Declare a field; without a default it must be there. With the default None, null means the same as absence."""
    return dataclasses.field(default=default, metadata={"kind": kind, "about": about})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(wire,))
def message(cls: type[M]) -> type[M]:
    """Make a message of a class; its name on the wire is the class's in snake_case."""
    made = dataclass(frozen=True, kw_only=True)(cls)
    setattr(made, SHAPE, (re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower(), _fields(made)))
    return made


def name_of(cls: type[Any]) -> str:
    """Return the `type` under which a message travels."""
    name: str = getattr(cls, SHAPE)[0]
    return name


def fields_of(cls: type[Any]) -> Mapping[str, WireField]:
    """Return a message's fields by name, in the order of their declaration."""
    fields: Mapping[str, WireField] = getattr(cls, SHAPE)[1]
    return fields


def _fields(cls: type[Any]) -> Mapping[str, WireField]:
    return {
        field.name: WireField(
            name=field.name,
            kind=field.metadata["kind"],
            about=field.metadata["about"],
            required=field.default is dataclasses.MISSING,
            default=None if field.default is dataclasses.MISSING else field.default,
        )
        for field in dataclasses.fields(cls)
    }


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" where a known name is close, else nothing."""
    close = difflib.get_close_matches(name[:SHOWN], list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def parse(cls: type[M], data: Mapping[str, Any]) -> M:
    """Read a message's fields (without its `type`). Raises `Misfit` naming the field that is wrong."""
    fields = fields_of(cls)
    for name in data:
        if name not in fields:
            raise Misfit(f"{name_of(cls)} has no field {shown(name)}{suggestion(name, fields)}")
    return cls(**{name: _read(field, data[name]) for name, field in fields.items() if _is_given(field, data)})


def _is_given(field: WireField, data: Mapping[str, Any]) -> bool:
    if field.name not in data:
        if field.required:
            raise Misfit(f"is missing; it must be {field.kind.words}", (field.name,))
        return False
    return data[field.name] is not None or field.required or field.default is not None


def _read(field: WireField, value: Any) -> Any:
    try:
        return field.kind.read(value)
    except Misfit as wrong:
        raise wrong.within(field.name) from None


def dump(value: Any) -> dict[str, Any]:
    """Write a message's fields (without its `type`); those that are None are left out."""
    written = {}
    for name, field in fields_of(type(value)).items():
        content = getattr(value, name)
        if content is not None:
            written[name] = field.kind.write(content)
    return written


def table(cls: type[Any]) -> str:
    """Return a message's fields as a Markdown table for the reference."""
    rows = ["| field | value | meaning |", "|---|---|---|"]
    for field in fields_of(cls).values():
        need = "" if field.required else "optional; " if field.default is None else f"default {_default(field)}; "
        rows.append(f"| `{field.name}` | {field.kind.words} | {need}{field.about} |")
    return "\n".join(rows) if len(rows) > 2 else "It has no fields."


def _default(field: WireField) -> str:
    value = field.kind.write(field.default)
    return f"`{value if isinstance(value, str) else json.dumps(value)}`" if value not in ((), [], {}) else "none"
