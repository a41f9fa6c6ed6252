"""Payloads read: commands, scalars, objects; and what is answered to those that do not fit."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mynah import InputError
from mynah_mqtt.kinds import Fields, check
from mynah_mqtt.payloads import COMMANDS, EVERY_COMMAND, PROPERTIES, Shape

LARGEST_COMMAND: Final = 1024
LARGEST: Final = 8 * 1024
REMEMBERED: Final = 16
MESSAGE_CHARS: Final = 300


class Refusal(InputError):
    """Something that was asked and is not done; `code` is one of docs/mqtt.md."""

    def __init__(self, code: str, message: str, *, id: str | None = None, command: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.id = id
        self.command = command

    def about(self, id: str | None, command: str | None) -> Refusal:
        """Return the same, about a command."""
        return Refusal(self.code, str(self), id=id, command=command)


@dataclass(frozen=True, slots=True)
class Command:
    """A command that fits. `expires` is in Unix seconds, or None where it does not say."""

    id: str
    name: str
    fields: Mapping[str, Any]
    expires: float | None = None

    @property
    def shape(self) -> Shape:
        """What is known of every command of that name."""
        return COMMANDS[self.name]


def read_object(payload: bytes) -> dict[str, Any]:
    """Return a JSON object. Raises `Refusal`."""
    if len(payload) > LARGEST:
        raise Refusal("too_big", f"{len(payload)} bytes are too many; at most {LARGEST} are read")
    try:
        data = json.loads(payload)
    except (ValueError, RecursionError):
        raise Refusal("invalid", "it is not JSON") from None
    if not isinstance(data, dict):
        raise Refusal("invalid", "it must be a JSON object")
    return data


def read_command(payload: bytes) -> Command:
    """Return a command. Raises `Refusal`, with the id and the name as far as they could be read."""
    data = read_object(payload)
    id, name = data.get("id"), data.get("command")
    good_id = id if isinstance(id, str) and 1 <= len(id) <= 36 else None
    shown = name[:40] if isinstance(name, str) else None
    if good_id is None:
        raise Refusal("invalid", "id must be text of 1 to 36 characters", command=shown)
    if not isinstance(name, str) or name not in COMMANDS:
        what = f"there is no command {shown!a}" if shown else "command is missing, or no text"
        raise Refusal("unknown" if shown else "invalid", what, id=good_id, command=shown)
    try:
        fields = check({**EVERY_COMMAND, **COMMANDS[name].fields}, data)
    except InputError as error:
        raise Refusal("invalid", str(error), id=good_id, command=name) from None
    own = {key: value for key, value in fields.items() if key not in ("id", "command", "expires")}
    return Command(good_id, name, own, fields.get("expires"))


def read_fields(payload: bytes, fields: Fields) -> dict[str, Any]:
    """Return an object with those of `fields` that it has; others are passed over. Raises `Refusal`."""
    data = read_object(payload)
    try:
        return check(fields, data, more=True)
    except InputError as error:
        raise Refusal("invalid", str(error)) from None


def read_scalar(name: str, payload: bytes) -> Any:
    """Return what a property is to be set to. Raises `Refusal`."""
    if name not in PROPERTIES:
        raise Refusal("unknown", f"there is no property {name[:40]!a}")
    kind = PROPERTIES[name][1]
    text = payload[:200].decode(errors="replace").strip()
    value: Any = text
    if name == "mute":
        value = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}.get(text.lower())
    elif name == "volume":
        value = int(text) if text.isascii() and text.isdigit() else text
    if not kind.fits(value):
        raise Refusal("invalid", f"{name} must be {kind.words}")
    return value


def answer(id: str | None, command: str | None, error: Refusal | None = None, **more: Any) -> dict[str, Any]:
    """Return a reply by the hub."""
    reply = {"id": id, "command": command, "ok": error is None, "by": "hub"}
    if error is not None:
        reply |= {"code": error.code, "message": str(error)[:MESSAGE_CHARS]}
    return reply | more


class Remembered:
    """The last commands of one topic by id, each with its reply once there is one: a repetition is not done again."""

    def __init__(self) -> None:
        self._replies: OrderedDict[str, Mapping[str, Any] | None] = OrderedDict()

    def knows(self, id: str) -> bool:
        """Whether a command of that id came lately."""
        return id in self._replies

    def reply(self, id: str) -> Mapping[str, Any] | None:
        """Return what was answered to it; None while it is being done."""
        return self._replies.get(id)

    def begin(self, id: str) -> None:
        """Note that a command is being done."""
        self._replies[id] = None
        if len(self._replies) > REMEMBERED:
            done = next((key for key, reply in self._replies.items() if reply is not None), None)
            self._replies.pop(done if done is not None else next(iter(self._replies)))

    def end(self, id: str, reply: Mapping[str, Any]) -> None:
        """Note what was answered."""
        if id in self._replies:
            self._replies[id] = reply
