"""B: the sessions of the study partner, over REST."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from mynah import Hub, InputError, LimitError, Session, SessionOptions
from mynah_dialects.config import PERSONAS, STUDY_PARTNER
from mynah_dialects.frames import Fields
from mynah_dialects.gate import admit, persona_of

STUDY: Final = "/api/v1/audio-streaming"
LANGUAGES: Final = ("zh", "en", "auto")
AUTO: Final = "auto"


async def open_session(hub: Hub, request: web.Request) -> web.Response:
    """Begin a session."""
    section = admit(hub, STUDY_PARTNER, request)
    try:
        asked = Fields({**await _body(request), **_flags(request.query)})
        language = asked.one_of("language", LANGUAGES, AUTO)
        options = SessionOptions(
            persona=persona_of(hub, section, PERSONAS[STUDY_PARTNER]),
            language=None if language == AUTO else language,
            context={"language": AUTO} if language == AUTO else {},
            policy="queue",
            replies=asked.flag("reply", default=False),
            origin=STUDY_PARTNER,
            origin_max=section["max_sessions"],
            origin_voices=section["synthesis_workers"],
            idle_timeout=float(section["idle_timeout"]),
            max_age=float(section["max_age"]),
        )
        session = hub.open_session(options)
    except LimitError as error:
        return _refusal(str(error), 503)
    except InputError as error:
        return _refusal(str(error), 400)
    prefix = f"/{section['prefix']}" if section["prefix"] else ""
    return web.json_response(
        {
            "success": True,
            "session_id": session.id,
            "language": language,
            "websocket_url": f"{prefix}{STUDY}/ws/{session.id}",
            "message": "Session begun",
        }
    )


async def list_sessions(hub: Hub, request: web.Request) -> web.Response:
    """Tell of every session."""
    section = admit(hub, STUDY_PARTNER, request)
    mine = [entry["id"] for entry in hub.sessions() if entry["origin"] == STUDY_PARTNER]
    engines = [engine for engine in hub.engines() if engine["state"] == "ready"]
    # What the first recogniser says of itself; one without `workers` hears every session at once.
    ears: Mapping[str, Any] = next(iter(hub.config["engines"]["stt"]), {})
    status = {
        "isInitialized": bool(hub.health()["ready"]),
        "ttsInitialized": any(engine["kind"] == "tts" for engine in engines),
        "modelSize": ears.get("model", ears.get("engine")),
        "device": ears.get("device", "cpu"),
        "transcriptionWorkers": ears.get("workers", section["max_sessions"] if ears else 0),
        "ttsWorkers": section["synthesis_workers"],
    }
    stats = {"totalSessions": len(mine), "activeSessions": mine, "serviceStatus": status}
    return web.json_response({"success": True, "stats": stats})


async def stats(hub: Hub, request: web.Request) -> web.Response:
    """Tell of one session."""
    admit(hub, STUDY_PARTNER, request)
    try:
        session = find(hub, request.match_info["id"])
    except InputError as error:
        return _refusal(str(error), 404)
    return web.json_response({"success": True, "stats": stats_of(hub, session)})


async def close_session(hub: Hub, request: web.Request) -> web.Response:
    """End a session."""
    admit(hub, STUDY_PARTNER, request)
    try:
        session = find(hub, request.match_info["id"])
        hub.close_session(session.id, "closed")
    except InputError as error:
        return _refusal(str(error), 404)
    return web.json_response({"success": True, "message": "Session closed"})


def find(hub: Hub, session_id: str) -> Session:
    """Return a session of the study partner. Raises `InputError` where there is none, or another's."""
    session = hub.session(session_id)
    if session.origin != STUDY_PARTNER:
        raise InputError(f"no session {session_id!r} is open; begin a new one")
    return session


def language_of(hub: Hub, session: Session) -> str:
    """Return the language that a session was begun in, as it was asked for."""
    if session.context.get("language") == AUTO:
        return AUTO
    return next((str(entry["language"]) for entry in hub.sessions() if entry["id"] == session.id), AUTO)


def stats_of(hub: Hub, session: Session) -> Mapping[str, Any]:
    """Return what these clients are told of a session."""
    entry = next((entry for entry in hub.sessions() if entry["id"] == session.id), {})
    return {
        "sessionId": session.id,
        "createdAt": entry.get("created"),
        "lastActivity": entry.get("last_active"),
        "isActive": not session.closed,
        "language": language_of(hub, session),
        "conversationEntries": entry.get("entries", 0),
        "bufferChunks": entry.get("buffered_chunks", 0),
        "bufferSize": entry.get("buffered_bytes", 0),
        "pendingTranscriptions": entry.get("pending_transcriptions", 0),
        "pendingResponses": entry.get("pending_replies", 0),
    }


async def _body(request: web.Request) -> Mapping[str, Any]:
    try:
        body = json.loads(await request.read() or b"{}")
    except (ValueError, RecursionError):
        raise InputError("the body is not JSON") from None
    if not isinstance(body, dict):
        raise InputError("the body is not a JSON object")
    return body


def _flags(query: Mapping[str, str]) -> Mapping[str, Any]:
    words: Mapping[str, Any] = {"true": True, "1": True, "false": False, "0": False}
    return {key: words.get(value.lower(), value) if key == "reply" else value for key, value in query.items()}


def _refusal(message: str, status: int) -> web.Response:
    return web.json_response({"success": False, "message": message, "detail": message}, status=status)
