"""The microphone: an INMP441 by I2S, whose two 32-bit slots become 16 kHz mono of 16 bits."""

import asyncio

from machine import I2S, Pin
from micropython import const
from net import fill
from samples import from_slots, loudness

_BUFFER = const(10240)  # what I2S holds, in the DMA's memory: 80 ms
_RATE = const(16000)
_PIECE = const(320)  # samples: 20 ms
_PART = const(80)  # what is read at once: a frame of two slots takes four times the room of its sample


class Microphone:
    """Records pieces of 20 ms into memory of its own."""

    def __init__(self, profile, gain=2, before_open=None):
        self._profile = profile
        self._gain = gain
        self._before_open = before_open
        self._i2s = self._reader = None
        self._raw = bytearray(_PART * 8)
        self._view = memoryview(self._raw)

    def open(self):
        """Get ready; where the chip has one I2S, the loudspeaker gives it up."""
        if self._i2s is not None:
            return
        if self._before_open:
            self._before_open()
        number, clock, word, data = self._profile["mic"]
        self._i2s = I2S(
            number,
            sck=Pin(clock),
            ws=Pin(word),
            sd=Pin(data),
            mode=I2S.RX,
            bits=32,
            format=I2S.STEREO,
            rate=_RATE,
            ibuf=_BUFFER,
        )
        self._reader = asyncio.StreamReader(self._i2s)

    def close(self):
        """Give the I2S up."""
        i2s, self._i2s = self._i2s, None
        if i2s is not None:
            i2s.deinit()

    async def record(self, out, at):
        """Record a piece into `out` from byte `at` on (an even number); return its loudness."""
        for start in range(at // 2, at // 2 + _PIECE, _PART):
            await fill(self._reader, self._view)
            from_slots(self._raw, out, start, _PART, self._gain)
        return loudness(memoryview(out)[at:], _PIECE)
