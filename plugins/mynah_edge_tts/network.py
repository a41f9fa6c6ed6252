"""The way to the service: addresses looked up once for all phrases, and connections that can be cut."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

if TYPE_CHECKING:
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

KEEP_S: Final = 300.0
"""How long an address is good for; after that it is looked up again, and used all the same where that fails."""

MAX_HOSTS: Final = 16


class NotFound(OSError):
    """A name has no address, or none that could be had in time."""


class Addresses(AbstractResolver):
    """Looks names up in threads and remembers them. Each look-up takes `within_s` at most."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._resolver = aiohttp.ThreadedResolver()
        self._known: dict[tuple[str, int, int], tuple[float, list[ResolveResult]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of `host`. Raises `NotFound`."""
        key, loop = (host, port, int(family)), asyncio.get_running_loop()
        fresh_until, known = self._known.get(key, (0.0, []))
        if loop.time() < fresh_until:
            return known
        try:
            async with asyncio.timeout(self._within_s):
                found = await self._resolver.resolve(host, port, family)
        except OSError as error:  # a TimeoutError is one
            if known:
                return known
            raise NotFound(host) from error
        if len(self._known) >= MAX_HOSTS:
            self._known.clear()
        self._known[key] = (loop.time() + KEEP_S, found)
        return found

    def doubt(self) -> None:
        """Have every address looked up again: one did not answer."""
        self._known = {key: (0.0, found) for key, (_, found) in self._known.items()}

    async def close(self) -> None:
        """Do nothing: connectors that borrow it close it, and it is used on."""


class Line(aiohttp.TCPConnector):
    """The connections of one call. The client closes its connector after each of them: that leaves it usable.

    `connected` is called for each of them once it stands. `hang_up` cuts them at once; closing them in good order waits
    up to 10 s for a service that does not answer.
    """

    def __init__(self, addresses: Addresses, connected: Callable[[], None] = lambda: None) -> None:
        super().__init__(resolver=addresses, use_dns_cache=False, force_close=True)
        self._connected = connected

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """Return a connection, as `TCPConnector` does."""
        connection = await super().connect(req, traces, timeout)
        self._connected()
        return connection

    async def close(self, *, abort_ssl: bool = False) -> None:
        """Do nothing."""

    async def hang_up(self) -> None:
        """Cut every connection; nothing can be connected afterwards."""
        await super().close()
