"""Reading what comes over HTTP, up to a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import StreamReader


async def read_up_to(content: StreamReader, limit: int) -> bytes:
    """Return all that comes, but not much more than `limit` bytes: a result that is longer was cut off."""
    found = b""
    while len(found) <= limit and (more := await content.read(limit + 1 - len(found))):
        found += more
    return found
