"""The player: what comes from the hub, through the jitter buffer, to the loudspeaker.

It knows which millisecond of which turn sounds, counts the times at which the loudspeaker ran dry in mid-speech, and
makes no memory while it plays.
"""

import asyncio
import time

from adpcm import decode
from micropython import const
from samples import scale

_BLOCK = const(256)  # of ADPCM
_BLOCK_AT = const(768)  # in the memory that it is decoded to
_MARKS = const(16)
_REST_MS = const(10)
_PREBUFFER_MS = const(300)


class Mark:
    """Where in the ring a stream begins, and what it is."""

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

    `on_underrun(turn, count, ms, late)` and `on_phase()` are called where they are set; `on_phase` when it begins and
    ends; `late` is for how many milliseconds nothing had come when the loudspeaker ran dry.
    """

    def __init__(self, sink, ring):
        self.volume = 100
        self.mute = False
        self.playing = False
        self.underruns = 0
        self.turn = None
        self.on_underrun = self.on_phase = None
        self.busy_at = time.ticks_ms()
        self._sink = sink
        self._ring = ring
        self._marks = []
        self._out = bytearray(sink.piece)
        self._out_view = memoryview(self._out)
        self._flowing = False
        self._hushed = False
        self._dry_at = None
        self._came_at = self.busy_at
        self._late = 0
        self._refused = None
        self._last = None

    @property
    def held_ms(self):
        """How much sound it holds, the loudspeaker's buffer included."""
        codec = self._marks[0].codec if self._marks else self._sink.codecs[0]
        return int(self._ring.held / self._sink.bytes_ms(codec)) + self._sink.held_ms

    @property
    def idle(self):
        """Whether nothing has come that is to be played; the ring's memory is free then."""
        return not self._marks and not self._ring.held

    # ------------------------------------------------------------ from the hub

    async def begin(self, turn, at_ms, codec, start=None):
        """A stream begins: the audio that follows is this turn's, from `at_ms` on; `start`: not before that tick."""
        if codec not in self._sink.codecs:
            raise ValueError("cannot play " + codec)
        while len(self._marks) >= _MARKS:
            await asyncio.sleep_ms(_REST_MS)
        if self.idle:
            self._ring.clear()
        joined = bool(self._marks) and self._marks[-1].turn == turn
        mark = Mark(self._ring.written, turn, at_ms, codec, joined)
        mark.dropped = mark.ended = turn == self._refused
        mark.start = start
        self._marks.append(mark)

    async def take(self, source):
        """Take the audio of a frame: `source.read(view)` until `source.left` is 0; waits where the ring is full."""
        mark = self._marks[-1] if self._marks else None
        while source.left and mark is not None and not mark.dropped and not mark.ended:
            await self._ring.room(256)
            n = await source.read(self._ring.space(source.left))
            if not mark.dropped:
                self._ring.add(n)
                self._came_at = time.ticks_ms()
        await source.skip()

    def end(self, turn):
        """The stream is complete."""
        mark = self._marks[-1] if self._marks else None
        if mark is not None and mark.turn == turn:
            mark.ended = True

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

    def lost(self):
        """The connection is gone: stop, and return which turn sounded and how far, or None.

        What the loudspeaker holds already will sound, so it counts.
        """
        mark = self._marks[0] if self._marks else None
        place = self.played()
        if place and mark and not mark.dropped and self._ring.taken > mark.place:
            place = (mark.turn, self._end_of(mark, self._ring.taken))
        if self._dry_at is not None:
            self._count()
        for mark in self._marks:
            mark.dropped = mark.ended = True
        self._flowing = False
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
            else:
                await self._play(self._marks[0])

    def _enough(self):
        mark = self._marks[0]
        held = self._ring.held
        return mark.ended or self._ring.free < 512 or held >= _PREBUFFER_MS * self._sink.bytes_ms(mark.codec)

    async def _start(self):
        if not self._enough() or (self._hushed and self._sink.held_ms):
            return await asyncio.sleep_ms(_REST_MS)
        start = self._marks[0].start
        if start is not None and (early := time.ticks_diff(start, time.ticks_ms())) > 0:
            return await asyncio.sleep_ms(min(early, _REST_MS))
        if self._dry_at is not None:
            self._count()
        self._sink.open()
        self._sink.hush(False)
        self._flowing, self._hushed = True, False
        self.turn = self._marks[0].turn
        self._phase(True)
        return None

    async def _play(self, mark):
        more = len(self._marks) > 1
        left = (self._marks[1].place if more else self._ring.written) - self._ring.taken
        whole = more or mark.ended
        n = self._piece(mark.codec, left, whole)
        if n:
            start = _BLOCK_AT if mark.codec == "ima_adpcm" else 0
            self._ring.read(self._out_view[start:], n)
            n = self._prepare(mark.codec, n)
            await self._sink.write(self._out_view[:n])
        elif left and whole:
            self._ring.skip(left)  # half a sample
        elif more:
            self._next()
        else:
            await self._dry(mark)

    def _piece(self, codec, left, whole):
        """Return how many of the bytes that are left make a piece that can be played."""
        if codec == "mp3":
            return min(left, self._sink.piece)
        if codec == "pcm_s16le":
            return min(left, self._sink.piece) & ~1
        return _BLOCK if left >= _BLOCK else left & ~3 if whole else 0

    def _prepare(self, codec, n):
        """Make samples at the volume from what was read; return their bytes."""
        if codec == "mp3":
            return n  # the chip does it
        if codec == "ima_adpcm":
            n = decode(self._out_view[_BLOCK_AT:], n, self._out) * 2
        if self.mute or self.volume < 100:
            volume = 0 if self.mute else self.volume
            scale(self._out, n // 2, volume * volume * 256 // 10000)
        return n

    def _next(self):
        """Go on to the next stream."""
        mark = self._marks.pop(0)
        if mark.turn != self._marks[0].turn:
            self._last = (mark.turn, self._end_of(mark, self._ring.taken))
        self.turn = self._marks[0].turn

    async def _dry(self, mark):
        """There is nothing to play: the reply is over, or the network is late."""
        held_ms = self._sink.held_ms
        if held_ms:
            await asyncio.sleep_ms(min(_REST_MS, held_ms))
        elif mark.ended:
            self._last = (mark.turn, self._end_of(mark, self._ring.taken))
            self._marks.clear()
            self._flowing = False
        else:
            self._flowing = False  # gather some before going on
            if self._ring.taken > mark.place:
                self._dry_at = time.ticks_ms()
                self._late = time.ticks_diff(self._dry_at, self._came_at)

    async def _rest(self):
        if self.playing and not self._sink.held_ms:
            self._flowing = False
            self._phase(False)
        await asyncio.sleep_ms(_REST_MS)

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
            self.on_underrun(self.turn, self.underruns, ms, self._late)

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
