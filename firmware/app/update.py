"""Updates over the air: a signed bundle goes to the spare folder, and starts only if its signature is right.

The format is in docs/mqtt.md, *Updates*.
"""

import asyncio
import os
from hashlib import sha256

from micropython import const
from net import fill, flush, open_stream, shut, split_url

_LARGEST = const(524288)
_CHUNK = const(256)


class Refused(ValueError):
    """The update must not be installed."""


class Hmac:
    """HMAC-SHA256 (RFC 2104), which MicroPython does not bring along; takes data in pieces."""

    def __init__(self, key):
        if len(key) > 64:
            key = sha256(key).digest()
        key = key + bytes(64 - len(key))
        self._outer = bytes(byte ^ 0x5C for byte in key)
        self._inner = sha256(bytes(byte ^ 0x36 for byte in key))

    def update(self, data):
        """Add data."""
        self._inner.update(data)

    def digest(self):
        """Return the 32 bytes; the object is used up."""
        outer = sha256(self._outer)
        outer.update(self._inner.digest())
        return outer.digest()


def same(one, other):
    """Compare without telling by the time how much was right."""
    different = len(one) ^ len(other)
    for i in range(min(len(one), len(other))):
        different |= one[i] ^ other[i]
    return different == 0


def number(version):
    """Return a version as a tuple that compares, `1.2.3` as (1, 2, 3)."""
    parts = version.split(".")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise Refused("version must be like 1.2.3")
    return tuple(int(part) for part in parts)


def check_name(name):
    """Return a module's file name from its bytes. Refused unless it is one."""
    stem, _, ending = name.partition(b".")
    # Bytes, as the single characters of a text would be kept for good.
    fine = all(c in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_" for c in stem)
    if ending not in (b"py", b"mpy") or not 0 < len(stem) <= 28 or not fine:
        raise Refused("a file named " + repr(name))
    return name.decode()


def empty(folder):
    """Make the folder, or remove what is in it."""
    try:
        os.mkdir(folder)
    except OSError:
        for name in os.listdir(folder):
            os.remove(folder + "/" + name)


async def unpack(reader, size, hmac, folder):
    """Unpack a bundle of that size into a folder as it is read, and sign it meanwhile; nothing of it is run."""
    chunk = memoryview(bytearray(_CHUNK))
    left = size

    async def read(n):
        nonlocal left
        if n > left:
            raise Refused("the file is cut")
        await asyncio.wait_for(fill(reader, chunk[:n]), 20)
        hmac.update(chunk[:n])
        left -= n
        return chunk[:n]

    if await read(6) != b"MYNAH1":
        raise Refused("not a bundle of Mynah's firmware")
    while left:
        length = (await read(1))[0]
        name = check_name(bytes(await read(length)))
        n = int.from_bytes(bytes(await read(4)), "little")
        with open(folder + "/" + name, "wb") as file:
            while n:
                n -= file.write(await read(min(n, _CHUNK)))


def address(url, hub):
    """Return the whole address of an update; one that begins with `/` is at the hub, whose address is `hub`."""
    if not url.startswith("/"):
        return url
    scheme, host, port, _ = split_url(hub)
    return "%s://%s:%d%s" % ("https" if scheme == "wss" else "http", host, port, url)


async def _get(url, token, size, ca):
    reader, writer, host, path = await open_stream(url, ca)
    # Line by line, as memory in larger pieces may not be there.
    for line in ("GET " + path + " HTTP/1.0", "Host: " + host, token and "Authorization: Bearer " + token, ""):
        if line is not None:
            await asyncio.wait_for(flush(writer, line + "\r\n"), 10)
    status = await asyncio.wait_for(reader.readline(), 10)
    while (line := await asyncio.wait_for(reader.readline(), 10)).strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and int(value) != size:
            raise Refused("the file has " + value.strip().decode() + " bytes")
    if b" 200" not in status:
        raise OSError("the server says " + status.decode().strip())
    return reader, writer


async def install(settings, hub, slots, running, root, update):
    """Fetch, check and activate an update: its address, version, size and signature; `running` is the present version.

    `hub` is its address, the token and the certificate for it; `root` is where the folders a and b are. Refused,
    OSError or MemoryError where not; then all is as before.
    """
    url, version, size, mac = update
    key = settings.blob("key")
    if not key:
        raise Refused("this speaker has no key for updates")
    if number(version) < number(running):
        raise Refused("it is older than " + running)
    if not 6 < size <= _LARGEST:
        raise Refused("a size of " + str(size) + " bytes")
    hmac = Hmac(key)
    hmac.update((settings.text("id") + "\n" + version + "\n").encode())
    folder = root + slots.spare
    empty(folder)
    try:
        await _load(hub, url, size, hmac, folder)
        if not same(hmac.digest(), mac):
            raise Refused("the signature is wrong")
    except BaseException:
        empty(folder)
        raise
    slots.activate()


async def _load(hub, url, size, hmac, folder):
    hub, token, ca = hub
    url = address(url, hub)
    # The token is for the hub alone, wherever the command may point.
    at_hub = split_url(url)[1] == split_url(hub)[1]
    reader, writer = await _get(url, token if at_hub else None, size, ca)
    try:
        await unpack(reader, size, hmac, folder)
    finally:
        await shut(writer)
