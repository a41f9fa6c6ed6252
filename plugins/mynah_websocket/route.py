"""The route's handler, light to import: aiohttp comes with the first client."""

from __future__ import annotations

from typing import Any

from mynah import Hub


async def serve(hub: Hub, request: Any) -> Any:
    """Hold a conversation over the native protocol; `request` is aiohttp's."""
    from mynah_websocket.connection import serve as converse

    return await converse(hub, request)
