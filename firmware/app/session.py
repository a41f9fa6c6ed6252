"""The session with the hub over the native protocol (docs/protocol.md)."""

import asyncio
import json
import time

from micropython import const
from net import Backoff
from websocket import BINARY, TEXT, Closed, WebSocket

_MESSAGE = const(1024)  # more of a message is not read
_REPORT_MS = const(200)
_CLOCK_S = const(60)
_SILENT_MS = const(60000)


def kind(data):
    """Return a message's type by its beginning, or None where it stands elsewhere."""
    parts = bytes(data[:48]).split(b'"')
    return str(parts[3], "utf-8") if len(parts) > 4 and parts[1] == b"type" else None


def field(data, name):
    """Return a plain field of a message that is cut: a text or a number, else None."""
    data = bytes(data)
    at = data.find(b'"' + name.encode() + b'":')
    if at < 0:
        return None
    rest = data[at + len(name) + 3 :].lstrip()
    if rest[:1] == b'"':
        return str(rest[1:].partition(b'"')[0], "utf-8")
    end = 0
    while end < len(rest) and rest[end] in b"-0123456789.":
        end += 1
    return float(rest[:end]) if end else None


def read(data, whole):
    """Return a message as an object, or None where it does not matter; of a cut one what its beginning tells."""
    name = kind(data)
    if name not in (
        None,
        "welcome",
        "speech_started",
        "speech_ended",
        "phrase_failed",
        "interrupted",
        "stage",
        "turn_finished",
        "turn_failed",
        "turn_dropped",
        "clock",
        "error",
    ):
        return None
    if whole:
        return json.loads(data)
    found = {"type": name, "turn": field(data, "turn"), "at_ms": field(data, "at_ms")}
    codec = field(data, "codec")
    if codec:
        found["format"] = {"codec": codec}
    return found


def ring_ms(size, codecs):
    """Return how much sound the ring holds at least, whichever of the codecs it comes in."""
    if codecs[0] == "ima_adpcm":
        return size * 505 // (256 * 16)
    return size // 32 if codecs[0] == "pcm_s16le" else size // 16  # MP3 of 128 kbit/s


