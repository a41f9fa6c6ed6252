"""Events as they happen, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mynah import Hub, InputError, RouteSpec
from mynah_http.queries import number
from mynah_http.recent import KEPT, PART, Recent

HEARTBEAT_S: Final = 15.0
"""After so long without an event a comment is sent: whoever reads knows that the hub is there, and the hub who is."""

PAUSE_S: Final = 0.05
"""What comes within so long goes out together."""

WRITE_S: Final = 30.0
"""Who takes nothing for so long is gone."""

LONGEST: Final = 64_000
"""Characters of one event; of a longer one only what it was is told."""

HEADERS: Final[Mapping[str, str]] = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def events(hub: Hub, request: Any) -> Any:
    """Send the last events, then each as it happens, until the caller leaves or the hub stops."""
    from aiohttp import web

    most = int(min(2 * KEPT, max(0.0, number(request, "recent", 0))))
    types = [name for name in request.query.get("types", "").split(",") if name]
    recent: Recent | None = hub.parts.get(PART)
    if recent is None:
        raise InputError("the hub is stopping")
    role, _ = request["access"]
    answer = web.StreamResponse(headers=HEADERS)
    answer.content_type = "text/event-stream"
    answer.charset = "utf-8"
    with recent.follow(most, types) as (last, follower):
        await answer.prepare(request)
        await _write(answer, [b": the events of a hub\n\n", *(frame(event.to(role)) for event in last)])
        while not follower.ended:
            found, lost = await follower.take(HEARTBEAT_S)
            frames = [frame(event.to(role)) for event in found]
            if lost:
                frames.insert(0, frame({"type": "events_dropped", "count": lost}))
            await _write(answer, frames or [b": still here\n\n"])
            await asyncio.sleep(PAUSE_S)
    await answer.write_eof()
    return answer


async def _write(answer: Any, frames: Iterable[bytes]) -> None:
    """Send frames. Raises `ConnectionError` where nobody takes them."""
    try:
        async with asyncio.timeout(WRITE_S):
            await answer.write(b"".join(frames))
    except TimeoutError:
        raise ConnectionResetError("nobody reads the events") from None


def frame(fields: Mapping[str, Any]) -> bytes:
    """Return an event as it is sent."""
    from mynah_http.answers import plain

    try:
        text = json.dumps(fields, default=plain, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        text = ""
    if not text or len(text) > LONGEST:
        why = "it is too long" if text else "it holds what JSON has not"
        text = json.dumps({"type": fields["type"], "time": fields.get("time"), "left_out": why})
    return b"data: " + text.encode(errors="replace") + b"\n\n"


ROUTES: Final = (
    RouteSpec(
        name="events",
        method="GET",
        path="/api/v1/events",
        handle=events,
        access="viewer",
        summary="Events as they happen, as server-sent events; with recent=N up to N of the last ones first, with "
        "types=A,B only those; what was said is told to admins alone",
    ),
)
