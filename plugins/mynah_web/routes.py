"""The page at `/`, and its files below `/web/`."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from mynah import Hub, InputError, RouteSpec
from mynah_web.files import PAGE, read

CONTENT_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""What the page may load and run: its own files, and nothing that stands in it or is made from text."""
PERMISSIONS: Final = "microphone=(self), camera=(), geolocation=()"


async def page(hub: Hub, request: Any) -> Any:
    """Send the page."""
    return await _send(request, PAGE)


async def file(hub: Hub, request: Any) -> Any:
    """Send one of the page's files."""
    return await _send(request, request.match_info["file"])


async def _send(request: Any, name: str) -> Any:
    """Send a file, or that the browser's copy is still the right one: an update of the hub is seen at once."""
    from aiohttp import ETag, web

    try:
        found = await asyncio.to_thread(read, name)
    except KeyError:
        raise InputError(f"the page has no file '{name}'") from None
    headers = {"Cache-Control": "no-cache"}
    if found.type == "text/html":
        headers |= {"Content-Security-Policy": CONTENT_POLICY, "Permissions-Policy": PERMISSIONS}
    if any(tag.value == found.tag for tag in request.if_none_match or ()):
        answer = web.Response(status=304, headers=headers)
    else:
        answer = web.Response(body=found.data, content_type=found.type, charset="utf-8", headers=headers)
    answer.etag = ETag(found.tag)
    return answer


ROUTES: Final = (
    RouteSpec(name="web_page", method="GET", path="/", handle=page, access="open", summary="The web page"),
    RouteSpec(
        name="web_file",
        method="GET",
        path="/web/{file:[a-zA-Z0-9_./-]+}",
        handle=file,
        access="open",
        summary="A file of the web page",
    ),
)
