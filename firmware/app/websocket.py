"""A WebSocket client (RFC 6455) that reads into the caller's memory and never holds a frame."""

import asyncio
import os
from binascii import b2a_base64
from hashlib import sha1

import micropython
from micropython import const
from net import fill, flush, open_stream, shut, some

TEXT = const(1)
BINARY = const(2)
_CLOSE = const(8)
_PING = const(9)
_PONG = const(10)
HEAD = const(8)  # room for a header of a masked frame below 64 KiB


class Closed(OSError):
    """The hub closed the connection; `code` is the WebSocket's."""

    def __init__(self, code):
        super().__init__(104)
        self.code = code


@micropython.viper
def mask(data: ptr8, start: int, n: int, key: ptr8):
    """Mask (section 5.3) `n` bytes of `data` from `start` on with the four of `key`, in place."""
    for i in range(n):
        data[start + i] = data[start + i] ^ key[i & 3]


def frame(buffer, n, opcode, key):
    """Make a masked frame in place: the payload is `n` bytes from HEAD on; return where the frame starts."""
    start = 2 if n < 126 else 0
    buffer[start] = 0x80 | opcode
    if n < 126:
        buffer[start + 1] = 0x80 | n
    else:
        buffer[1] = 0x80 | 126
        buffer[2] = n >> 8
        buffer[3] = n & 255
    buffer[4:8] = key
    mask(buffer, HEAD, n, key)
    return start


class WebSocket:
    """One connection. One task may read, any may send."""

    def __init__(self):
        self._reader = self._writer = None
        self._lock = asyncio.Lock()
        self._head = bytearray(8)
        self._control = bytearray(HEAD + 125)
        self._left = 0
        self._final = True
        self._opcode = 0

    async def connect(self, url, token=None, ca=None):
        """Open the connection. OSError or ValueError where that fails."""
        self._reader, self._writer, host, path = await open_stream(url, ca)
        self._left = 0
        self._final = True
        await asyncio.wait_for(self._upgrade(host, path, token), 10)

    async def _upgrade(self, host, path, token):
        nonce = b2a_base64(os.urandom(16)).strip()
        lines = ["GET " + path + " HTTP/1.1", "Host: " + host, "Upgrade: websocket", "Connection: Upgrade"]
        lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + nonce.decode()]
        if token:
            lines.append("Authorization: Bearer " + token)
        self._writer.write("\r\n".join(lines) + "\r\n\r\n")
        await self._writer.drain()
        status = await self._reader.readline()
        accept = None
        while (line := await self._reader.readline()).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"sec-websocket-accept":
                accept = value.strip()
        if (
            b" 101 " not in status
            or accept != b2a_base64(sha1(nonce + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).strip()
        ):
            raise OSError("the hub does not speak WebSocket there: " + status.decode().strip())

    @property
    def open(self):
        """Whether there is a connection."""
        return self._writer is not None

    async def close(self):
        """Let go of the connection, without a word where it is broken."""
        writer, self._writer = self._writer, None
        self._reader = None
        if writer is not None:
            await shut(writer)

    # ------------------------------------------------------------ sending

    async def send(self, buffer, n, opcode=BINARY):
        """Send `n` bytes that lie in `buffer` from HEAD on; they are masked where they lie."""
        async with self._lock:
            if self._writer is None:
                raise OSError(107)  # ENOTCONN
            start = frame(buffer, n, opcode, os.urandom(4))
            await flush(self._writer, memoryview(buffer)[start : HEAD + n])

    async def send_text(self, text):
        """Send a text."""
        data = text.encode()
        buffer = bytearray(HEAD + len(data))
        buffer[HEAD:] = data
        await self.send(buffer, len(data), TEXT)

    # ------------------------------------------------------------ receiving

    @property
    def left(self):
        """How many bytes of the frame have not been read yet."""
        return self._left

    async def next(self):
        """Wait for the next frame of text or audio; return its kind and whether it begins a message."""
        await self.skip()
        while True:
            head = self._head
            view = memoryview(head)
            await fill(self._reader, view[:2])
            kind = head[0]
            opcode = kind & 15
            n = await self._length(head[1] & 127, view)
            if opcode >= _CLOSE:
                await self._answer(opcode, n)
                continue
            first = opcode != 0
            if first:
                self._opcode = opcode
            self._left = n
            self._final = kind & 0x80 != 0
            return self._opcode, first

    @property
    def final(self):
        """Whether the frame is its message's last."""
        return self._final

    async def _length(self, n, view):
        if n < 126:
            return n
        size = 2 if n == 126 else 8
        await fill(self._reader, view[:size])
        head = self._head if size == 8 else self._head[:2]
        return int.from_bytes(head, "big")

    async def read(self, view):
        """Read some of the frame into `view`; return how much, 0 at the frame's end."""
        if not self._left:
            return 0
        n = await some(self._reader, view if len(view) <= self._left else view[: self._left])
        self._left -= n
        return n

    async def skip(self):
        """Pass over the rest of the frame."""
        while self._left:
            await self.read(memoryview(self._control)[HEAD:])

    async def _answer(self, opcode, n):
        if n > 125:
            raise OSError(71)  # EPROTO
        view = memoryview(self._control)[HEAD : HEAD + n]
        await fill(self._reader, view)
        if opcode == _CLOSE:
            code = int.from_bytes(view[:2], "big") if n >= 2 else 1005
            raise Closed(code)
        if opcode == _PING:
            await self.send(self._control, n, _PONG)
