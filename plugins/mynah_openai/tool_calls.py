"""Tool calls as the API streams them: in pieces, several at once, by servers that leave out half of the fields."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mynah import Tool, ToolCall


@dataclass(slots=True)
class _Part:
    """One call on its way."""

    id: str = ""
    name: str = ""
    arguments: str = ""


class CallParts:
    """Puts the pieces of one reply's tool calls together."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []
        self._places: dict[int, _Part] = {}

    def feed(self, pieces: Any) -> None:
        """Take the `tool_calls` of one chunk; what is not of their form is passed over."""
        for piece in pieces if isinstance(pieces, list) else ():
            if isinstance(piece, Mapping):
                self._take(piece)

    def calls(self) -> list[ToolCall]:
        """Return the calls in the order in which they began."""
        return [
            ToolCall(part.id or _made_id(), part.name, _arguments(part.arguments)) for part in self._parts if part.name
        ]

    def _take(self, piece: Mapping[str, Any]) -> None:
        function = piece.get("function")
        function = function if isinstance(function, Mapping) else {}
        id, name = _text(piece.get("id")), _text(function.get("name"))
        part = self._part(piece.get("index"), id, name)
        part.id = part.id or id
        part.name = part.name or name
        arguments = function.get("arguments")
        # Some give the arguments as an object at once.
        part.arguments += json.dumps(arguments) if isinstance(arguments, Mapping) else _text(arguments)

    def _part(self, index: Any, id: str, name: str) -> _Part:
        """Return the call that a piece belongs to: that of its index, of its id where it has none, or a new one."""
        place = index if isinstance(index, int) else 0
        if not isinstance(index, int) and id and (known := self._of(id)):
            return known
        part = self._places.get(place)
        # Some servers number every call 0, or none; another name with another id is another call then.
        another = part is not None and bool(name) and bool(part.name) and id != part.id
        if part is None or another or (not isinstance(index, int) and bool(name)):
            part = _Part()
            self._parts.append(part)
            self._places[place] = part
        return part

    def _of(self, id: str) -> _Part | None:
        return next((part for part in self._parts if part.id == id), None)


def tool_spec(tool: Tool) -> dict[str, Any]:
    """Return a tool as the API has it."""
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
    }


def told_calls(calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
    """Return calls as the API has them in an assistant's message."""
    return [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments), ensure_ascii=False)},
        }
        for call in calls
    ]


def _arguments(text: str) -> Mapping[str, Any]:
    """Parse a call's arguments; what is no JSON object is given as it is under the empty key, which fits no schema."""
    if text.strip() in ("", "null"):
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        return {"": text}
    return value if isinstance(value, dict) else {"": text}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _made_id() -> str:
    """Make an id for a call that has none: nine letters and digits, as Mistral's templates demand."""
    return secrets.token_hex(5)[:9]
