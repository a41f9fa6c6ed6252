"""Both directions of one client's connection to the embedded broker, each within bounds."""

from __future__ import annotations

import asyncio
import logging
import secrets
import ssl
from collections.abc import Callable
from typing import Final

from amqtt.adapters import ReaderAdapter, WriterAdapter

from mynah_mqtt.packets import CONNECT, DISCONNECT, PUBLISH, TAKEN, Malformed, check_publish, whole_packet

log = logging.getLogger(__name__)

LARGEST: Final = 64 * 1024
"""The largest packet that is taken in, in bytes."""

LARGEST_SKIPPED: Final = 64 * 1024 * 1024
"""The largest that is read into the void; with a larger one the connection ends."""

FIRST: Final = 4096
CLIENT_ID_AT: Final = 10
"""Where in a CONNECT packet's body the client id begins (section 3.1.3)."""

BODY_S: Final = 30.0
WAITING: Final = 512 * 1024
"""Bytes that may wait for a client that is slow to take them."""

CLOSE_S: Final = 2.0
BUSY_POLL_S: Final = 0.01


class Outbound(WriterAdapter):
    """What goes to a client. Nobody ever waits for one that does not read: it is cut off."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        peer = writer.get_extra_info("peername") or ("unknown", 0)
        self._peer = (str(peer[0]), int(peer[1]))

    @property
    def closing(self) -> bool:
        """Whether what is written goes nowhere."""
        return self._writer.is_closing()

    def write(self, data: bytes) -> None:
        """Send, or cut off a client for whom too much waits already."""
        if self.closing:
            return
        if self._writer.transport.get_write_buffer_size() > WAITING:
            log.warning("%s does not read what it is sent, and was cut off", self._peer[0])
            self.abort()
            return
        self._writer.write(data)

    async def drain(self) -> None:
        """Nothing: what waits is bounded by `write`."""

    def get_peer_info(self) -> tuple[str, int]:
        """Return the client's address and port."""
        return self._peer

    def get_ssl_info(self) -> ssl.SSLObject | None:
        """Return the TLS object, where there is one."""
        found: ssl.SSLObject | None = self._writer.get_extra_info("ssl_object")
        return found

    async def close(self) -> None:
        """Close when everything was sent, or soon."""
        if not self._writer.is_closing():
            self._writer.close()
            asyncio.get_running_loop().call_later(CLOSE_S, self.abort)

    def abort(self) -> None:
        """Cut the connection."""
        self._writer.transport.abort()


class Inbound(ReaderAdapter):
    """What comes from a client, packet by packet: checked for size and form before the broker sees any of it.

    `too_large(topic, size)` is told of a publication that was read into the void; `busy()` says when to read no more
    for now. Gives an end of file for what is not taken, after a goodbye, and for a client that was silent for too long;
    `ended` is set then.
    """

    def __init__(self, reader: asyncio.StreamReader, outbound: Outbound) -> None:
        self.too_large: Callable[[str, int], None] = lambda topic, size: None
        self.busy: Callable[[], bool] = lambda: False
        self.silence_s: float | None = None
        self.name = outbound.get_peer_info()[0]
        self._reader = reader
        self._outbound = outbound
        self._buffer = bytearray()
        self._hello_length = 0
        self._over = False
        self.ended = asyncio.Event()

    async def hello(self) -> bytearray:
        """Return the body of the first packet, a CONNECT; `read` gives it once more. Raises `Malformed`, `EOFError`."""
        kind, flags, length = await self._header()
        if kind != CONNECT or length > FIRST:
            raise Malformed("it does not speak MQTT 3.1.1")
        body = bytearray(await self._reader.readexactly(length))
        self._hello_length = length
        self._buffer = whole_packet(kind, flags, body)
        return body

    def name_client(self) -> str:
        """Give a client that has no id one, in its hello that is still to be read; return it."""
        id = f"client-{secrets.token_hex(8)}"
        body = self._buffer[-self._hello_length :]
        named = body[:CLIENT_ID_AT] + len(id).to_bytes(2, "big") + id.encode() + body[CLIENT_ID_AT + 2 :]
        self._buffer = whole_packet(CONNECT, 0, named)
        return id

    async def read(self, n: int = -1) -> bytes:
        """Return the next `n` bytes, fewer at the end."""
        if not self._buffer and not await self._fill():
            self.ended.set()
            return b""
        data = bytes(self._buffer[:n] if n >= 0 else self._buffer)
        del self._buffer[: len(data)]
        return data

    async def _fill(self) -> bool:
        """Read the next packet; return whether there was one."""
        try:
            self._buffer = await self._packet()
        except Malformed as error:
            log.warning("%s was cut off: %s", self.name, error)
        except TimeoutError:
            log.info("%s was silent for too long", self.name)
        except (EOFError, OSError):
            pass
        else:
            return True
        return False

    def feed_eof(self) -> None:
        """End it."""
        self._reader.feed_eof()

    async def _packet(self) -> bytearray:
        if self._over:
            raise EOFError  # whatever comes after a goodbye (section 3.14.4)
        while True:
            while self.busy():  # noqa: ASYNC110  # a queue of the library, which has no signal
                await asyncio.sleep(BUSY_POLL_S)
            async with asyncio.timeout(self.silence_s):
                kind, flags, length = await self._header()
            if kind not in TAKEN:
                raise Malformed(f"packet {kind} is not taken")
            async with asyncio.timeout(BODY_S):
                if length > LARGEST:
                    await self._skip(kind, flags, length)
                    continue
                body = await self._reader.readexactly(length)
            if kind == PUBLISH:
                check_publish(flags, body)
            self._over = kind == DISCONNECT
            return whole_packet(kind, flags, body)

    async def _header(self) -> tuple[int, int, int]:
        first = (await self._reader.readexactly(1))[0]
        length = 0
        for shift in (0, 7, 14, 21):
            byte = (await self._reader.readexactly(1))[0]
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                return first >> 4, first & 15, length
        raise Malformed("a packet's length is wrong")

    async def _skip(self, kind: int, flags: int, length: int) -> None:
        """Read a publication that is too large into the void, acknowledge it and tell of it."""
        if kind != PUBLISH or length > LARGEST_SKIPPED:
            raise Malformed(f"a packet of {length} bytes is not taken")
        beginning = await self._reader.readexactly(LARGEST)
        topic, number = check_publish(flags, beginning)
        left = length - len(beginning)
        while left:
            data = await self._reader.read(min(left, LARGEST))
            if not data:
                raise EOFError
            left -= len(data)
        if number:
            self._outbound.write(b"\x40\x02" + number)
        log.warning("%s sent %d bytes to %s: too large, thrown away", self.name, length, ascii(topic[:200]))
        self.too_large(topic, length)
