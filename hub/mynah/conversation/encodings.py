"""Conversions that several outlets share: each phrase is converted once for each format, whoever comes first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from mynah.audio import AudioChunk, AudioFormat, converter
from mynah.conversation.playback import ROUNDING_MS
from mynah.conversation.revoicing import Placed, Revoicing, played_as
from mynah.errors import AudioError

CONTINUOUS: Final = ("mp3", "opus")
"""Codecs of which a stream is longer than what it was made of; to keep in step one goes on through all phrases."""

DELAY_SAMPLES: Final = {"mp3": 1105, "opus": 104}
"""How much later than it should a converted stream's first sample sounds: for MP3 the delays of LAME (576) and of every
decoder (529), for Opus, at 16 kHz, the encoder's pre-skip."""

KEPT_MS: Final = 60_000.0
"""How much converted audio of a phrase is kept for outlets that are behind the first."""


class Revoice(Protocol):
    """What puts a phrase into the format of a loudspeaker; see `Revoicing`."""

    target: AudioFormat
    end_ms: float

    def feed(self, at_ms: float, audio: AudioChunk) -> Placed:
        """Return what the phrase's next audio completes. Raises `AudioError`."""

    def flush(self) -> Placed:
        """Return what was held back. Raises `AudioError`."""


def delay_ms(target: AudioFormat) -> float:
    """Return how much later than its source a stream that was converted to `target` sounds."""
    rate = 16_000 if target.codec == "opus" else target.rate
    return DELAY_SAMPLES.get(target.codec, 0) / rate * 1000


class Encodings:
    """The conversions of one speech of so many `phrases`, by phrase and format."""

    def __init__(self, phrases: int = 1) -> None:
        self.made = 0
        self._phrases = phrases
        self._conversions: dict[tuple[int, AudioFormat, AudioFormat], _Conversion] = {}
        self._rows: dict[AudioFormat, _Row] = {}

    def revoicing(self, phrase: int, source: AudioFormat, formats: tuple[AudioFormat, ...]) -> Revoice:
        """Return what converts a phrase, from its beginning on, for one outlet."""
        target = played_as(source, formats)
        if target == source:
            return Revoicing(source, formats, 0.0)
        key = (phrase, source, target)
        if key not in self._conversions:
            inner: Revoicing | _Stretch = Revoicing(source, (target,), 0.0)
            if target.codec in CONTINUOUS:
                row = self._rows.setdefault(target, _Row(target))
                if row.busy:
                    return Revoicing(source, (target,), 0.0)  # this outlet is ahead of those who share
                inner = _Stretch(row, source, last=phrase == self._phrases)
            self.made += 1
            self._conversions[key] = _Conversion(inner)
        return SharedRevoicing(self._conversions[key], source, target)


class SharedRevoicing:
    """One outlet's way through a conversion that it shares; one that begins in the middle has its own."""

    def __init__(self, conversion: _Conversion, source: AudioFormat, target: AudioFormat) -> None:
        self.target = target
        self.end_ms = 0.0
        self._source = source
        self._conversion = conversion
        self._own: Revoicing | None = None
        self._begun = False
        self._step = 0

    def feed(self, at_ms: float, audio: AudioChunk) -> Placed:
        """Return what the phrase's next audio completes. Raises `AudioError`."""
        self.end_ms = at_ms + audio.ms
        if not self._begun:
            self._begun = True
            if not self._conversion.begins_at(at_ms):
                self._own = Revoicing(self._source, (self.target,), 0.0)
        if self._own is not None:
            return self._own.feed(at_ms, audio)
        return self._next(lambda inner: inner.feed(at_ms, audio))

    def flush(self) -> Placed:
        """Return what was held back. Raises `AudioError`."""
        return self._own.flush() if self._own is not None else self._next(lambda inner: inner.flush())

    def _next(self, convert: Callable[[Revoicing | _Stretch], Placed]) -> Placed:
        self._step += 1
        return self._conversion.result(self._step - 1, convert)


class _Row:
    """One stream of a format through all phrases of a speech; `busy` while a phrase is on its way through it."""

    def __init__(self, target: AudioFormat) -> None:
        self.pcm = AudioFormat("pcm_s16le", target.rate, target.channels)
        self.encode = converter(self.pcm, target)
        self.at_ms = 0.0
        self.busy = False

    def placed(self, chunks: list[AudioChunk]) -> Placed:
        """Return `chunks` with their places: one after the other."""
        found = []
        for chunk in chunks:
            found.append((self.at_ms, chunk))
            self.at_ms += chunk.ms
        return found


class _Stretch:
    """The conversion of one phrase as a part of a row; what the encoder still holds comes with the next one."""

    def __init__(self, row: _Row, source: AudioFormat, *, last: bool) -> None:
        self._row = row
        self._decode = converter(source, row.pcm)
        self._last = last
        row.busy = True

    def feed(self, at_ms: float, audio: AudioChunk) -> Placed:
        return self._encoded(self._decode.feed(audio.data))

    def flush(self) -> Placed:
        self._row.busy = False
        placed = self._encoded(self._decode.flush())
        return placed + self._row.placed(self._row.encode.flush()) if self._last else placed

    def _encoded(self, pieces: list[AudioChunk]) -> Placed:
        return self._row.placed([chunk for piece in pieces for chunk in self._row.encode.feed(piece.data)])


class _Conversion:
    """A conversion and its latest results, by the number of the step that gave them."""

    def __init__(self, inner: Revoicing | _Stretch) -> None:
        self._inner = inner
        self._begins_ms: float | None = None
        self._results: deque[Placed | AudioError] = deque()
        self._first = 0
        self._kept_ms = 0.0

    def begins_at(self, at_ms: float) -> bool:
        """Whether the phrase begins at that place; the first to ask says so."""
        if self._begins_ms is None:
            self._begins_ms = at_ms
        return abs(at_ms - self._begins_ms) <= ROUNDING_MS

    def result(self, step: int, convert: Callable[[Revoicing | _Stretch], Placed]) -> Placed:
        """Return the result of a step; it is made by the first to come there. Raises `AudioError`."""
        if step == self._first + len(self._results):
            self._keep(self._made(convert))
        if step < self._first:
            raise AudioError("the loudspeaker was too slow for the others")
        result = self._results[step - self._first]
        if isinstance(result, AudioError):
            raise result
        return result

    def _made(self, convert: Callable[[Revoicing | _Stretch], Placed]) -> Placed | AudioError:
        try:
            return convert(self._inner)
        except AudioError as error:
            return error

    def _keep(self, result: Placed | AudioError) -> None:
        self._results.append(result)
        self._kept_ms += _ms(result)
        while self._kept_ms > KEPT_MS and len(self._results) > 1:
            self._kept_ms -= _ms(self._results.popleft())
            self._first += 1


def _ms(result: Placed | AudioError) -> float:
    return 0.0 if isinstance(result, AudioError) else sum(audio.ms for _, audio in result)
