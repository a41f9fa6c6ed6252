from __future__ import annotations

import asyncio
import logging

import pytest

from mynah import __version__
from mynah_http import announce as announcing
from mynah_http.announce import announce, describe, own_addresses


class FakeZeroconf:
    def __init__(self, error=None):
        self.error = error
        self.registered = asyncio.Event()
        self.infos = []
        self.closed = False

    async def async_register_service(self, info, allow_name_change=False):
        assert allow_name_change
        if self.error:
            raise self.error
        self.infos.append(info)
        self.registered.set()

    async def async_unregister_all_services(self):
        self.infos.clear()

    async def async_close(self):
        self.closed = True


async def test_the_hub_is_announced_until_cancelled_and_then_withdrawn():
    zeroconf = FakeZeroconf()
    task = asyncio.ensure_future(announce("0.0.0.0", 8000, open_zeroconf=lambda: zeroconf))
    await asyncio.wait_for(zeroconf.registered.wait(), 5)
    assert len(zeroconf.infos) == 1
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert zeroconf.infos == []
    assert zeroconf.closed


@pytest.mark.parametrize("error", [OSError("no network"), RuntimeError("odd network")])
async def test_a_failure_is_a_warning_and_ends_the_announcement_only(error, caplog):
    zeroconf = FakeZeroconf(error)
    await asyncio.wait_for(announce("0.0.0.0", 8000, open_zeroconf=lambda: zeroconf), 5)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "cannot be announced by mDNS" in caplog.text
    assert zeroconf.closed


async def test_no_multicast_at_all_is_a_warning(caplog):
    def fail():
        raise OSError("no interfaces")

    await asyncio.wait_for(announce("0.0.0.0", 8000, open_zeroconf=fail), 5)
    assert "no interfaces" in caplog.text


def test_the_announcement_says_version_path_and_port():
    info = describe("192.0.2.7", 8123, secure=True)
    assert info.type == "_mynah._tcp.local."
    assert info.port == 8123
    assert info.decoded_properties == {"version": __version__, "path": "/ws/v1", "tls": "1"}
    assert info.parsed_addresses() == ["192.0.2.7"]


def test_a_server_on_every_address_is_announced_with_those_of_the_network():
    assert describe("0.0.0.0", 8000).parsed_addresses() == own_addresses()


async def test_an_open_server_is_announced_and_a_local_one_is_not(start, monkeypatch):
    announced = []

    async def note(host, port, *, secure):
        announced.append((host, port, secure))

    monkeypatch.setattr(announcing, "announce", note)
    await start(mdns=True)
    await start(mdns=False, host="0.0.0.0")
    server = await start(mdns=True, host="0.0.0.0")
    await server.call("GET", "/health")
    assert announced == [("0.0.0.0", server.port, False)]
