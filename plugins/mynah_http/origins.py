"""Which web pages may call the hub.

A page of any site can make its reader's browser call an address in the house. Two headers that pages cannot forge
tell: `Origin` names the page's site, `Host` the name under which the hub was called, which is the attacker's where a
name was pointed at the hub (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from aiohttp import web

DEFAULT_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Return whether `host`, a name or an address, means this machine alone."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def split_host(netloc: str) -> tuple[str, int | None]:
    """Split `host:port` into a lower-case host and a port. Raises `ValueError` for what is neither."""
    parts = urlsplit(f"//{netloc}")
    return (parts.hostname or "").rstrip("."), parts.port


class Origins:
    """Tells the hub's own pages and the `allowed` origins from all others."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)

    def check(self, request: web.Request) -> None:
        """Raise `HTTPForbidden` where a foreign web page sent `request`."""
        sender = request.headers.get("Origin")
        if sender is None or sender.lower() in self._allowed or is_same(sender, request):
            return
        raise web.HTTPForbidden(
            text=f"web pages of '{sender}' may not call this hub; to allow them, set http: {{allowed_origins: …}}"
        )

    def preflight(self, request: web.Request) -> web.Response | None:
        """Return the answer to a browser that asks whether an allowed page may send a request, if this is one."""
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        return web.Response(status=204) if self.headers(request) else None

    def headers(self, request: web.BaseRequest) -> Mapping[str, str]:
        """Return the headers that let a page of an allowed origin read the answer."""
        sender = request.headers.get("Origin", "")
        if sender.lower() not in self._allowed:
            return {}
        return {
            "Access-Control-Allow-Origin": sender,
            "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Vary": "Origin",
        }


def is_same(sender: str, request: web.Request) -> bool:
    """Return whether the page at origin `sender` came from the address that `request` was sent to."""
    try:
        page = urlsplit(sender.lower())
        theirs = (page.hostname or "").rstrip("."), page.port or DEFAULT_PORTS.get(page.scheme)
        host, port = split_host(request.headers.get("Host", ""))
    except ValueError:
        return False
    if page.scheme not in DEFAULT_PORTS or (request.secure and page.scheme != "https"):
        return False
    return bool(host) and theirs == (host, port or DEFAULT_PORTS[page.scheme])
