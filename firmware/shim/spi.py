"""A VS1053 at the simulated SPI: what it is given to play goes to loudspeaker.mp3, as quickly as it would sound.

Its pins are those of the board profile esp32_vs1053.
"""

import time

import vs1053  # whole only later, as it imports this
from boards import BOARDS
from machine import FOLDER, Pin
from micropython import const

_FIFO = const(2048)
_CANCEL = const(0x0008)


class SPI:
    """Takes commands while XCS is low, and MP3 while XDCS is."""

    def __init__(self, number, baudrate, sck, mosi, miso):
        self._xcs, self._xdcs, dreq = BOARDS["esp32_vs1053"]["vs1053"][4:7]
        self._file = open(FOLDER + "/loudspeaker.mp3", "wb")
        self._held = 0
        self._kbits = 48
        self._at = time.ticks_ms()
        Pin.levels[dreq] = self._wants

    def init(self, baudrate):
        """Be quicker."""

    def _wants(self):
        """Let the time that has passed play; return whether there is room for 32 bytes, which is what DREQ says."""
        now = time.ticks_ms()
        self._held = max(0, self._held - time.ticks_diff(now, self._at) * self._kbits // 8)
        self._at = now
        return 1 if self._held + 32 <= _FIFO else 0

    def write(self, data):
        """Take a command or MP3."""
        if Pin.levels[self._xcs] == 0:
            if data[1] == 0 and data[3] & _CANCEL:
                self._held = 0
        elif Pin.levels[self._xdcs] == 0:
            if not self._wants() or len(data) > 32:
                raise OSError(5)  # more than DREQ asked for
            self._kbits = vs1053.mp3_rate(data) or self._kbits
            self._file.write(data)
            self._held += len(data)
            self._file.flush()
