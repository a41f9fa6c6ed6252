"""What goes from the microphone to the hub, and when: while the button is down, or what an open microphone hears.

While the loudspeaker plays, and shortly after, nothing is sent: the speaker would hear itself. So what an open
microphone hears before its gate opens can lie in the jitter buffer's memory, as long as nothing else is there.
"""

import asyncio
import time

from gate import Gate
from micropython import const
from ring import Ring
from websocket import HEAD

_BYTES = const(640)  # a piece of 20 ms
_FRAME = const(2)  # pieces in a frame
_STALE = const(4)  # pieces that lie in the I2S when nobody has read them for long
_BEFORE = const(10)  # pieces from before the gate opened
_TAIL_MS = const(200)
_REST_MS = const(20)


class Ears:
    """`mode` is off, button or open; `held` says that the button is down."""

    def __init__(self, microphone, player, memory, shared):
        self.mode = "button"
        self.held = False
        self.on_wake = None
        self._microphone = microphone
        self._player = player
        self._shared = shared
        self._gate = Gate()
        self._before = Ring(b"")
        self.lay(memory)
        self._frame = bytearray(HEAD + _FRAME * _BYTES)
        self._view = memoryview(self._frame)
        self._filled = 0
        self._stale = 0
        self._quiet_at = time.ticks_ms()

    def lay(self, memory):
        """Use the jitter buffer's memory, which may be another now; with an empty one nothing is recorded."""
        self._before.lay(memoryview(memory)[: _BEFORE * _BYTES])

    @property
    def wanted(self):
        """Whether anything of the microphone may be sent."""
        return self._before.size > 0 and (self.held or self.mode == "open")

    @property
    def hears(self):
        """Whether somebody speaks to it now."""
        return self.held or (self.mode == "open" and self._gate.open)

    async def run(self, session):
        """Record and send until cancelled."""
        while True:
            if not self.wanted or (self._shared and self._player.playing):
                await self._rest(session)
                continue
            self._microphone.open()
            while self._stale:
                self._stale -= 1
                await self._microphone.record(self._frame, HEAD)
            level = await self._microphone.record(self._frame, HEAD + self._filled)
            if not self._player.idle:
                self._before.clear()
            if not self._before.size or self._deaf():
                self._filled = 0
                self._gate.close()
            elif self.held or self.mode != "open":  # the button may have come up meanwhile
                await self._grow(session)
            else:
                await self._listen(session, level)

    async def _rest(self, session):
        if self._filled:  # what the button's end left
            await session.send_audio(self._frame, self._filled)
            self._filled = 0
        if self._shared:
            self._microphone.close()
        else:
            self._stale = _STALE
        await asyncio.sleep_ms(_REST_MS)

    def _deaf(self):
        now = time.ticks_ms()
        if self._player.playing:
            self._quiet_at = now
            return True
        return not self.held and (not self._player.idle or time.ticks_diff(now, self._quiet_at) < _TAIL_MS)

    async def _grow(self, session):
        self._filled += _BYTES
        if self._filled == _FRAME * _BYTES:
            self._filled = 0
            await session.send_audio(self._frame, _FRAME * _BYTES)

    async def _listen(self, session, level):
        before = self._before
        was = self._gate.open
        if self._gate.feed(level):
            if not was:
                if self.on_wake:
                    self.on_wake(level)
                await self._send_before(session)
            await self._grow(session)
            return
        if self._filled:
            await session.send_audio(self._frame, self._filled + _BYTES)
            self._filled = 0
            return
        if before.free < _BYTES:
            before.skip(_BYTES)
        before.write(self._view[HEAD:], _BYTES)

    async def _send_before(self, session):
        frame = bytearray(HEAD + _BYTES)
        view = memoryview(frame)[HEAD:]
        while self._before.held and self._player.idle:
            n = self._before.read(view, _BYTES)
            await session.send_audio(frame, n)
