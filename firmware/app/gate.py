"""The energy gate: tells a room with somebody speaking from a quiet one, so that an open microphone sends little."""

from micropython import const

_RATIO = const(3)
_LEAST = const(120)


class Gate:
    """Opens at a loudness well above the room's own and closes `hang` pieces after it was last heard.

    The room's own loudness is followed: at once downwards, slowly upwards, so that speech does not become the norm.
    """

    def __init__(self, hang=75):
        self._hang = hang
        self._left = 0
        self._floor = _LEAST * 16  # in sixteenths

    @property
    def open(self):
        """Whether the last piece belongs to speech."""
        return self._left > 0

    @property
    def threshold(self):
        """The loudness that opens the gate."""
        return max(_LEAST, self._floor * _RATIO >> 4)

    def feed(self, level):
        """Take the loudness of the next piece (20 ms); return whether it is to be sent."""
        if level >= self.threshold:
            self._left = self._hang
        elif self._left:
            self._left -= 1
        wide = level << 4
        if wide < self._floor:
            self._floor -= (self._floor - wide + 3) >> 2
        else:
            self._floor += min(wide - self._floor, (self._floor >> 9) + 1)
        return self._left > 0

    def close(self):
        """Close at once: what it heard was the speaker itself."""
        self._left = 0
