"""Sessions by the REST API: opened, used, closed; what is kept of them exported and deleted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

import voluptuous as vol

from mynah import Hub, InputError, LimitError, RouteSpec, SessionOptions
from mynah_http.queries import flag, number

SESSIONS = "/api/v1/sessions"
SESSION = f"{SESSIONS}/{{id}}"
ORIGIN = "rest"
MAX_CHARACTERS = 20_000
MOST = 1_000
"""Kept sessions of one answer."""

OBJECT: Mapping[str, Any] = {"type": "object", "additionalProperties": True}
LIST: Mapping[str, Any] = {"type": "array", "items": OBJECT}
TURN: Mapping[str, Any] = {"type": "object", "properties": {"turn_id": {"type": "string"}}, "required": ["turn_id"]}
DELETED: Mapping[str, Any] = {
    "type": "object", "properties": {"deleted": {"type": "integer"}}, "required": ["deleted"]
}  # fmt: skip

WORDS = {
    vol.Required("text", description="What to say."): vol.All(str, vol.Length(min=1, max=MAX_CHARACTERS)),
    vol.Optional("language", description="Its language, a BCP 47 tag."): str,
}
OPTIONS = {
    vol.Optional("persona", description="Who speaks; else the speaker's or the hub's first."): str,
    vol.Optional("language", description="The language of the conversation, a BCP 47 tag."): str,
    vol.Optional("context", description="Plain facts such as {exhibit: lion}."): {str: str},
    vol.Optional("speaker", description="The speaker whose persona, language and context are the defaults."): str,
}


async def list_sessions(hub: Hub, request: Any) -> Any:
    """List the open sessions, or with `kept=true` those that are kept on disk."""
    if not flag(request, "kept"):
        return [_shown(request, session) for session in hub.sessions()]
    before = number(request, "before", 1e12)
    return await hub.kept_sessions(int(min(MOST, max(1.0, number(request, "most", MOST)))), before)


async def open_session(hub: Hub, request: Any) -> Any:
    """Begin a conversation."""
    session = hub.open_session(SessionOptions(**request["body"], origin=ORIGIN))
    return session.describe()


async def get_session(hub: Hub, request: Any) -> Any:
    """Show one session."""
    return _shown(request, hub.session(request.match_info["id"]).describe())


def _shown(request: Any, session: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is known of a session; what was said in it is for admins alone."""
    role, _ = request["access"]
    return session if role == "admin" else {**session, "history": []}


async def session_statistics(hub: Hub, request: Any) -> Any:
    """Tell how the turns of a session went."""
    return hub.session(request.match_info["id"]).statistics()


async def close_session(hub: Hub, request: Any) -> None:
    """End a conversation; what is kept of it stays."""
    hub.close_session(request.match_info["id"])


async def export_session(hub: Hub, request: Any) -> Any:
    """Return all that is kept of a session."""
    return await hub.export_session(request.match_info["id"])


async def export_sessions(hub: Hub, request: Any) -> Any:
    """Return all that is kept, one session a line; the answer begins at once, however much it is."""
    from aiohttp import web

    answer = web.StreamResponse()
    answer.content_type = "application/jsonl"
    answer.charset = "utf-8"
    await answer.prepare(request)
    async with aclosing(hub.export_sessions()) as sessions:
        async for session in sessions:
            await answer.write(json.dumps(session, ensure_ascii=False).encode() + b"\n")
    await answer.write_eof()
    return answer


async def session_audio(hub: Hub, request: Any) -> Any:
    """Send a recording of a session."""
    from aiohttp import web

    path = hub.session_audio(request.match_info["id"], request.match_info["name"])
    return web.FileResponse(path, headers={"Content-Type": "audio/wav", "Cache-Control": "no-store"})


async def delete_session(hub: Hub, request: Any) -> Any:
    """End a conversation and delete all that is kept of it."""
    return {"deleted": await hub.delete_session(request.match_info["id"])}


async def delete_sessions(hub: Hub, request: Any) -> Any:
    """End every conversation and delete all that is kept."""
    return {"deleted": await hub.delete_session()}


async def ask(hub: Hub, request: Any) -> Any:
    """Put a question to the persona."""
    session = hub.session(request.match_info["id"])
    return turn(session.submit, request["body"])


async def say(hub: Hub, request: Any) -> Any:
    """Speak a text as it is."""
    session = hub.session(request.match_info["id"])
    return turn(session.say, request["body"])


async def interrupt(hub: Hub, request: Any) -> Any:
    """Stop every reply of a session."""
    return {"interrupted": hub.session(request.match_info["id"]).interrupt()}


def turn(start: Callable[..., str], body: Mapping[str, Any]) -> Mapping[str, str]:
    """Begin a turn. The session is there, so what it cannot take is the caller's mistake: 400, not 404."""
    from aiohttp import web

    try:
        return {"turn_id": start(body["text"], language=body.get("language"))}
    except LimitError:
        raise
    except InputError as error:
        raise web.HTTPBadRequest(text=str(error)) from error


ROUTES = (
    RouteSpec(
        name="list_sessions",
        method="GET",
        path=SESSIONS,
        handle=list_sessions,
        access="viewer",
        summary="Every open session; with kept=true those that are kept, up to `most` that were last active `before`",
        answer=LIST,
    ),
    RouteSpec(
        name="open_session",
        method="POST",
        path=SESSIONS,
        handle=open_session,
        summary="Begin a conversation",
        body=OPTIONS,
        answer=OBJECT,
    ),
    RouteSpec(
        name="get_session",
        method="GET",
        path=SESSION,
        handle=get_session,
        access="viewer",
        summary="One session",
        answer=OBJECT,
    ),
    RouteSpec(
        name="session_statistics",
        method="GET",
        path=f"{SESSION}/statistics",
        handle=session_statistics,
        access="viewer",
        summary="How the turns of a session went",
        answer=OBJECT,
    ),
    RouteSpec(
        name="close_session",
        method="POST",
        path=f"{SESSION}/close",
        handle=close_session,
        summary="End a conversation; what is kept of it stays",
    ),
    RouteSpec(
        name="export_session",
        method="GET",
        path=f"{SESSION}/export",
        handle=export_session,
        summary="All that is kept of a session",
        answer=OBJECT,
    ),
    RouteSpec(
        name="session_audio",
        method="GET",
        path=f"{SESSION}/audio/{{name}}",
        handle=session_audio,
        summary="A recording of a session, by its name in the export",
    ),
    RouteSpec(
        name="export_sessions",
        method="GET",
        path=f"{SESSIONS}/export",
        handle=export_sessions,
        summary="All that is kept, one session a line of JSON",
    ),
    RouteSpec(
        name="delete_session",
        method="DELETE",
        path=SESSION,
        handle=delete_session,
        summary="End a conversation and delete all that is kept of it",
        answer=DELETED,
    ),
    RouteSpec(
        name="delete_sessions",
        method="DELETE",
        path=SESSIONS,
        handle=delete_sessions,
        summary="End every conversation and delete all that is kept",
        answer=DELETED,
    ),
    RouteSpec(
        name="ask",
        method="POST",
        path=f"{SESSION}/text",
        handle=ask,
        summary="Put a question to the persona",
        body=WORDS,
        answer=TURN,
    ),
    RouteSpec(
        name="say",
        method="POST",
        path=f"{SESSION}/say",
        handle=say,
        summary="Speak a text as it is",
        body=WORDS,
        answer=TURN,
    ),
    RouteSpec(
        name="interrupt",
        method="POST",
        path=f"{SESSION}/interrupt",
        handle=interrupt,
        summary="Stop every reply",
        answer=OBJECT,
    ),
)
