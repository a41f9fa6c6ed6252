"""An MQTT 3.1.1 client: QoS 0 and 1, last will, keep-alive, and a connection that comes back by itself.

Publications of QoS 1 that were not acknowledged are sent again on the next connection. Sections are those of the OASIS
standard.
"""

import asyncio
import time

from micropython import const
from net import Backoff, fill, flush, open_stream, shut, some

_CONNACK = const(2)
_PUBLISH = const(3)
_PUBACK = const(4)
_SUBACK = const(9)

# By the codes of CONNACK, from 1 (3.2.2.3).
_REFUSALS = """the broker does not speak MQTT 3.1.1
the broker refuses this client id
the broker is not available
wrong user name or password
not allowed to connect"""

_WAITING = const(8)  # publications of QoS 1 that are kept to be sent again
_KEEPALIVE_S = const(30)
_LARGEST = const(1152)  # a command of 1,024 bytes and its topic


def text(value):
    """Encode a text or bytes with its length in front (1.5.3)."""
    data = value.encode() if isinstance(value, str) else value
    if len(data) > 65535:
        raise ValueError("too long for MQTT")
    return bytes((len(data) >> 8, len(data) & 255)) + data


def packet(kind, *parts):
    """Put the fixed header in front (2.2); `kind` is the type and its flags."""
    head = bytearray((kind,))
    n = sum(len(part) for part in parts)
    while True:
        head.append(n & 127 | (128 if n > 127 else 0))
        n >>= 7
        if not n:
            return b"".join((head,) + parts)


def connect(client, user=None, password=None, will=None):
    """CONNECT (3.1). `will`: topic and payload of the last will, retained and QoS 1."""
    flags = 0
    rest = text(client)
    if will:
        flags |= 0x2C
        rest += text(will[0]) + text(will[1])
    if user is not None:
        flags |= 0x80
        rest += text(user)
        if password is not None:
            flags |= 0x40
            rest += text(password)
    return packet(0x10, text("MQTT") + bytes((4, flags, 0, _KEEPALIVE_S)) + rest)


def publish(topic, payload, qos=0, retain=False, number=0):
    """PUBLISH (3.3); `number` is the packet's, from 1, where the quality of service is 1."""
    data = payload.encode() if isinstance(payload, str) else payload
    mark = bytes((number >> 8, number & 255)) if qos else b""
    return packet(0x30 | qos << 1 | (1 if retain else 0), text(topic), mark, data)


def again(sent):
    """Return a PUBLISH marked as repeated (3.3.1.1)."""
    return bytes((sent[0] | 8,)) + sent[1:]


def puback(number):
    """PUBACK (3.4)."""
    return bytes((0x40, 2, number >> 8, number & 255))


def subscribe(number, topics):
    """SUBSCRIBE (3.8), each with quality of service 1."""
    return packet(0x82, bytes((number >> 8, number & 255)) + b"".join(text(topic) + b"\x01" for topic in topics))


def published(flags, body):
    """Take a received PUBLISH apart: topic, where its payload starts, its number (0 for QoS 0)."""
    n = body[0] << 8 | body[1]
    at = 2 + n
    topic = str(bytes(body[2:at]), "utf-8")
    if not flags & 6:
        return topic, at, 0
    return topic, at + 2, body[at] << 8 | body[at + 1]


class Refused(OSError):
    """The broker does not want this speaker."""


