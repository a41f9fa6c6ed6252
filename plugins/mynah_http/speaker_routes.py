"""Speakers by the REST API: who is there, adding and removing them, and announcing something on them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

import voluptuous as vol

from mynah import BOARDS, Announcement, Hub, RouteSpec, make_code

SPEAKERS = "/api/v1/speakers"
OBJECT: Mapping[str, Any] = {"type": "object", "additionalProperties": True}
LIST: Mapping[str, Any] = {"type": "array", "items": OBJECT}
TEXT: Mapping[str, Any] = {"type": "string"}
PROTOCOL = "/ws/v1"
LOOK_S = 0.1
"""How often it is looked who has heard an announcement so far."""

NEW = {
    vol.Required("id", description="Small letters, digits, '_' and '-'; 64 at most."): str,
    vol.Optional("name", description="What people call it."): str,
    vol.Optional("area", description="Where it stands."): str,
    vol.Optional("board", description="What it is made of, one of /api/v1/boards; goes into the code."): vol.In(
        sorted(BOARDS)
    ),
    vol.Optional("renew", default=False, description="Whether a token that it has may be replaced."): bool,
}
CODE: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        **{name: TEXT for name in ("id", "hub", "broker", "base", "board", "token", "key", "code")},
        "qr": {"type": "array", "items": TEXT, "description": "The code as a QR code: rows of 1 (dark) and 0."},
    },
    "required": ["id", "hub", "token", "key", "code", "qr"],
}
PERCENT = vol.All(int, vol.Range(min=0, max=100))
NAME = vol.All(str, vol.Length(min=1, max=64))
COMMAND = {
    vol.Required("command", description="What to do; the field of the same name says how."): vol.In(
        ["volume", "mute", "stop", "persona", "language", "voice", "context", "listen", "reboot", "update"]
    ),
    vol.Optional("volume", description="How loud, in percent."): PERCENT,
    vol.Optional("mute", description="Whether it is silent."): bool,
    vol.Optional("persona", description="Who speaks there."): NAME,
    vol.Optional("language", description="A BCP 47 tag."): NAME,
    vol.Optional("voice", description="One of the first engine's; an empty text is the persona's own."): vol.All(
        str, vol.Length(max=64)
    ),
    vol.Optional("context", description="Facts, merged into those that there are; an empty text removes one."): vol.All(
        {str: vol.All(str, vol.Length(max=500))}, vol.Length(max=32)
    ),
    vol.Optional("seconds", description="How long it listens."): vol.All(int, vol.Range(min=1, max=60)),
}
DONE: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "done": {"type": "array", "items": TEXT},
        "missed": {"type": "object", "additionalProperties": TEXT},
    },
    "required": ["done", "missed"],
}
ANNOUNCEMENT = {
    vol.Required("where", description="A speaker, an area, a group, or `all`."): str,
    vol.Optional("text", default="", description="What to say."): vol.All(str, vol.Length(max=20_000)),
    vol.Optional("play", description="Instead of a text: a file of the hub's media folder, or an address."): str,
    vol.Optional("language", description="The text's language, a BCP 47 tag."): str,
    vol.Optional("chime", description="Whether a chime goes before it."): bool,
    vol.Optional("volume", description="How loud, in percent, for as long as it sounds."): vol.All(
        int, vol.Range(min=0, max=100)
    ),
    vol.Optional("urgency", description="What goes first at a loudspeaker."): vol.In(
        ["reply", "announcement", "alarm"]
    ),
    vol.Optional("resume", description="Whether what it interrupts goes on after it."): bool,
    vol.Optional("voice_of", description="The persona whose voice it is."): str,
}
REPORT: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "heard": {"type": "array", "items": TEXT},
        "missed": {"type": "object", "additionalProperties": TEXT},
    },
    "required": ["heard", "missed"],
}


async def list_speakers(hub: Hub, request: Any) -> Any:
    """List the known speakers."""
    return hub.speakers()


async def add_speaker(hub: Hub, request: Any) -> Any:
    """Make a speaker's token and key; what is answered is all that it has to be told, and is told this once."""
    facts = dict(request["body"])
    id, renew, board = facts.pop("id"), facts.pop("renew"), facts.pop("board", None)
    secrets = hub.add_speaker(id, facts, renew=renew)
    code = {"id": id, "hub": hub.addresses["http"].replace("http", "ws", 1) + PROTOCOL}
    if broker := hub.addresses.get("mqtt"):
        code |= {"broker": broker, "base": hub.config["mqtt"]["base"]}
    code |= {"token": secrets.token, "key": secrets.key.hex()} | ({"board": board} if board else {})
    text = make_code(code)
    return {**code, "code": text, "qr": await asyncio.to_thread(qr, text)}


