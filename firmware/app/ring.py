"""The jitter buffer: a ring of bytes as they came, in memory that is made once.

`written` and `taken` count bytes since the last `clear`, so a place in the sound has one number as long as it plays.
"""

import asyncio

from micropython import const

_WAIT_MS = const(10)


class Ring:
    """Bytes in at one end, out at the other; whoever finds it full waits."""

    def __init__(self, memory):
        self.lay(memory)

    def lay(self, memory):
        """Lie in this memory from now on, with nothing in it; an empty one lets go of what it had."""
        self.size = len(memory)
        self._view = memoryview(memory)
        self.clear()

    def clear(self):
        """Throw everything away and count from 0."""
        self.written = 0
        self.taken = 0

    @property
    def held(self):
        """How many bytes it holds."""
        return self.written - self.taken

    @property
    def free(self):
        """How many more it takes."""
        return self.size - self.written + self.taken

    def space(self, most):
        """Return a view of at most `most` free bytes that lie in one piece; fill it from its start, then call `add`."""
        start = self.written % self.size
        return self._view[start : min(self.size, start + min(most, self.free))]

    def add(self, n):
        """Count `n` bytes of `space` as written."""
        self.written += n

    def write(self, data, n):
        """Put `n` bytes in; there must be room."""
        start = self.written % self.size
        first = min(n, self.size - start)
        self._view[start : start + first] = data[:first]
        if n > first:
            self._view[: n - first] = data[first:n]
        self.written += n

    def read(self, out, n):
        """Take up to `n` bytes out into `out`; return how many."""
        n = min(n, self.held)
        start = self.taken % self.size
        first = min(n, self.size - start)
        out[:first] = self._view[start : start + first]
        if n > first:
            out[first:n] = self._view[: n - first]
        self.skip(n)
        return n

    def skip(self, n):
        """Throw `n` bytes away."""
        self.taken += n

    async def room(self, n):
        """Wait until `n` bytes fit."""
        while self.free < n:
            await asyncio.sleep_ms(_WAIT_MS)