class Mqtt:
    """A client for one broker. `run` connects and reads; the others may be called at any time.

    `on_message(topic, payload, retained)` and `on_connect()` are coroutine functions. The payload is a view that lives
    until the function returns, or None where it was too large to be read.
    """

    def __init__(self, url, client, password=None, will=None, ca=None):
        self.connected = False
        self.on_message = self.on_connect = None
        self._url = url
        self._hello = connect(client, client if password else None, password, will)
        self._ca = ca
        self._topics = []
        self._reader = self._writer = None
        self._lock = asyncio.Lock()
        self._unsent = []  # packet numbers, packets, and the topics of those that are retained
        self._number = 0
        self._heard = 0
        self._buffer = bytearray(_LARGEST)
        self._view = memoryview(self._buffer)

    def follow(self, *topics):
        """Subscribe to these topics on each connection."""
        self._topics += topics

    async def run(self, log):
        """Keep connected until cancelled; `log(text)` is told why a connection ended."""
        wait = Backoff()
        while True:
            try:
                await self._connect()
                wait.reset()
                await self._live()
            except (OSError, ValueError, MemoryError, asyncio.TimeoutError) as error:
                log("mqtt: " + (str(error) or "no answer"))
            finally:
                await self._drop()
            await asyncio.sleep(wait.seconds())

    async def publish(self, topic, payload, qos=0, retain=False):
        """Publish. With QoS 1 it will arrive, if later; with QoS 0 it is dropped where there is no connection.

        It never waits for an acknowledgement: of more than eight that are missing, the oldest is not sent again.
        """
        if not qos:
            if self.connected:
                await self._quietly(publish(topic, payload, 0, retain))
            return
        # What is retained takes the place of what was to be retained before.
        kept = topic if retain else None
        self._unsent = [entry for entry in self._unsent if not retain or entry[2] != kept][1 - _WAITING :]
        number = self._next_number()
        packet = publish(topic, payload, 1, retain, number)
        self._unsent.append((number, packet, kept))
        if self.connected:
            await self._quietly(packet)

    # ------------------------------------------------------------ the connection

    async def _connect(self):
        self._reader, self._writer, _, _ = await open_stream(self._url, self._ca)
        await self._send(self._hello)
        kind, n = await asyncio.wait_for(self._head(), 10)
        if kind >> 4 != _CONNACK or n != 2:
            raise OSError("no MQTT broker there")
        await asyncio.wait_for(fill(self._reader, self._view[:2]), 10)
        if self._buffer[1]:
            raise Refused(_REFUSALS.split("\n")[min(self._buffer[1], 5) - 1])
        self._heard = time.ticks_ms()
        if self._topics:
            await self._send(subscribe(self._next_number(), self._topics))
        for _, packet, _ in list(self._unsent):
            await self._send(again(packet))

    async def _live(self):
        self.connected = True
        pings = asyncio.create_task(self._ping())
        # A task of its own: what it publishes is acknowledged by what is read here.
        greeting = asyncio.create_task(self.on_connect()) if self.on_connect else None
        try:
            while True:
                await self._receive()
        finally:
            pings.cancel()
            if greeting:
                greeting.cancel()

    async def _drop(self):
        self.connected = False
        writer, self._writer = self._writer, None
        if writer is not None:
            await shut(writer)

    async def _ping(self):
        while True:
            await asyncio.sleep(_KEEPALIVE_S / 3)
            if time.ticks_diff(time.ticks_ms(), self._heard) > _KEEPALIVE_S * 1500:
                await shut(self._writer)  # ends the reading too
                return
            await self._quietly(b"\xc0\x00")  # PINGREQ (3.12)

    async def _send(self, packet):
        async with self._lock:
            if self._writer is None:
                raise OSError(107)  # ENOTCONN
            await asyncio.wait_for(flush(self._writer, packet), 10)

    async def _quietly(self, packet):
        """Send; where that fails the reading side notices and connects again."""
        try:
            await self._send(packet)
        except (OSError, asyncio.TimeoutError):
            if self._writer is not None:
                await shut(self._writer)

    def _next_number(self):
        while True:
            self._number = self._number % 65535 + 1
            if all(entry[0] != self._number for entry in self._unsent):
                return self._number

    # ------------------------------------------------------------ receiving

    async def _head(self):
        view = self._view
        await fill(self._reader, view[:1])
        kind = self._buffer[0]
        n = shift = 0
        while True:
            await fill(self._reader, view[:1])
            n |= (self._buffer[0] & 127) << shift
            if not self._buffer[0] & 128:
                return kind, n
            shift += 7
            if shift > 21:
                raise OSError("a packet with a length that is none")

    async def _receive(self):
        kind, n = await self._head()
        kept = min(n, _LARGEST)
        await fill(self._reader, self._view[:kept])
        body = self._view[:kept]
        self._heard = time.ticks_ms()
        if kind >> 4 == _PUBLISH:
            topic, at, number = published(kind, body)
            await self._pass_over(n - kept)
            if number:
                await self._send(puback(number))
            if self.on_message:
                await self.on_message(topic, body[at:] if kept == n else None, kind & 1)
            return
        await self._pass_over(n - kept)
        if kind >> 4 == _PUBACK:
            done = self._buffer[0] << 8 | self._buffer[1]
            self._unsent = [entry for entry in self._unsent if entry[0] != done]
        elif kind >> 4 == _SUBACK and 0x80 in bytes(body[2:]):
            raise Refused("the broker does not let this speaker read its commands")

    async def _pass_over(self, n):
        scratch = memoryview(bytearray(256)) if n else None
        while n:
            n -= await some(self._reader, scratch[: min(n, 256)])
            self._heard = time.ticks_ms()
