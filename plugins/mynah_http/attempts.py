"""How often an address gave a wrong token."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Callable

log = logging.getLogger(__name__)


class Attempts:
    """A bounded table of wrong tokens by address: after `limit` of them an address waits until `window_s` is over.

    An IPv6 network of 64 bits counts as one address, since a single device may use all of it.
    """

    def __init__(
        self,
        limit: int = 10,
        window_s: float = 60.0,
        maxsize: int = 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._window_s = window_s
        self._maxsize = maxsize
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures)

    def wait_s(self, address: str | None) -> float:
        """Return for how many seconds `address` may not try a token; 0 where it may."""
        count, since = self._failures.get(network(address), (0, 0.0))
        return max(0.0, since + self._window_s - self._clock()) if count >= self._limit else 0.0

    def failed(self, address: str | None) -> None:
        """Note that `address` gave a wrong token."""
        key, now = network(address), self._clock()
        count, since = self._failures.pop(key, (0, now))
        if now - since >= self._window_s:
            count, since = 0, now
        self._failures[key] = (count + 1, since)
        if count + 1 == self._limit:
            log.warning("%d wrong tokens from %s: its tokens are refused for a while", self._limit, key)
        if len(self._failures) > self._maxsize:
            self._failures.popitem(last=False)


def network(address: str | None) -> str:
    """Return what counts as one address: an IPv4 address itself, the /64 network of an IPv6 address."""
    try:
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, 64), strict=False))
