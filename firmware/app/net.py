"""Addresses, streams and the patience between two attempts."""

import asyncio
import random

PORTS = {"ws": 80, "wss": 443, "http": 80, "https": 443, "mqtt": 1883, "mqtts": 8883}


def split_url(url):
    """Split `scheme://host[:port][/path]` into scheme, host, port, path. ValueError says what is wrong."""
    scheme, sep, rest = url.partition("://")
    if not sep or scheme not in PORTS:
        raise ValueError("not an address: " + url)
    host, sep, path = rest.partition("/")
    name, colon, port = host.rpartition(":")
    if not colon:
        name, port = host, ""
    if not name or (port and not port.isdigit()):
        raise ValueError("not an address: " + url)
    return scheme, name, int(port) if port else PORTS[scheme], "/" + path


def _tls(ca):
    if ca is None:
        raise ValueError("wss, https and mqtts need the certificate of their authority (setting 'ca')")
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ca)
    return context


async def open_stream(url, ca=None, seconds=10):
    """Connect to an address; return reader, writer, host and path. `ca`: the certificate in DER, for TLS."""
    scheme, host, port, path = split_url(url)
    extra = {}
    if scheme in ("wss", "https", "mqtts"):
        extra = {"ssl": _tls(ca), "server_hostname": host}
    reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port, **extra), seconds)
    return reader, writer, host, path


async def some(reader, view):
    """Read at least a byte into `view`; return how many. OSError where the connection ends."""
    while (n := await reader.readinto(view)) is None:
        pass  # TLS had a record, but nothing for us in it
    if not n:
        raise OSError(104)  # ECONNRESET
    return n


async def fill(reader, view):
    """Read until `view` is full. OSError where the connection ends."""
    done = 0
    while done < len(view):
        done += await some(reader, view[done:] if done else view)


async def flush(writer, view):
    """Write all of `view`, which must not change meanwhile; unlike `write` it copies nothing."""
    writer.out_buf = view
    await writer.drain()


async def shut(writer):
    """Close a stream that may be broken already."""
    try:
        writer.close()
        await writer.wait_closed()
    except OSError:
        pass


class Backoff:
    """Waits longer after each failure, up to `most` seconds, and never as long as the others do."""

    def __init__(self, first=0.5, most=30):
        self._first = first
        self._most = most
        self._next = first

    def reset(self):
        """Start afresh: it worked."""
        self._next = self._first

    def seconds(self):
        """Return how long to wait now: from half of the time to all of it."""
        now = self._next
        self._next = min(self._most, now * 2)
        return now * (0.5 + random.random() / 2)