class Session:
    """Keeps a session, and brings its audio to the player."""

    def __init__(self, settings, player, ring_bytes, codecs):
        self.connected = False
        self.thinking = False
        self.id = None
        self.mode = None  # of the microphone, to be told after each connection
        self.on_change = None
        self.seen_at = time.ticks_ms()
        # Read once: a certificate takes a kilobyte in one piece, which is not there in mid-speech.
        self.where = (settings.text("hub"), settings.text("token"), settings.blob("ca"))
        self._player = player
        self._socket = WebSocket()
        self._name = settings.text("id")
        self._codecs = codecs
        # What the ring and the loudspeaker hold, less the piece that is on its way.
        self.buffer_ms = ring_ms(ring_bytes, codecs) + 256 - 120
        self._buffer = bytearray(_MESSAGE)
        self._view = memoryview(self._buffer)
        self._length = 0
        self._place = None
        self._task = None
        self._stale = True
        self._resting = False
        self._heard_at = 0
        self._offset = None
        self._best = None

    async def run(self, log):
        """Keep connected until cancelled."""
        wait = Backoff(0.5, 20)
        self._task = asyncio.current_task()
        while True:
            while self._resting:
                await self._pause(1)
            self._stale = False
            try:
                await self._connect()
                await self._live(wait)
            except asyncio.CancelledError:
                if not self._stale:
                    raise
                log("hub: let go" if self._resting else "hub: nothing comes any more")
            except Closed as closed:
                if closed.code in (4401, 4403, 4409, 1001):  # it cannot go on
                    self.id = None
                log("hub: closed with " + str(closed.code))
            except (OSError, ValueError, MemoryError, asyncio.TimeoutError) as error:
                log("hub: " + (str(error) or "no answer"))
            finally:
                self._stale = True  # there is nothing left to give up
                await self._leave()
            await self._pause(wait.seconds())

    async def rest(self, on):
        """Let go of the hub, and of the memory that it takes, until told otherwise; then go on where it was."""
        self._resting = on
        if on:
            self._give_up()
            while self._socket.open:
                await asyncio.sleep_ms(20)
            self._place = self._player.lost() or self._place

    async def _pause(self, seconds):
        while seconds > 0:
            self.seen_at = time.ticks_ms()
            await asyncio.sleep(min(seconds, 1))
            seconds -= 1

    async def _connect(self):
        await self._socket.connect(*self.where)
        hello = {
            "type": "hello",
            "version": 1,
            "plays": [{"codec": codec, "rate": 16000, "channels": 1} for codec in self._codecs],
            "buffer_ms": self.buffer_ms,
        }
        if self._name:
            hello["speaker"] = self._name
        if self.id:
            place = self._player.lost() or self._place
            hello["resume"] = {"session": self.id}
            if place:
                hello["resume"].update(turn=place[0], played_ms=round(place[1], 4))
        await self._socket.send_text(json.dumps(hello))

    async def _live(self, wait):
        self._heard_at = time.ticks_ms()
        tasks = [asyncio.create_task(self._report()), asyncio.create_task(self._ask_clock())]
        try:
            while True:
                opcode, first = await self._socket.next()
                self._heard_at = time.ticks_ms()
                if opcode == BINARY:
                    await self._take_audio(first)
                elif opcode == TEXT and await self._take_text(first) == "welcome":
                    wait.reset()
        finally:
            for task in tasks:
                task.cancel()

    async def _leave(self):
        self.connected = self.thinking = False
        await self._socket.close()
        self._changed()

    def _changed(self):
        if self.on_change:
            self.on_change()

    # ------------------------------------------------------------ from the hub

    async def _take_audio(self, first):
        if first:
            await self._socket.read(self._view[:1])  # the stream's number: phrases come one after the other
        await self._player.take(self._socket)

    async def _take_text(self, first):
        if first:
            self._length = 0
        while self._socket.left and self._length < _MESSAGE:
            self._length += await self._socket.read(self._view[self._length :])
        whole = not self._socket.left
        await self._socket.skip()
        if not self._socket.final:
            return None
        message = read(self._view[: self._length], whole)
        if message is not None:
            await self._follow(message)
            return message["type"]
        return None

    async def _follow(self, message):
        name = message["type"]
        turn = message.get("turn")
        if name == "speech_started":
            if not message.get("track"):
                await self._begin(message, turn)
        elif name == "speech_ended" or name == "phrase_failed":
            self._player.end(turn)
        elif name == "interrupted":
            self._player.drop(turn)
        elif name == "stage":
            self.thinking = message.get("stage") in ("transcribing", "thinking")
            self._changed()
        elif name == "clock":
            self._take_clock(message)
        elif name == "welcome":
            await self._welcome(message)
        elif name.startswith("turn_"):
            self.thinking = False
            self._changed()

    async def _begin(self, message, turn):
        start = message.get("start_at")
        if start is not None and self._offset is not None:
            now = time.ticks_ms()
            start = time.ticks_add(now, max(0, min(60000, int(start) - self._offset - now)))
        else:
            start = None
        await self._player.begin(turn, message.get("at_ms") or 0, message["format"]["codec"], start)

    async def _welcome(self, message):
        self.id = message["session"]
        if not message.get("resumed"):
            self._place = None
        self.connected = True
        if self.mode:
            await self.say("listen", mode=self.mode)
        self._changed()

    # ------------------------------------------------------------ to the hub

    async def say(self, name, **fields):
        """Send a message; without a connection nothing happens."""
        if self.connected:
            fields["type"] = name
            try:
                await asyncio.wait_for(self._socket.send_text(json.dumps(fields)), 10)
            except (OSError, MemoryError, asyncio.TimeoutError):
                self._give_up()

    def _give_up(self):
        """End the connection from another task than the one that reads."""
        if not self._stale:
            self._stale = True
            self._task.cancel()

    async def send_audio(self, frame, n):
        """Send audio of the microphone; see WebSocket.send."""
        if self.connected:
            try:
                await asyncio.wait_for(self._socket.send(frame, n), 10)
            except (OSError, asyncio.TimeoutError):
                self._give_up()

    async def _report(self):
        before = None
        while True:
            await asyncio.sleep_ms(_REPORT_MS)
            self.seen_at = time.ticks_ms()
            if time.ticks_diff(self.seen_at, self._heard_at) > _SILENT_MS:
                self._give_up()
            played = self._player.played()
            if played and played != before:
                before = self._place = played
                await self.say("played", turn=played[0], ms=round(played[1], 1))

    # ------------------------------------------------------------ the hub's clock

    async def _ask_clock(self):
        while True:
            self._best = None
            for _ in range(5):
                await asyncio.sleep_ms(300)
                await self.say("clock", client_ms=time.ticks_ms())
            for _ in range(3):
                await asyncio.sleep(_CLOCK_S // 3)
                await self.say("ping")

    def _take_clock(self, message):
        now = time.ticks_ms()
        asked = int(message["client_ms"])
        trip = now - asked - (message["sent_ms"] - message["received_ms"])
        if self._best is None or trip < self._best:
            self._best = trip
            self._offset = (message["received_ms"] - asked + message["sent_ms"] - now) // 2