def qr(text: str) -> list[str]:
    """Return the QR code of a text: rows of 1 (dark) and 0, without a border."""
    import segno  # nobody needs it before a speaker is added

    return ["".join(map(str, row)) for row in segno.make(text, error="l", micro=False).matrix]


async def list_boards(hub: Hub, request: Any) -> Any:
    """List what speakers can be made of."""
    return [{"name": name, **asdict(board)} for name, board in BOARDS.items()]


async def command(hub: Hub, request: Any) -> Any:
    """Have a speaker, or all of an area or group, do something."""
    fields = dict(request["body"])
    report = await hub.command(request.match_info["name"], fields.pop("command"), fields)
    return {"done": list(report.done), "missed": dict(report.missed)}


async def remove_speaker(hub: Hub, request: Any) -> None:
    """Forget a speaker; its token and its key are void."""
    hub.forget_speaker(request.match_info["id"])


async def announce(hub: Hub, request: Any) -> Any:
    """Have something announced, and answer when it is over: who heard it, and who did not and why.

    The answer begins at once, so that it may take as long as the announcement does. Who accepts `application/jsonl` is
    told meanwhile: a line whenever something has changed, the last one with `over`.
    """
    from aiohttp import web

    wanted = dict(request["body"])
    announcement = hub.announce(wanted.pop("text"), wanted.pop("where"), **wanted)
    answer = web.StreamResponse()
    lines = "application/jsonl" in request.headers.get("Accept", "")
    answer.content_type = "application/jsonl" if lines else "application/json"
    answer.charset = "utf-8"
    await answer.prepare(request)
    if lines:
        async with aclosing(progress(announcement)) as changes:
            async for change in changes:
                await answer.write(json.dumps(change, ensure_ascii=False).encode() + b"\n")
    else:
        report = await announcement.finished()
        told = {"heard": list(report.heard), "missed": dict(report.missed)}
        await answer.write(json.dumps(told, ensure_ascii=False).encode())
    await answer.write_eof()
    return answer


async def progress(announcement: Announcement) -> AsyncGenerator[Mapping[str, Any], None]:
    """Yield how an announcement goes, whenever something has changed, until it is over."""
    end = asyncio.ensure_future(announcement.finished())
    last: Mapping[str, Any] = {}
    try:
        while not last.get("over"):
            over, report = end.done(), announcement.report
            told = {"taken": list(announcement.taken), "heard": list(report.heard), "missed": dict(report.missed)}
            if {**told, "over": over} != last:
                last = {**told, "over": over}
                yield last
            await asyncio.wait({end}, timeout=LOOK_S)
    finally:
        end.cancel()  # of waiting alone: the announcement goes on, whoever asked for it


ROUTES = (
    RouteSpec(
        name="list_speakers",
        method="GET",
        path=SPEAKERS,
        handle=list_speakers,
        access="viewer",
        summary="Every known speaker",
        answer=LIST,
    ),
    RouteSpec(
        name="add_speaker",
        method="POST",
        path=SPEAKERS,
        handle=add_speaker,
        summary="Add a speaker, and learn its token and key, once",
        body=NEW,
        answer=CODE,
    ),
    RouteSpec(
        name="remove_speaker",
        method="DELETE",
        path=f"{SPEAKERS}/{{id}}",
        handle=remove_speaker,
        summary="Forget a speaker; its token is void",
    ),
    RouteSpec(
        name="list_boards",
        method="GET",
        path="/api/v1/boards",
        handle=list_boards,
        access="viewer",
        summary="What speakers can be made of, and what each is flashed with",
        answer=LIST,
    ),
    RouteSpec(
        name="command",
        method="POST",
        path=f"{SPEAKERS}/{{name}}/commands",
        handle=command,
        summary="Have a speaker, or all of an area or group, do something",
        body=COMMAND,
        answer=DONE,
    ),
    RouteSpec(
        name="announce",
        method="POST",
        path="/api/v1/announcements",
        handle=announce,
        summary="Announce something, and learn at its end who heard it, or as application/jsonl meanwhile",
        body=ANNOUNCEMENT,
        answer=REPORT,
    ),
)
