"""A voice for worker processes, as a C library makes one: while it works nothing else in its process runs."""

from __future__ import annotations

import ctypes
import math
import os
import signal
import time
from array import array
from collections.abc import Iterator
from typing import Any

from mynah import AudioChunk, AudioFormat, WordMark

FORMAT = AudioFormat("pcm_s16le", 24_000, 1)
HERTZ = 300.0
BLOCKS_S = 5


def block() -> None:
    """Sleep in C without letting go of Python's lock, as a library does that computes."""
    ctypes.PyDLL(None).sleep(BLOCKS_S)


class WorkerVoice:
    """Says each word as a tone of `word_ms`, and breaks before word number `after` as it is told."""

    def __init__(self, word_ms: float, drip_s: float) -> None:
        self._word_ms = word_ms
        self._drip_s = drip_s
        frames = int(FORMAT.rate * word_ms / 1000)
        self._word = array("h", (int(8000 * math.sin(n * 2 * math.pi * HERTZ / FORMAT.rate)) for n in range(frames)))

    def say(self, inputs: Any, text: str, fault: str = "", after: int = 0) -> Iterator[Any]:
        """Yield the audio and the marks of a text, or break."""
        end = 0
        for number, word in enumerate(text.split()):
            end = text.index(word, end) + len(word)
            if fault and number == after:
                yield from self._break(fault, after)
                if fault == "garbage":
                    return
            if fault == "drip" and after:
                time.sleep(self._drip_s)
            yield WordMark(end, (number + 1) * self._word_ms)
            yield AudioChunk(self._word.tobytes(), FORMAT, self._word_ms)

    def _break(self, fault: str, after: int) -> Iterator[Any]:
        if fault == "kill":
            time.sleep(0.05)  # so that what was made is read before
            os.kill(os.getpid(), signal.SIGKILL)
        if fault == "hang":
            block()
        if fault == "drip" and not after:
            time.sleep(3)
        if fault == "garbage":
            yield AudioChunk(b"<html>502 Bad Gateway</html>", AudioFormat("mp3", 24_000, 1))
