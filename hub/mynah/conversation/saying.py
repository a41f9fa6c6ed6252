"""How one phrase gets its voice from a chain of engines, of which any may die in the middle of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mynah.audio import AudioChunk, AudioFormat, Converter, converter
from mynah.conversation.measure import Measure
from mynah.conversation.playback import ROUNDING_MS
from mynah.engines.chain import Chain, Meter, OpenEngine, close, closing
from mynah.engines.speech_cache import CachedVoice
from mynah.errors import EngineError
from mynah.loop import stand_back
from mynah.timeline import now
from mynah.values import Voice, WordMark

Items = AsyncIterator[AudioChunk | WordMark]

InTurn = Callable[[], AbstractAsyncContextManager[None]]
"""Waits until something may be made, and keeps its place meanwhile."""

TakeBack = Callable[[float], float | None]
"""Drops the audio of a phrase from that millisecond of it on, and returns where it now ends.

None, and nothing dropped, where some of that was sent already or cannot be cut.
"""

JOINABLE: Final = ("pcm_s16le", "mp3", "opus")
"""Codecs whose audio can be cut, and followed by another engine's."""

MAX_SILENT_BYTES: Final = 65_536
"""What an engine may give before its first sound: tags and headers."""

MOST_MS: Final = 120_000.0
MOST_MS_A_CHARACTER: Final = 1_000.0
"""An engine that gives more audio than both of a phrase has lost its way and might go on for ever."""

_AT_ONCE: Final = nullcontext()
_AFTER_WORD: Final = re.compile(r"[,.;:!?…)\]}»”’\"'、。，！？；：]*\s*(?:[—–-]\s+)?")
_WORD: Final = re.compile(r"\S+")
_SPOKEN: Final = re.compile(r"\w")


async def say_phrase(
    chain: Chain,
    text: str,
    *,
    voice: Voice,
    language: str,
    total: float,
    meter: Meter,
    take_back: TakeBack,
    avoid: set[OpenEngine] | None = None,
    in_turn: InTurn | None = None,
    keeps: Callable[[str], bool] = lambda key: True,
) -> Items:
    """Yield the audio of `text` in one format, and its words' marks where the engine gives them, each after its audio.

    What the engine that would be asked, or one before it that rests, has said before is heard again without a call.
    An engine that fails before any audio is replaced. One that fails later is followed by the next after its last whole
    word, where marks tell which that was and what came after it can be taken back. `avoid` has the engines that failed
    in this turn; it grows. `total` is the limit for each engine's part in seconds. Engines are asked within
    `in_turn`, which may wait before it begins. `keeps` is told the name under which the speech cache is to keep
    it, and returns whether it may.
    Raises `EngineError`, which says where the phrase was cut if some of it was heard.
    """
    phrase = _Phrase(chain, text, voice, language, keeps)
    stream = await phrase.kept(avoid or (), meter)
    async with in_turn() if in_turn is not None and stream is None else _AT_ONCE:
        tried: list[OpenEngine] = []
        while True:
            items = stream or chain.stream(
                phrase.voiced, total=total, final=_is_audio, meter=meter, tried=tried, avoid=avoid
            )
            try:
                async for item in items:
                    phrase.note(item)
                    yield item
            except EngineError as error:
                if phrase.format is None:
                    raise
                if phrase.is_said:
                    return  # what is missing is the silence after the last word
                if not chain.has_another(tried) or not phrase.cut(take_back):
                    raise phrase.broken_off(meter, error) from error
                stream = None  # another goes on where it has died
            else:
                return
            finally:
                await close(items)


