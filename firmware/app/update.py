"""Updates over the air: a signed bundle goes to the spare folder, and starts only if its signature is right.

The format is in docs/mqtt.md, *Updates*.
"""

import asyncio
import os

from micropython import const
from net import fill, open_stream, shut, split_url
from signature import Hmac, same

MAGIC = b"MYNAH1"
_LARGEST = const(524288)
_CHUNK = const(512)


class Refused(ValueError):
    """The update must not be installed."""


def number(version):
    """Return a version as a tuple that compares, `1.2.3` as (1, 2, 3)."""
    parts = version.split(".")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise Refused("version must be like 1.2.3")
    return tuple(int(part) for part in parts)


def check_name(name):
    """Return a module's file name. Refused unless it is one."""
    stem, _, ending = name.partition(".")
    if (
        ending not in ("py", "mpy")
        or not stem
        or len(stem) > 28
        or not all(c.isalpha() or c.isdigit() or c == "_" for c in stem)
    ):
        raise Refused("a file named " + repr(name))
    return name


def empty(folder):
    """Make the folder, or remove what is in it."""
    try:
        os.mkdir(folder)
    except OSError:
        for name in os.listdir(folder):
            os.remove(folder + "/" + name)


class Bundle:
    """Unpacks a bundle into a folder as it is read, and signs it meanwhile."""

    def __init__(self, reader, size, hmac, folder):
        self._reader = reader
        self._left = size
        self._hmac = hmac
        self._folder = folder
        self._chunk = memoryview(bytearray(_CHUNK))

    async def _read(self, n):
        if n > self._left:
            raise Refused("the file is cut")
        view = self._chunk[:n]
        await asyncio.wait_for(fill(self._reader, view), 20)
        self._hmac.update(view)
        self._left -= n
        return view

    async def unpack(self):
        """Read all of it; nothing that it brings has been run."""
        if await self._read(6) != MAGIC:
            raise Refused("not a bundle of Mynah's firmware")
        while self._left:
            length = (await self._read(1))[0]
            name = check_name(str(bytes(await self._read(length)), "ascii"))
            size = int.from_bytes(bytes(await self._read(4)), "little")
            with open(self._folder + "/" + name, "wb") as file:
                while size:
                    size -= file.write(await self._read(min(size, _CHUNK)))


async def _get(url, token, size, ca):
    reader, writer, host, path = await open_stream(url, ca)
    lines = ["GET " + path + " HTTP/1.0", "Host: " + host]
    if token:
        lines.append("Authorization: Bearer " + token)
    writer.write("\r\n".join(lines) + "\r\n\r\n")
    await writer.drain()
    status = await asyncio.wait_for(reader.readline(), 10)
    while (line := await asyncio.wait_for(reader.readline(), 10)).strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and int(value) != size:
            raise Refused("the file has " + value.strip().decode() + " bytes")
    if b" 200" not in status:
        raise OSError("the server says " + status.decode().strip())
    return reader, writer


class Update:
    """Installs updates for one speaker. `root` is where the folders a and b are."""

    def __init__(self, settings, slots, version, root="/"):
        self._settings = settings
        self._slots = slots
        self._version = version
        self._root = root

    async def install(self, url, version, size, mac):
        """Fetch, check and activate. Refused or OSError where not; then all is as before."""
        key = self._settings.blob("key")
        if not key:
            raise Refused("this speaker has no key for updates")
        if number(version) < number(self._version):
            raise Refused("it is older than " + self._version)
        if not 6 < size <= _LARGEST:
            raise Refused("a size of " + str(size) + " bytes")
        hmac = Hmac(key)
        hmac.update((self._settings.text("id") + "\n" + version + "\n").encode())
        folder = self._root + self._slots.spare
        empty(folder)
        try:
            await self._load(url, size, hmac, folder)
            if not same(hmac.digest(), mac):
                raise Refused("the signature is wrong")
        except (OSError, ValueError, asyncio.TimeoutError):
            empty(folder)
            raise
        self._slots.activate()

    async def _load(self, url, size, hmac, folder):
        # The token is for the hub alone, wherever the command may point.
        at_hub = split_url(url)[1] == split_url(self._settings.text("hub"))[1]
        token = self._settings.text("token") if at_hub else None
        reader, writer = await _get(url, token, size, self._settings.blob("ca"))
        try:
            await Bundle(reader, size, hmac, folder).unpack()
        finally:
            await shut(writer)
