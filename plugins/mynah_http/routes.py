"""The hub's own REST API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mynah import ConfigError, Hub, InputError, RouteSpec, Text
from mynah_http.event_routes import ROUTES as EVENT_ROUTES
from mynah_http.session_routes import ROUTES as SESSION_ROUTES
from mynah_http.speaker_routes import ROUTES as SPEAKER_ROUTES

API = "/api/v1"

OBJECT: Mapping[str, Any] = {"type": "object", "additionalProperties": True}
LIST: Mapping[str, Any] = {"type": "array", "items": OBJECT}
WITHHELD = "told to admins alone"


# aiohttp is imported inside the handlers: commands that list routes offline need not wait for it.


async def health(hub: Hub, request: Any) -> Any:
    """Answer 200 where all is well, else 503; load balancers and containers look at the status alone."""
    from mynah_http.answers import json_response

    state = hub.health()
    return json_response(_for_caller(request, state), 200 if state.get("status") == "healthy" else 503)


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


async def statistics(hub: Hub, request: Any) -> Any:
    """Tell how all turns went."""
    return hub.statistics()


async def list_engines(hub: Hub, request: Any) -> Any:
    """List the configured engines."""
    return _for_caller(request, hub.engines())


async def me(hub: Hub, request: Any) -> Any:
    """Tell who calls; a page shows by it what can be done there."""
    role, _ = request["access"]
    return {"role": role}


async def list_personas(hub: Hub, request: Any) -> Any:
    """List who can speak; prompts and the places of files stay inside."""
    shown = ("name", "title", "language", "voice", "greeting", "context_key", "description")
    told = ({key: getattr(persona, key) for key in shown} for persona in hub.personas())
    return [{**each, "greeting": _in_own_language(each["greeting"], each["language"])} for each in told]


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
        name="statistics",
        method="GET",
        path=f"{API}/statistics",
        handle=statistics,
        access="viewer",
        summary="How turns went since the start: counts, times, queues",
        answer=OBJECT,
    ),
    RouteSpec(
        name="me",
        method="GET",
        path=f"{API}/me",
        handle=me,
        access="viewer",
        summary="The role of whoever calls",
        answer=OBJECT,
    ),
    *EVENT_ROUTES,
    *SESSION_ROUTES,
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


def _for_caller(request: Any, told: Any) -> Any:
    """Return what the caller may know: what an engine failed at may quote what was said, which is for admins alone."""
    caller = request["access"]
    return told if caller is not None and caller[0] == "admin" else _without_errors(told)


def _without_errors(told: Any) -> Any:
    if isinstance(told, Mapping):
        return {
            name: WITHHELD if name in ("error", "last_error") and value else _without_errors(value)
            for name, value in told.items()
        }
    return [_without_errors(each) for each in told] if isinstance(told, list | tuple) else told


def _in_own_language(text: Text, language: str) -> str:
    """Return one of a persona's texts in the language that it speaks where nothing else is known."""
    return text if isinstance(text, str) else text.get(language) or next(iter(text.values()), "")