@dataclass(slots=True)
class _Phrase:
    """A phrase as far as it was said: up to the character `said`, `ms` of audio in `format`, with `marks`."""

    chain: Chain
    text: str
    voice: Voice
    language: str
    keeps: Callable[[str], bool]
    format: AudioFormat | None = None
    ms: float = 0.0
    said: int = 0
    said_ms: float = 0.0
    marked: bool = False
    marks: list[WordMark] = field(default_factory=list)

    def broken_off(self, meter: Meter, error: EngineError) -> EngineError:
        """Return what tells where the phrase ends, and why."""
        reasons = "; ".join(meter.troubles) or str(error)
        words = self.text[: self._last.char_end].split()
        place = f", after {' '.join(words[-3:])!r}" if words else ""
        return EngineError(f"{reasons}; the phrase ends after {self.ms / 1000:.1f} s{place}")

    @property
    def _last(self) -> WordMark:
        return self.marks[-1] if self.marks else WordMark(self.said, self.said_ms)

    @property
    def is_said(self) -> bool:
        """Whether every word was."""
        return self.marked and not _SPOKEN.search(self.text, self._last.char_end)

    def note(self, item: AudioChunk | WordMark) -> None:
        """Note what goes out."""
        if isinstance(item, WordMark):
            self.marks.append(item)
        else:
            self.format = self.format or item.format
            self.ms += item.ms

    def cut(self, take_back: TakeBack) -> bool:
        """Take back what came after the last whole word, so that the rest can be said; return whether that was done."""
        last = self._last
        if not self.marked or self.format is None or self.format.codec not in JOINABLE:
            return False
        end_ms = take_back(last.end_ms)
        if end_ms is None:
            return False
        gap = _AFTER_WORD.match(self.text, last.char_end) if last.char_end else None
        self.said = gap.end() if gap else last.char_end
        self.ms = self.said_ms = end_ms
        return True

    async def kept(self, avoid: Collection[OpenEngine], meter: Meter) -> Items | None:
        """Return the whole phrase as the first engine that can say it has said it before; None where it has not."""
        for engine in self.chain.engines:
            if engine.state != "ready" or engine in avoid:
                continue
            if isinstance(voice := engine.engine, CachedVoice):
                began, manner = now(), self._manner(voice)
                recorded = await voice.kept(self.text, voice=manner, language=self.language)
                meter.add(began, now())
                if recorded is not None:
                    self.keeps(voice.key(self.text, manner, self.language))
                    meter.engine, meter.kept = engine.spec.name, True
                    return self._made_by(recorded, manner)
            if not engine.unfit:
                return None
        return None

    def voiced(self, engine: Any) -> Items:
        """Yield what `engine` makes of the rest, as the continuation of what was said."""
        return self._made_by(engine, self._manner(engine))

    def _manner(self, engine: object) -> Voice:
        return self.voice if self.chain.is_first(engine) else replace(self.voice, name="")

    async def _made_by(self, engine: Any, voice: Voice) -> Items:
        self.marked = False
        text = self.text[self.said :]
        made = _Made(self.format, self.said_ms, max(MOST_MS, len(text) * MOST_MS_A_CHARACTER))
        marks: list[WordMark] = []
        heard = False
        if isinstance(engine, CachedVoice) and not self.keeps(engine.key(text, voice, self.language)):
            engine = engine.inner
        stream = engine.synthesize(text, voice=voice, language=self.language)
        async with closing(stream) as items:
            async for item in items:
                if isinstance(item, WordMark):
                    self.marked = True
                    marks.append(WordMark(self.said + item.char_end, self.said_ms + item.end_ms))
                else:
                    for audio in made.take(item):
                        yield audio
                        if not heard:
                            heard = True
                            await stand_back()  # a listener waits for this, and for no more as yet
                while marks and marks[0].end_ms <= made.until_ms + ROUNDING_MS:
                    yield marks.pop(0)
        for audio in made.end():
            yield audio
        for mark in marks if self.marked or not self.marks else self._estimated(made.until_ms):
            yield mark

    def _estimated(self, end_ms: float) -> Iterable[WordMark]:
        """Return marks in proportion for the rest, whose voice gave none: the phrase has some, so all its words do."""
        rest, lasts_ms = self.text[self.said :], end_ms - self.said_ms
        for word in _WORD.finditer(rest):
            yield WordMark(self.said + word.end(), self.said_ms + lasts_ms * word.end() / len(rest))


def _is_audio(item: AudioChunk | WordMark) -> bool:
    return isinstance(item, AudioChunk)


class _Made:
    """The audio of one engine on its way into a phrase: measured, and in the phrase's format where it has one.

    `until_ms` is where in the phrase it has come to. What makes no sound is held back until sound follows.
    """

    def __init__(self, format: AudioFormat | None, begin_ms: float, most_ms: float) -> None:
        self.until_ms = begin_ms
        self._end_ms = begin_ms + most_ms
        self._format = format
        self._given: AudioFormat | None = None
        self._measure = Measure()
        self._convert: Converter | None = None
        self._silent: list[AudioChunk] = []
        self._sounded = False

    def take(self, audio: AudioChunk) -> Iterable[AudioChunk]:
        """Return what `audio` completes.

        Raises `EngineError` for very much that is no sound, for sound without end and for a change of format, and
        `AudioError`.
        """
        self._given = self._given or audio.format
        if audio.format != self._given:
            raise EngineError(f"began as {self._given} and went on as {audio.format}")
        measured = self._measure.take(audio)
        if self._format is None:
            return self._sounding(measured)
        if self._convert is None:
            self._convert = converter(audio.format, self._format)
        return self._sounding([made for piece in measured for made in self._convert.feed(piece.data)])

    def end(self) -> Iterable[AudioChunk]:
        """Return what was held back. Raises `EngineError` where there was no sound at all."""
        rest = list(self._sounding(self._convert.flush() if self._convert is not None else []))
        if not self._sounded:
            raise EngineError("gave no audio" + (" that can be read" if self._silent else ""))
        return rest

    def _sounding(self, chunks: Iterable[AudioChunk]) -> Iterable[AudioChunk]:
        for chunk in chunks:
            self._silent.append(chunk)
            self.until_ms += chunk.ms
            self._sounded = self._sounded or chunk.ms > 0
            if self._sounded:
                ready, self._silent = self._silent, []
                yield from ready
        if self.until_ms > self._end_ms:
            raise EngineError("does not come to an end of the phrase")
        if sum(len(chunk.data) for chunk in self._silent) > MAX_SILENT_BYTES:
            raise EngineError(f"gave {MAX_SILENT_BYTES // 1024} KiB that are no sound")
