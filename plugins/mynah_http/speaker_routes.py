"""Speakers by the REST API: who is there, adding and removing them, and announcing something on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import voluptuous as vol

from mynah import Hub, RouteSpec

SPEAKERS = "/api/v1/speakers"
OBJECT: Mapping[str, Any] = {"type": "object", "additionalProperties": True}
LIST: Mapping[str, Any] = {"type": "array", "items": OBJECT}
TEXT: Mapping[str, Any] = {"type": "string"}
PROTOCOL = "/ws/v1"

NEW = {
    vol.Required("id", description="Small letters, digits, '_' and '-'; 64 at most."): str,
    vol.Optional("name", description="What people call it."): str,
    vol.Optional("area", description="Where it stands."): str,
    vol.Optional("renew", default=False, description="Whether a token that it has may be replaced."): bool,
}
CODE: Mapping[str, Any] = {
    "type": "object",
    "properties": {name: TEXT for name in ("id", "hub", "broker", "base", "token", "key")},
    "required": ["id", "hub", "token", "key"],
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
    id, renew = facts.pop("id"), facts.pop("renew")
    secrets = hub.add_speaker(id, facts, renew=renew)
    code = {"id": id, "hub": hub.addresses["http"].replace("http", "ws", 1) + PROTOCOL}
    if broker := hub.addresses.get("mqtt"):
        code |= {"broker": broker, "base": hub.config["mqtt"]["base"]}
    return {**code, "token": secrets.token, "key": secrets.key.hex()}


async def remove_speaker(hub: Hub, request: Any) -> None:
    """Forget a speaker; its token and its key are void."""
    hub.forget_speaker(request.match_info["id"])


async def announce(hub: Hub, request: Any) -> Any:
    """Have something announced, and answer when it is over: who heard it, and who did not and why.

    The answer begins at once, so that it may take as long as the announcement does.
    """
    from aiohttp import web

    wanted = dict(request["body"])
    announcement = hub.announce(wanted.pop("text"), wanted.pop("where"), **wanted)
    answer = web.StreamResponse()
    answer.content_type = "application/json"
    answer.charset = "utf-8"
    await answer.prepare(request)
    report = await announcement.finished()
    told = {"heard": list(report.heard), "missed": dict(report.missed)}
    await answer.write(json.dumps(told, ensure_ascii=False).encode())
    await answer.write_eof()
    return answer


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
        name="announce",
        method="POST",
        path="/api/v1/announcements",
        handle=announce,
        summary="Announce something, and learn at its end who heard it",
        body=ANNOUNCEMENT,
        answer=REPORT,
    ),
)
