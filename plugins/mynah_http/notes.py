"""What the server notes on a request, under plain strings.

Plugins share no module that could hold aiohttp's typed keys without loading aiohttp, so the strings are part of
`RouteSpec`'s contract.
"""

from __future__ import annotations

import warnings
from typing import Final

from aiohttp import web

ACCESS: Final = "access"
"""The caller's role and for whom, or None."""
BODY: Final = "body"
"""The JSON body, checked by the route's schema."""
PROGRESS: Final = "mynah_http"
"""The server's own: how far the request has come."""


def introduce(request: web.Request) -> None:
    """Use every key once: aiohttp warns of each string when it first sees it, which would reach the users' screens."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", web.NotAppKeyWarning)
        for key in (ACCESS, BODY, PROGRESS):
            request[key] = None
            del request[key]
