"""The player: what comes from the hub, through the jitter buffer, to the loudspeaker.

It knows which millisecond of which turn sounds, counts the times at which the loudspeaker ran dry in mid-speech, and
makes no memory while it plays.
"""

import asyncio
import time

import adpcm
from samples import scale

MARKS = 16
REST_MS = 10


class Mark:
    """Where in the ring a stream begins, and what it is."""

    __slots__ = ("at_ms", "codec", "dropped", "ended", "joined", "place", "start", "turn")

    def __init__(self, place, turn, at_ms, codec, joined):
        self.place = place
        self.joined = joined  # whether the sound before it is of the same turn
        self.turn = turn
        self.at_ms = at_ms
        self.codec = codec
        self.start = None  # when its first sample shall sound, in ticks
        self.dropped = self.ended = False


class Player:
    """Plays one stream after the other.

    `on_underrun(turn, count, ms)` and `on_phase()` are called where they are set; `on_phase` when it begins and ends.
    """

    def __init__(self, sink, ring, prebuffer_ms=300):
        self.volume = 100
        self.mute = False
        self.playing = False
        self.underruns = 0
        self.turn = None
        self.on_underrun = self.on_phase = None
        self.busy_at = time.ticks_ms()
        self._sink = sink
        self._ring = ring
        self._prebuffer_ms = prebuffer_ms
        self._marks = []
        self._block = bytearray(adpcm.BLOCK_BYTES)
        self._block_view = memoryview(self._block)
        self._in_block = 0
        self._decoded = bytearray(adpcm.BLOCK_SAMPLES * 2)
        self._out = bytearray(sink.piece)
        self._out_view = memoryview(self._out)
        self._came = asyncio.Event()
        self._flowing = False
        self._hushed = False
        self._dry_at = None
        self._refused = None
        self._last = None

    @property
    def held_ms(self):
        """How much sound it holds, the loudspeaker's buffer included."""
        return self._ring.held // self._sink.bytes_ms("") + self._sink.held_ms

    # ------------------------------------------------------------ from the hub

    def begin(self, turn, at_ms, codec, start=None):
        """A stream begins: the audio that follows is this turn's, from `at_ms` on; `start`: not before that tick."""
        if codec not in self._sink.codecs:
            raise ValueError("cannot play " + codec)
        if not self._marks and not self._ring.held:
            self._ring.clear()
        if len(self._marks) >= MARKS:
            del self._marks[1]  # its sound counts as that of the one before
        joined = bool(self._marks) and self._marks[-1].turn == turn
        mark = Mark(self._ring.written, turn, at_ms, codec, joined)
        mark.dropped = mark.ended = turn == self._refused
        mark.start = start
        self._marks.append(mark)
        self._in_block = 0
        self._came.set()

    async def take(self, source):
        """Take the audio of a frame: `source.read(view)` until `source.left` is 0; waits where the ring is full."""
        mark = self._marks[-1] if self._marks else None
        if mark is None or mark.dropped or mark.ended:
            return await source.skip()
        if mark.codec == "ima_adpcm":
            return await self._take_blocks(source, mark)
        while source.left and not mark.dropped:
            await self._ring.room(256)
            n = await source.read(self._ring.space(source.left))
            if not mark.dropped:
                self._ring.add(n)
            self._came.set()
        await source.skip()

    async def _take_blocks(self, source, mark):
        while source.left and not mark.dropped:
            self._in_block += await source.read(self._block_view[self._in_block :])
            if self._in_block == adpcm.BLOCK_BYTES:
                await self._decode(mark)
        await source.skip()

    async def _decode(self, mark):
        n = adpcm.decode(self._block, self._in_block & ~3, self._decoded) * 2
        self._in_block = 0
        await self._ring.room(n)
        if n and not mark.dropped:
            self._ring.write(self._decoded, n)
        self._came.set()

    async def end(self, turn):
        """The stream is complete."""
        mark = self._marks[-1] if self._marks else None
        if mark is not None and mark.turn == turn:
            if self._in_block:
                await self._decode(mark)
            mark.ended = True
        self._came.set()

    def drop(self, turn=None):
        """Throw away what is held of a turn, or of all; of a turn thrown away here nothing more is taken."""
        if turn is None:
            self._refused = self.turn
        for mark in self._marks:
            if turn is None or mark.turn == turn:
                mark.dropped = mark.ended = True
        if self.playing and (turn is None or turn == self.turn):
            self._sink.hush(True)
            self._hushed = True
            self._flowing = False
            self._dry_at = None
        self._came.set()

    def lost(self):
        """The connection is gone: stop, and return which turn sounded and how far, or None."""
        place = self.played()
        if self._dry_at is not None:
            self._count()
        for mark in self._marks:
            mark.dropped = mark.ended = True
        self._flowing = False
        self._came.set()
        return place

    # ------------------------------------------------------------ to the loudspeaker

    async def run(self):
        """Play until cancelled."""
        while True:
            self.busy_at = time.ticks_ms()
            self._pass_dropped()
            if not self._marks:
                await self._rest()
            elif not self._flowing:
                await self._start()
            elif self._ring.held:
                await self._play(self._marks[0])
            else:
                await self._dry(self._marks[-1])

    def _enough(self):
        mark = self._marks[0]
        held = self._ring.held
        return mark.ended or self._ring.free < 512 or held >= self._prebuffer_ms * self._sink.bytes_ms(mark.codec)

    async def _start(self):
        if not self._enough() or (self._hushed and self._sink.held_ms):
            return await self._wait(REST_MS)
        start = self._marks[0].start
        if start is not None and (early := time.ticks_diff(start, time.ticks_ms())) > 0:
            return await asyncio.sleep_ms(min(early, REST_MS))
        if self._dry_at is not None:
            self._count()
        self._sink.open()
        self._sink.hush(False)
        self._flowing, self._hushed = True, False
        self.turn = self._marks[0].turn
        self._phase(True)
        return None

    async def _play(self, mark):
        end = self._marks[1].place if len(self._marks) > 1 else self._ring.written
        n = left = min(end - self._ring.taken, self._sink.piece)
        if mark.codec != "mp3":
            n &= ~1
        if not left:
            self._next()
        elif n:
            self._ring.read(self._out_view, n)
            if self.mute or self.volume < 100:
                self._quieten(mark.codec, n)
            await self._sink.write(self._out_view[:n])
        elif mark.ended:
            self._ring.skip(1)  # half a sample
        else:
            await self._wait(REST_MS)

    def _quieten(self, codec, n):
        if codec != "mp3":  # the chip does it
            volume = 0 if self.mute else self.volume
            scale(self._out, n // 2, volume * volume * 256 // 10000)

    def _next(self):
        """Go on to the next stream."""
        mark = self._marks.pop(0)
        if mark.turn != self._marks[0].turn:
            self._last = (mark.turn, self._end_of(mark, self._ring.taken))
        self.turn = self._marks[0].turn

    async def _dry(self, mark):
        """The ring is empty: the reply is over, or the network is late."""
        held_ms = self._sink.held_ms
        if len(self._marks) > 1:
            self._next()
        elif not held_ms and mark.ended:
            self._last = (mark.turn, self._end_of(mark, self._ring.taken))
            self._marks.clear()
            self._flowing = False
        elif not held_ms:
            self._flowing = False  # gather some before going on
            if self._ring.taken > mark.place:
                self._dry_at = time.ticks_ms()
        else:
            await self._wait(min(REST_MS, held_ms))

    async def _rest(self):
        if self.playing and not self._sink.held_ms:
            self._flowing = False
            self._phase(False)
        await self._wait(REST_MS if self.playing else 500)

    async def _wait(self, ms):
        self._came.clear()
        try:
            await asyncio.wait_for_ms(self._came.wait(), ms)
        except asyncio.TimeoutError:
            pass

    def _phase(self, playing):
        changed = playing != self.playing
        self.playing = playing
        if changed and self.on_phase:
            self.on_phase()

    def _count(self):
        ms = time.ticks_diff(time.ticks_ms(), self._dry_at)
        self._dry_at = None
        self.underruns += 1
        if self.on_underrun:
            self.on_underrun(self.turn, self.underruns, ms)

    def _pass_dropped(self):
        while self._marks and self._marks[0].dropped:
            end = self._marks[1].place if len(self._marks) > 1 else self._ring.written
            self._ring.skip(end - self._ring.taken)
            del self._marks[0]

    # ------------------------------------------------------------ what has sounded

    def _end_of(self, mark, taken):
        return mark.at_ms + (taken - mark.place) / self._sink.bytes_ms(mark.codec)

    def played(self):
        """Return the turn that sounds and how many milliseconds of it have; once more at its end; else None."""
        last, self._last = self._last, None
        if last or not self._marks or self._marks[0].dropped:
            return last
        mark = self._marks[0]
        ms = self._end_of(mark, self._ring.taken) - self._sink.held_ms
        return mark.turn, max(0 if mark.joined else mark.at_ms, ms)
