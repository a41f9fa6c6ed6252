"""The server as the hub starts it. Nothing heavy is imported before it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mynah import ComponentSpec, Hub
from mynah_http.config import SCHEMA


async def run(hub: Hub, config: Mapping[str, Any], ready: Callable[[], None]) -> None:
    """Serve every plugin's routes until cancelled. Raises `MynahError` where it cannot listen."""
    # aiohttp takes 0.2 s to import, which commands that work offline need not pay.
    from mynah_http.server import serve

    await serve(hub, config, ready)


COMPONENT = ComponentSpec(
    name="http",
    run=run,
    schema=SCHEMA,
    description="The web server: the REST API, and every route and WebSocket that plugins declare.",
)
