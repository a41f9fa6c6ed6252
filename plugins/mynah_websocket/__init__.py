"""The native protocol of Mynah: `/ws/v1`. See docs/protocol.md."""

from __future__ import annotations

from collections.abc import Iterable

from mynah import RouteSpec, hookimpl
from mynah_websocket.route import serve


@hookimpl
def mynah_routes() -> Iterable[RouteSpec]:
    """Declare the route; who may use it is found out from the token in the hello."""
    yield RouteSpec(
        name="websocket",
        method="GET",
        path="/ws/v1",
        handle=serve,
        access="open",
        summary="The native protocol: audio, text and events of one conversation over a WebSocket",
    )
