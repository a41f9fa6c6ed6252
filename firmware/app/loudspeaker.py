"""The loudspeaker: 16-bit mono samples to a MAX98357A by I2S, which is opened once and at one rate.

`drain()` hangs on some chips with octal PSRAM (micropython issue 16029): there the setting `sink` is `blocking`.
"""

import asyncio
import time

from machine import I2S, Pin
from micropython import const

_RATE = const(16000)
_BYTES_MS = const(32)
_BUFFER = const(8192)  # what I2S holds: 256 ms, in the DMA's memory, not in the heap


class Loudspeaker:
    """Takes samples as fast as they sound. `codecs` are what it plays."""

    codecs = ("pcm_s16le", "ima_adpcm")
    piece = 1024

    def __init__(self, profile, blocking=False, before_open=None):
        self._profile = profile
        self._blocking = blocking
        self._before_open = before_open
        self._i2s = self._writer = None
        self._amp = Pin(profile["amp"], Pin.OUT, value=1) if "amp" in profile else None
        self._ends_at = 0

    def bytes_ms(self, codec):
        """Return how many of the player's bytes sound in a millisecond."""
        return 256 * 16 / 505 if codec == "ima_adpcm" else _BYTES_MS

    def open(self):
        """Get ready; where the chip has one I2S, the microphone gives it up."""
        if self._i2s is not None:
            return
        if self._before_open:
            self._before_open()
        number, clock, word, data = self._profile["out"]
        self._i2s = I2S(
            number,
            sck=Pin(clock),
            ws=Pin(word),
            sd=Pin(data),
            mode=I2S.TX,
            bits=16,
            format=I2S.MONO,
            rate=_RATE,
            ibuf=_BUFFER,
        )
        self._writer = asyncio.StreamWriter(self._i2s, {})
        self._ends_at = time.ticks_ms()

    def close(self):
        """Give the I2S up."""
        i2s, self._i2s = self._i2s, None
        if i2s is not None:
            i2s.deinit()

    @property
    def held_ms(self):
        """Return how much of what was written has not sounded yet, by the clock."""
        return max(0, time.ticks_diff(self._ends_at, time.ticks_ms()))

    async def write(self, view):
        """Write a view of samples; returns when the I2S has taken it."""
        began = time.ticks_ms()
        if self.held_ms == 0:
            self._ends_at = began
        self._ends_at = time.ticks_add(self._ends_at, len(view) // _BYTES_MS)
        if self._blocking:
            self._i2s.write(view)
            await asyncio.sleep(0)
        else:
            self._writer.out_buf = view  # `write` would copy it
            await self._writer.drain()
        now = time.ticks_ms()
        if time.ticks_diff(now, began) > 5:  # it had to wait, so now the I2S is full
            self._ends_at = time.ticks_add(now, _BUFFER // _BYTES_MS)

    def hush(self, on):
        """Silence the amplifier, where it has a pin for that, or let it sound."""
        if self._amp is not None:
            self._amp.value(0 if on else 1)
