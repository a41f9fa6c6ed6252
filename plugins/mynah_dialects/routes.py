"""Every path of every dialect. Light to import: aiohttp comes with the first client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from typing import Any, Final, Literal

from mynah import Hub, RouteSpec

STUDY: Final = "/api/v1/audio-streaming"

PATHS: Final[tuple[tuple[str, Literal["GET", "POST", "DELETE"], str, str, str], ...]] = (
    ("zoo_speaker", "GET", "/ws/esp32/{client_id}", "zoo_speaker:serve", "A zoo speaker"),
    ("zoo_speaker_by_query", "GET", "/ws/audio", "zoo_speaker:serve", "A zoo speaker that names itself in the query"),
    ("study_open", "POST", f"{STUDY}/sessions", "study_rest:open_session", "Begin a session of the study partner"),
    ("study_list", "GET", f"{STUDY}/sessions", "study_rest:list_sessions", "The study partner's sessions"),
    ("study_stats", "GET", f"{STUDY}/sessions/{{id}}/stats", "study_rest:stats", "One of the study partner's sessions"),
    ("study_close", "DELETE", f"{STUDY}/sessions/{{id}}", "study_rest:close_session", "End one of those sessions"),
    ("study_partner", "GET", f"{STUDY}/ws/{{id}}", "study_partner:serve", "The study partner's web app"),
    ("clinic_or_console", "GET", "/ws", "clinic_or_console:serve", "The clinic's interpreter, or the speech console"),
    (
        "clinic_parallel",
        "GET",
        "/ws/parallel",
        "clinic_interpreter:serve_parallel",
        "The same, in parallel",
    ),
    ("news_agent", "GET", "/ws/voice", "news_agent:serve", "The voice news agent"),
    ("speech_console", "GET", "/ws/speech", "speech_console:serve", "The speech-to-speech console"),
)
"""Name, method, path, who serves it, and what it is."""


def routes() -> Iterator[RouteSpec]:
    """Yield each path as it is, and once more under a prefix: which of the two is served, the configuration says."""
    for name, method, path, place, summary in PATHS:
        handle = _late(place)
        for prefix, suffix in (("", ""), ("/{prefix}", "_under_prefix")):
            yield RouteSpec(
                name=name + suffix, method=method, path=prefix + path, handle=handle, access="open", summary=summary
            )
    yield RouteSpec(
        name="clinic_health_under_prefix",
        method="GET",
        path="/{prefix}/health",
        handle=_late("clinic_interpreter:health"),
        access="open",
        summary="Whether all is well, for the clinic's interpreter",
    )


def _late(place: str) -> Callable[[Hub, Any], Awaitable[Any]]:
    module, name = place.split(":")

    async def handle(hub: Hub, request: Any) -> Any:
        serve = getattr(import_module(f"mynah_dialects.{module}"), name)
        return await serve(hub, request)

    return handle
