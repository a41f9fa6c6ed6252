"""Announcing the hub by mDNS, so that speakers find it without being told its address."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable

import ifaddr
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from mynah import __version__

log = logging.getLogger(__name__)
SERVICE = "_mynah._tcp.local."
PATH = "/ws/v1"
WITHDRAW_S = 3.0
REGISTER_S = 30.0


async def announce(
    host: str, port: int, *, secure: bool = False, open_zeroconf: Callable[[], AsyncZeroconf] = AsyncZeroconf
) -> None:
    """Announce a server on `host` and `port` until cancelled. A failure is logged and ends the announcement only."""
    try:
        zeroconf = open_zeroconf()
    except OSError as error:
        log.warning("the hub cannot be announced by mDNS (speakers need its address): %s", error)
        return
    try:
        async with asyncio.timeout(REGISTER_S):
            await zeroconf.async_register_service(describe(host, port, secure=secure), allow_name_change=True)
        log.info("announced by mDNS as %s", SERVICE)
        await asyncio.Event().wait()
    except Exception as error:  # noqa: BLE001 - found by itself or not, the hub works; whatever fails here must not stop it
        log.warning("the hub cannot be announced by mDNS (speakers need its address): %s", repr(error))
    finally:
        await withdraw(zeroconf)


async def withdraw(zeroconf: AsyncZeroconf) -> None:
    """Tell the network that the hub is gone."""
    try:
        async with asyncio.timeout(WITHDRAW_S):
            await zeroconf.async_unregister_all_services()
            await zeroconf.async_close()
    except Exception as error:  # noqa: BLE001 - the hub is stopping and must not be held up by a farewell
        log.warning("the mDNS announcement could not be withdrawn: %s", repr(error))


def describe(host: str, port: int, *, secure: bool = False) -> AsyncServiceInfo:
    """Return the announcement of a server on `host`, an address or one that means all of this machine's."""
    machine = socket.gethostname().partition(".")[0][:40] or "hub"
    anywhere = host in ("0.0.0.0", "::")
    return AsyncServiceInfo(
        SERVICE,
        f"Mynah on {machine}.{SERVICE}",
        port=port,
        properties={"version": __version__, "path": PATH, "tls": "1" if secure else "0"},
        server=f"mynah-{machine}.local.",
        parsed_addresses=own_addresses() if anywhere else [host],
    )


def own_addresses() -> list[str]:
    """Return this machine's IPv4 addresses in its networks, or the loopback address where it is in none."""
    found = [str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
    return [address for address in found if not ipaddress.ip_address(address).is_loopback] or ["127.0.0.1"]
