"""The parts of MicroPython's `machine` that the firmware uses, on a computer.

The loudspeaker is a WAV file that fills in real time as I2S would play it, silence where it ran dry; the microphone
hears a WAV file whenever `Microphone.speak` is called, and silence otherwise.
"""

import asyncio
import os
import struct
import sys
import time

import micropython
from micropython import const

FOLDER = os.getenv("MYNAH_SIM") or "."
_GAIN = const(2)  # of the firmware's setting `gain`, so that samples come through unchanged
_LONGEST_SILENCE = const(32000)  # bytes: a second stands for any longer time


class Pin:
    """A pin; `Pin.levels` says what inputs read: 1 unless set, or what a function there returns."""

    IN = 0
    OUT = 1
    PULL_UP = 2
    levels = {}

    def __init__(self, number, mode=IN, pull=None, value=None):
        self._number = number
        if value is not None:
            Pin.levels[number] = value

    def value(self, level=None):
        """Return or set the level."""
        if level is None:
            level = Pin.levels.get(self._number, 1)
            return level() if callable(level) else level
        Pin.levels[self._number] = level
        return None


@micropython.viper
def _slots(samples: ptr16, out: ptr16, n: int, gain: int):
    for i in range(n):
        value = samples[i]
        if value & 0x8000:
            value -= 0x10000
        value = value << (16 - gain)
        out[4 * i] = value
        out[4 * i + 1] = value >> 16
        out[4 * i + 2] = 0
        out[4 * i + 3] = 0


class Sound:
    """What of the outside world is one for all: the files, and the times the loudspeaker ran dry.

    The loudspeaker's file, of 16 kHz mono, may be read while it grows.
    """

    spoken = None
    dry = 0
    silent_ms = 0
    wav = None
    size = told_at = 0


def _tell():
    """Write the head of the loudspeaker's file anew."""
    size = Sound.told_at = Sound.size
    Sound.wav.seek(0)
    Sound.wav.write(
        struct.pack(
            "<4sI4s4sIHHIIHH4sI", b"RIFF", size + 36, b"WAVE", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16, b"data", size
        )
    )
    Sound.wav.seek(44 + size)


def _sounds(data):
    """Append samples to it."""
    Sound.wav.write(data)
    Sound.size += len(data)
    if Sound.size - Sound.told_at >= 16000:
        _tell()


def speak(path):
    """Let the microphone hear a WAV file of 16 kHz mono, 16 bits."""
    file = open(path, "rb")
    head = file.read(256)
    file.seek(head.index(b"data") + 8)
    Sound.spoken = file


class I2S:
    """An I2S in one direction, as quick as its rate and no quicker."""

    TX = 0
    RX = 1
    MONO = 0
    STEREO = 1

    def __init__(self, number, *, sck, ws, sd, mode, bits, format, rate, ibuf):
        self._sending = mode == I2S.TX
        if (bits, format) != ((16, I2S.MONO) if self._sending else (32, I2S.STEREO)):
            raise ValueError("the firmware sends 16 bits mono and receives 32 bits stereo")
        self._rate = rate * (2 if self._sending else 8)
        self._size = ibuf
        # Only counted, not held: on the chip it is DMA memory, which is not the heap's.
        self._held = 0
        self._at = time.ticks_us()
        self._ran = self._silent = 0
        if self._sending and Sound.wav is None:
            Sound.wav = open(FOLDER + "/loudspeaker.wav", "wb")
            _tell()

    def deinit(self):
        """Stop."""
        if self._sending:
            _tell()

    def _move(self):
        """Let the time that has passed move samples."""
        now = time.ticks_us()
        n = time.ticks_diff(now, self._at) * self._rate // 8000000 * 8
        if not n:
            return
        self._at = time.ticks_add(self._at, n * 1000000 // self._rate)
        if not self._sending:
            self._held = min(self._size // 8 * 8, self._held + n)
        elif n <= self._held:
            self._held -= n
        else:
            self._silent += n - self._held
            self._held = 0

    def write(self, data):
        """Take samples, as many as there is room for; None where there is none."""
        self._move()
        n = min(len(data), self._size - self._held) & ~1
        if not n:
            return None
        if self._silent:
            if self._ran:
                Sound.dry += 1
                Sound.silent_ms = self._silent // 32
            self._ran = 1
            self._fill(min(self._silent, _LONGEST_SILENCE) & ~1)
            self._silent = 0
        self._ran = 1
        _sounds(memoryview(data)[:n])
        self._held += n
        return n

    def _fill(self, n):
        zeros = bytes(256)
        while n > 0:
            _sounds(zeros[: min(n, 256)])
            n -= 256

    def readinto(self, buffer):
        """Give what was recorded; None where that is nothing yet."""
        self._move()
        n = min(len(buffer), self._held) // 8
        if not n:
            return None
        self._held -= n * 8
        view = memoryview(buffer)
        samples = bytearray(n * 2)
        got = Sound.spoken.readinto(samples) // 2 if Sound.spoken else 0
        if Sound.spoken and got < n:
            Sound.spoken.close()
            Sound.spoken = None
        _slots(samples, view, n, _GAIN)
        return n * 8


class Stream:
    """Stands in for asyncio's streams around an I2S: the unix port's `poll` mixes such objects up with sockets."""

    def __init__(self, i2s, extra=None):
        self._i2s = i2s
        self.out_buf = b""

    async def drain(self):
        """Write all of `out_buf`."""
        view, self.out_buf = self.out_buf, b""
        done = 0
        while done < len(view):
            n = self._i2s.write(view[done:] if done else view)
            if n:
                done += n
            else:
                await asyncio.sleep_ms(4)

    async def readinto(self, buffer):
        """Read at least something."""
        while (n := self._i2s.readinto(buffer)) is None:
            await asyncio.sleep_ms(4)
        return n


class WDT:
    """A watchdog that ends the program."""

    def __init__(self, id=0, timeout=5000):
        self._timeout = timeout
        self._fed = time.ticks_ms()

    def feed(self):
        """Feed it; too late it bites."""
        now = time.ticks_ms()
        if time.ticks_diff(now, self._fed) > self._timeout:
            sys.exit(4)
        self._fed = now


def __getattr__(name):
    if name != "SPI":
        raise AttributeError(name)
    from spi import SPI

    return SPI


def reset():
    """Start the chip again: whoever started the program does."""
    if Sound.wav is not None:
        _tell()
    sys.exit(3)
