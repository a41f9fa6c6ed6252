"""The hub's own REST API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import voluptuous as vol

from mynah import ConfigError, Hub, InputError, LimitError, RouteSpec, Session, SessionOptions
from mynah_http.speaker_routes import ROUTES as SPEAKER_ROUTES

API = "/api/v1"
SESSION = f"{API}/sessions/{{id}}"
MAX_CHARACTERS = 20_000

OBJECT: Mapping[str, Any] = {"type": "object", "additionalProperties": True}
LIST: Mapping[str, Any] = {"type": "array", "items": OBJECT}
TURN: Mapping[str, Any] = {"type": "object", "properties": {"turn_id": {"type": "string"}}, "required": ["turn_id"]}

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


# aiohttp is imported inside the handlers: commands that list routes offline need not wait for it.


async def health(hub: Hub, request: Any) -> Any:
    """Answer 200 where all is well, else 503; load balancers and containers look at the status alone."""
    from mynah_http.answers import json_response

    state = hub.health()
    return json_response(state, 200 if state.get("status") == "healthy" else 503)


async def openapi(hub: Hub, request: Any) -> Any:
    """Describe every route."""
    from mynah_http.openapi import document

    return document(hub.routes)


async def reload(hub: Hub, request: Any) -> Any:
    """Read the configuration again; with mistakes nothing changes, and each is told with its line."""
    try:
        done = hub.reload()
    except ConfigError as error:
        raise InputError(str(error)) from error
    return {"taken": list(done.taken), "waiting": list(done.waiting)}


async def list_sessions(hub: Hub, request: Any) -> Any:
    """List the open sessions."""
    return hub.sessions()


async def open_session(hub: Hub, request: Any) -> Any:
    """Begin a conversation."""
    session = hub.open_session(SessionOptions(**request["body"]))
    return describe(hub, session)


async def get_session(hub: Hub, request: Any) -> Any:
    """Show one session."""
    return describe(hub, hub.session(request.match_info["id"]))


async def close_session(hub: Hub, request: Any) -> None:
    """End a conversation."""
    hub.close_session(request.match_info["id"])


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


async def list_engines(hub: Hub, request: Any) -> Any:
    """List the configured engines."""
    return hub.engines()


async def list_personas(hub: Hub, request: Any) -> Any:
    """List who can speak; prompts and the places of files stay inside."""
    shown = ("name", "title", "language", "voice", "greeting", "context_key", "description")
    return [{key: getattr(persona, key) for key in shown} for persona in hub.personas()]


def describe(hub: Hub, session: Session) -> Mapping[str, Any]:
    """Return what is known of an open session."""
    for entry in hub.sessions():
        if entry.get("id") == session.id:
            return entry
    return {"id": session.id, "context": session.context}


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
        name="health",
        method="GET",
        path="/health",
        handle=health,
        access="open",
        summary="Whether all is well: 200 if so, 503 if not",
        answer=OBJECT,
    ),
    RouteSpec(
        name="openapi",
        method="GET",
        path=f"{API}/openapi.json",
        handle=openapi,
        access="open",
        summary="This document",
        answer=OBJECT,
    ),
    RouteSpec(
        name="reload",
        method="POST",
        path=f"{API}/reload",
        handle=reload,
        summary="Read the configuration again",
        body={},
        answer=OBJECT,
    ),
    RouteSpec(
        name="list_sessions",
        method="GET",
        path=f"{API}/sessions",
        handle=list_sessions,
        access="viewer",
        summary="Every open session",
        answer=LIST,
    ),
    RouteSpec(
        name="open_session",
        method="POST",
        path=f"{API}/sessions",
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
    RouteSpec(name="close_session", method="DELETE", path=SESSION, handle=close_session, summary="End a conversation"),
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
    RouteSpec(
        name="list_engines",
        method="GET",
        path=f"{API}/engines",
        handle=list_engines,
        access="viewer",
        summary="Every configured engine",
        answer=LIST,
    ),
    RouteSpec(
        name="list_personas",
        method="GET",
        path=f"{API}/personas",
        handle=list_personas,
        access="viewer",
        summary="Who can speak",
        answer=LIST,
    ),
    *SPEAKER_ROUTES,
)
