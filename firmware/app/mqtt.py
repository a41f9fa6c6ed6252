"""An MQTT 3.1.1 client: QoS 0 and 1, last will, keep-alive, and a connection that comes back by itself.

Publications of QoS 1 that were not acknowledged are sent again on the next connection.
"""

import asyncio
import time

import packets
from net import Backoff, fill, flush, open_stream, shut, some

WAITING = 8  # publications of QoS 1 that are kept to be sent again
LARGEST = 1152  # a command of 1,024 bytes and its topic


class Refused(OSError):
    """The broker does not want this speaker."""


class Mqtt:
    """A client for one broker. `run` connects and reads; the others may be called at any time.

    `on_message(topic, payload, retained)` and `on_connect()` are coroutine functions. The payload is a view that lives
    until the function returns, or None where it was too large to be read.
    """

    def __init__(self, url, client, password=None, will=None, keepalive=30, ca=None):
        self.connected = False
        self.on_message = self.on_connect = None
        self._url = url
        self._hello = packets.connect(client, client if password else None, password, keepalive, will)
        self._keepalive = keepalive
        self._ca = ca
        self._topics = []
        self._reader = self._writer = None
        self._lock = asyncio.Lock()
        self._unsent = []  # packet numbers and packets
        self._number = 0
        self._heard = 0
        self._buffer = bytearray(LARGEST)
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
            except (OSError, ValueError, asyncio.TimeoutError) as error:
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
                await self._quietly(packets.publish(topic, payload, 0, retain))
            return
        if len(self._unsent) >= WAITING:
            self._unsent.pop(0)
        number = self._next_number()
        packet = packets.publish(topic, payload, 1, retain, number)
        self._unsent.append((number, packet))
        if self.connected:
            await self._quietly(packet)

    # ------------------------------------------------------------ the connection

    async def _connect(self):
        self._reader, self._writer, _, _ = await open_stream(self._url, self._ca)
        await self._send(self._hello)
        kind, n = await asyncio.wait_for(self._head(), 10)
        if kind >> 4 != packets.CONNACK or n != 2:
            raise OSError("no MQTT broker there")
        await asyncio.wait_for(fill(self._reader, self._view[:2]), 10)
        if self._buffer[1]:
            raise Refused(packets.REFUSALS[min(self._buffer[1], 5)])
        self._heard = time.ticks_ms()
        if self._topics:
            await self._send(packets.subscribe(self._next_number(), self._topics))
        for _, packet in list(self._unsent):
            await self._send(packets.again(packet))

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
            await asyncio.sleep(self._keepalive / 3)
            if time.ticks_diff(time.ticks_ms(), self._heard) > self._keepalive * 1500:
                await shut(self._writer)  # ends the reading too
                return
            await self._quietly(packets.PING)

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
            if all(number != self._number for number, _ in self._unsent):
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
        kept = min(n, LARGEST)
        await fill(self._reader, self._view[:kept])
        body = self._view[:kept]
        self._heard = time.ticks_ms()
        if kind >> 4 == packets.PUBLISH:
            topic, at, number = packets.published(kind, body)
            await self._pass_over(n - kept)
            if number:
                await self._send(packets.puback(number))
            if self.on_message:
                await self.on_message(topic, body[at:] if kept == n else None, kind & 1)
            return
        await self._pass_over(n - kept)
        if kind >> 4 == packets.PUBACK:
            done = self._buffer[0] << 8 | self._buffer[1]
            self._unsent = [entry for entry in self._unsent if entry[0] != done]
        elif kind >> 4 == packets.SUBACK and 0x80 in bytes(body[2:]):
            raise Refused("the broker does not let this speaker read its commands")

    async def _pass_over(self, n):
        scratch = memoryview(bytearray(256)) if n else None
        while n:
            n -= await some(self._reader, scratch[: min(n, 256)])
            self._heard = time.ticks_ms()
