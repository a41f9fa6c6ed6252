"""Who may call what.

On a loopback address every caller is the machine's own user and an admin. Open to the network, a caller shows a token
in the `Authorization` header.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from aiohttp import web

from mynah import Access, Hub
from mynah_http.attempts import Attempts
from mynah_http.origins import is_loopback, split_host

ALLOWED: Mapping[Access, frozenset[Access]] = {
    "open": frozenset(("open", "viewer", "speaker", "admin")),
    "viewer": frozenset(("viewer", "admin")),
    "speaker": frozenset(("speaker", "admin")),
    "admin": frozenset(("admin",)),
}
"""The roles that may call a route of each access."""

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
TOKEN_PARAMETERS = frozenset(("token", "access_token"))
HOW = "send it in the header 'Authorization: Bearer TOKEN'"


class Door:
    """Lets callers in, or says why not. `host` is the address that the server listens on."""

    def __init__(self, hub: Hub, host: str, attempts: Attempts) -> None:
        self._hub = hub
        self._host = host.lower()
        self._attempts = attempts
        self.open_to_network = not is_loopback(host)

    def check(self, request: web.Request) -> None:
        """Raise an `HTTPException` for what nobody may send: a token in the URL, a foreign name of a local hub."""
        if TOKEN_PARAMETERS & request.query.keys():
            raise web.HTTPBadRequest(text=f"a token in a URL ends up in logs and histories; {HOW}")
        if self._is_local(request):
            self._check_host(request.headers.get("Host"))

    def admit(self, request: web.Request, access: Access) -> tuple[Access, str] | None:
        """Return the caller's role and for whom it stands; None for somebody unknown at an open route.

        Raises `HTTPUnauthorized`, `HTTPForbidden` or, after many wrong tokens, `HTTPTooManyRequests`.
        """
        caller: tuple[Access, str] | None = ("admin", "") if self._is_local(request) else self._by_token(request)
        if access == "open":
            return caller
        if caller is None:
            wrong = "Authorization" in request.headers
            raise web.HTTPUnauthorized(
                text=f"this token is not valid; {HOW}" if wrong else f"a token is needed; {HOW}",
                headers={"WWW-Authenticate": 'Bearer realm="mynah"' + (', error="invalid_token"' if wrong else "")},
            )
        if caller[0] not in ALLOWED[access]:
            raise web.HTTPForbidden(text=f"this needs the role '{access}'; the token given has the role '{caller[0]}'")
        return caller

    def _is_local(self, request: web.Request) -> bool:
        # What a proxy on this machine passes on comes from a loopback address, but not from the machine's user.
        return not self.open_to_network and not any(name in request.headers for name in FORWARDED)

    def _check_host(self, header: str | None) -> None:
        if header is None:  # HTTP/1.0; browsers always send it
            return
        try:
            host, _ = split_host(header)
        except ValueError:
            raise web.HTTPBadRequest(text="the Host header is not a host and port") from None
        if not is_loopback(host) and host != self._host:
            raise web.HTTPForbidden(
                text=f"this hub is for this machine alone and is not called '{host}'; use localhost, "
                "or open it to the network with http: {host: 0.0.0.0}"
            )

    def _by_token(self, request: web.Request) -> tuple[Access, str] | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        if wait_s := self._attempts.wait_s(request.remote):
            raise web.HTTPTooManyRequests(
                text=f"too many wrong tokens from this address; try again in {math.ceil(wait_s)} s",
                headers={"Retry-After": str(math.ceil(wait_s))},
            )
        scheme, _, token = header.strip().partition(" ")
        caller = self._hub.access(token.strip()) if scheme.lower() == "bearer" and token.strip() else None
        if caller is None:
            self._attempts.failed(request.remote)
        return caller
