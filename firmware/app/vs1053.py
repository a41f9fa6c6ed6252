"""The VS1053: a chip that decodes MP3 by itself and is fed by SPI, 32 bytes whenever it raises DREQ.

Registers and start-up are those of VLSI's VS1053b datasheet (sections 7, 9 and 10).
"""

import asyncio
import time

from machine import SPI, Pin
from micropython import const

_MODE = const(0)
_CLOCKF = const(3)
_VOL = const(11)
_SDINEW = const(0x0800)
_CANCEL = const(0x0008)
_FIFO = const(2048)
# Layer III, in kbit/s: of MPEG 1, and of MPEG 2 and 2.5.
_RATES1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_RATES2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def mp3_rate(head):
    """Return the kbit/s that the first frame header in `head` states, or 0 where there is none."""
    for i in range(len(head) - 3):
        if head[i] == 0xFF and head[i + 1] & 0xE6 == 0xE2:
            index = head[i + 2] >> 4
            if index < 15:
                return (_RATES1 if head[i + 1] & 8 else _RATES2)[index]
    return 0


class Vs1053:
    """A loudspeaker that plays MP3. Its buffer is small: the player's ring does the work."""

    codecs = ("mp3",)
    piece = 512

    def __init__(self, profile):
        number, clock, mosi, miso, xcs, xdcs, dreq, reset = profile["vs1053"]
        self._spi = SPI(number, baudrate=1000000, sck=Pin(clock), mosi=Pin(mosi), miso=Pin(miso))
        self._xcs = Pin(xcs, Pin.OUT, value=1)
        self._xdcs = Pin(xdcs, Pin.OUT, value=1)
        self._dreq = Pin(dreq, Pin.IN)
        self._reset = Pin(reset, Pin.OUT, value=1)
        self._kbits = 48
        self._ends_at = time.ticks_ms()
        self._command = bytearray((2, 0, 0, 0))
        self._ready = False

    def bytes_ms(self, codec):
        """Return how many bytes sound in a millisecond, by the header of what plays."""
        return max(1, self._kbits // 8)

    def open(self):
        """Reset the chip and give it its clock, once."""
        if self._ready:
            return
        self._reset.value(0)
        time.sleep_ms(2)
        self._reset.value(1)
        self._wait()
        self._register(_MODE, _SDINEW)
        self._register(_CLOCKF, 0x8800)  # 3.5 times the crystal; then SPI may be quick
        self._wait()
        self._spi.init(baudrate=6000000)
        self._ready = True

    def close(self):
        """Nothing is shared."""

    def _wait(self):
        for _ in range(100):
            if self._dreq.value():
                return
            time.sleep_ms(1)
        raise OSError("the VS1053 does not answer: check DREQ and its power")

    def _register(self, number, value):
        self._wait()
        self._command[1] = number
        self._command[2] = value >> 8
        self._command[3] = value & 255
        self._xcs.value(0)
        self._spi.write(self._command)
        self._xcs.value(1)

    def volume(self, percent):
        """Set the volume; it attenuates by half decibels, and 254 is silence."""
        level = 254 if percent <= 0 else 100 - percent
        self._register(_VOL, level << 8 | level)

    @property
    def held_ms(self):
        """Return how much of what was written has not sounded yet, about."""
        return min(_FIFO // self.bytes_ms("mp3"), max(0, time.ticks_diff(self._ends_at, time.ticks_ms())))

    async def write(self, view):
        """Write MP3; returns when the chip has taken it."""
        rate = mp3_rate(view[:64])
        if rate:
            self._kbits = rate
        began = time.ticks_ms()
        if time.ticks_diff(self._ends_at, began) < 0:
            self._ends_at = began
        self._ends_at = time.ticks_add(self._ends_at, len(view) // self.bytes_ms("mp3"))
        for start in range(0, len(view), 32):
            while not self._dreq.value():
                await asyncio.sleep_ms(2)
            self._xdcs.value(0)
            self._spi.write(view[start : start + 32])
            self._xdcs.value(1)

    def hush(self, on):
        """Throw away what the chip holds."""
        if on:
            self._register(_MODE, _SDINEW | _CANCEL)
