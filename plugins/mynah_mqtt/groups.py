"""Commands to a group or an area: each member does its own, and the reply says who did and who did not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from mynah import AnnouncementReport, Hub
from mynah_mqtt.reading import Command, Refusal, answer

ALL: Final = "all"
LONG_ID: Final = 30
DEPTH: Final = 8

Do = Callable[[str, Command], Awaitable[None]]
"""Does a command for one speaker; raises `Refusal`."""


def groups(hub: Hub) -> dict[str, list[str]]:
    """Return the speakers of every group and area by name."""
    names = [*hub.config.get("groups", {}), *(str(each["area"]) for each in hub.speakers() if each["area"])]
    return {name: list(members(hub, name)) for name in dict.fromkeys(names)}


def members(hub: Hub, name: str) -> Sequence[str]:
    """Return the ids of a group's, an area's or all speakers. Raises `Refusal` where nothing has that name."""
    found = _members(hub, name, 0)
    if found is None:
        raise Refusal("unknown", f"there is no group or area named {name}")
    return tuple(dict.fromkeys(found))


def _members(hub: Hub, name: str, depth: int) -> list[str] | None:
    speakers = hub.speakers()
    own = hub.config.get("groups", {}).get(name)
    if own is not None and depth < DEPTH:
        found: list[str] = []
        for part in own:
            inner = _members(hub, part, depth + 1)
            found += [part] if inner is None else inner
        return found
    inside = [str(each["id"]) for each in speakers if each["area"] == name]
    if inside:
        return inside
    return [str(each["id"]) for each in speakers] if name == ALL else None


async def command_group(ids: Sequence[str], command: Command, do: Do) -> dict[str, Any]:
    """Have every one of `ids` do `command`, all at once; return the reply."""
    each = [replace(command, id=f"{command.id[:LONG_ID]}.{number}") for number in range(1, len(ids) + 1)]
    outcomes = await asyncio.gather(*(_try(do, id, own) for id, own in zip(ids, each, strict=True)))
    heard = [id for id, error in zip(ids, outcomes, strict=True) if error is None]
    missed = [
        {"speaker": id, "message": str(error)} for id, error in zip(ids, outcomes, strict=True) if error is not None
    ]
    codes = {error.code for error in outcomes if error is not None}
    error = None
    if not heard:
        code = codes.pop() if len(codes) == 1 else "failed" if codes else "offline"
        error = Refusal(code, "none of them did it" if ids else "no speaker is in it")
    return answer(command.id, command.name, error, heard=heard, missed=missed)


def announced(ids: Sequence[str], command: Command, report: AnnouncementReport) -> dict[str, Any]:
    """Return the reply to an announcement that a group was told, which begins on all of them together."""
    heard = [id for id in ids if id in report.heard]
    missed = [
        {"speaker": id, "message": report.missed.get(id, f"{id} is not connected to the hub")}
        for id in ids
        if id not in report.heard
    ]
    error = None if heard else Refusal("failed" if report.missed else "offline", "nobody heard it")
    return answer(command.id, command.name, error, heard=heard, missed=missed)


async def _try(do: Do, id: str, command: Command) -> Refusal | None:
    try:
        await do(id, command)
    except Refusal as error:
        return error
    return None
