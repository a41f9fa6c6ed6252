"""The engine on the hub's side: follows each utterance with decodes, and hands on what they give."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from mynah import LISTENING, AudioFormat, EngineError, EngineUnavailable, Grounding, Hints, Transcript
from mynah_whisper import models
from mynah_whisper.config import Options
from mynah_whisper.course import Course
from mynah_whisper.fetching import fetch
from mynah_whisper.languages import asked, code, tag
from mynah_whisper.loading import load
from mynah_whisper.progress import Progress
from mynah_whisper.recognizer import SHORTEST, Found, Recognizer, Stretch
from mynah_whisper.settling import Window
from mynah_whisper.slots import Slots
from mynah_whisper.utterance import Utterance
from mynah_whisper.vocabulary import vocabulary_of
from mynah_whisper.voice import VoiceTrack, load_detector

SURE_LANGUAGE: Final = 0.5
"""From here on, 0 to 1, a language that was heard is not listened for again in the utterance."""

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_whisper(config: Mapping[str, Any], folder: Path) -> AsyncIterator[Whisper]:
    """Open the engine; models are looked for in `folder` and fetched to it. Raises `EngineUnavailable`."""
    options = Options.parse(config)
    if importlib.util.find_spec("faster_whisper") is None:
        raise EngineUnavailable("engines → stt → whisper: not installed; run: pip install 'mynah[whisper]'")
    if options.overlap_s >= options.window_s:
        raise EngineUnavailable(
            f"engines → stt → whisper → overlap_s: {options.overlap_s:g} is not less than window_s "
            f"({options.window_s:g})"
        )
    place = await asyncio.to_thread(models.find, options.model, folder)
    if place is None:
        place = await fetch(options.model, folder)
    with Progress(f"loading the model {options.model}"):
        recognizer, detector = await asyncio.to_thread(_load, place, options)
    log.info("Whisper %s on %s, %d workers", options.model, recognizer.device, options.workers)
    slots = Slots(options.workers)
    try:
        yield Whisper(recognizer, detector, slots, options)
    finally:
        slots.close()


def _load(place: Path, options: Options) -> tuple[Recognizer, Any]:
    return load(place, options), load_detector()


class Whisper:
    """Speech to text by Whisper, for any number of sessions at once."""

    def __init__(self, recognizer: Recognizer, detector: Any, slots: Slots, options: Options) -> None:
        self._recognizer = recognizer
        self._detector = detector
        self._slots = slots
        self._options = options

    async def warm_up(self, grounding: Grounding, hints: Hints) -> None:
        """Decode a little silence with the persona's words, so that its first turn finds all in its place.

        Does nothing for a persona whose language the model does not know.
        """
        try:
            language = self._code(asked(self._options.language, grounding.language))
        except EngineError as error:
            log.info("not made ready for %s: %s", grounding.persona or "a persona", error)
            return
        stretch = Stretch(bytes(2 * SHORTEST), language, vocabulary_of(self._options.hotwords, hints))
        await self._slots.run(lambda: partial(self._recognizer.decode, stretch), time.monotonic())

    async def transcribe(
        self, audio: AsyncIterator[bytes], format: AudioFormat, *, language: str | None, hints: Hints
    ) -> AsyncIterator[Transcript]:
        """Yield partial transcripts where windows change them, and the final one after at most one more decode.

        Raises `EngineError` for a language that the model does not know and for audio that is not in `LISTENING`.
        """
        if format != LISTENING:
            raise EngineError(f"Whisper listens to {LISTENING}, not to {format}")
        wanted = asked(self._options.language, language)
        known = self._code(wanted)
        utterance = Utterance(VoiceTrack(self._detector, self._options.speech))
        vocabulary = vocabulary_of(self._options.hotwords, hints)
        hearing = _Hearing(utterance, self._recognizer, self._slots, Course(self._options), known, vocabulary)
        reader = asyncio.create_task(utterance.read(audio), name="whisper-audio")
        try:
            before: tuple[str, int] = ("", 0)
            while await hearing.follow(self._options.step_s):
                transcript = self._transcript(hearing, wanted, final=False)
                if transcript.text and (transcript.text, transcript.settled) != before:
                    before = (transcript.text, transcript.settled)
                    yield transcript
            await reader  # what the audio's own source raises is for whoever consumes the transcripts
            await hearing.finish()
            yield self._transcript(hearing, wanted, final=True)
        finally:
            await _given_up(reader)

    def _code(self, language: str | None) -> str:
        return code(language, self._recognizer.knows, self._recognizer.name)

    def _transcript(self, hearing: _Hearing, wanted: str | None, *, final: bool) -> Transcript:
        course = hearing.course
        language = wanted or (tag(hearing.language) if hearing.language else None)
        if not self._recognizer.multilingual:
            language = language or "en"
        if hearing.utterance.speech.first is None or not (course.text or course.doubtful):
            return Transcript("", final, hearing.utterance.silence, language)
        understood = course.text != "" and course.confidence >= self._options.confidence
        text, settled = (course.text, course.settled) if understood else ("", 0)
        return Transcript(text, final, course.confidence, language, understood, settled)


class _Hearing:
    """One utterance on its way through the decodes."""

    def __init__(
        self, utterance: Utterance, recognizer: Recognizer, slots: Slots, course: Course, language: str,
        vocabulary: tuple[str, ...],
    ) -> None:  # fmt: skip
        self.utterance = utterance
        self.course = course
        self.language = language
        self._recognizer = recognizer
        self._slots = slots
        self._known = language
        self._vocabulary = vocabulary
        self._window = Window(0.0, 0.0)
        self._decoded_to = 0.0

    async def follow(self, patience_s: float) -> bool:
        """Wait until a window is due and decode it; return False where the utterance has ended instead."""
        utterance = self.utterance
        while not self.course.due(utterance.now, utterance.speech):
            self._forget()
            if utterance.ended.is_set():
                return False
            await utterance.more()
        if utterance.ended.is_set():
            return False
        return await self._until_the_end(asyncio.create_task(self._decode(time.monotonic() + patience_s)))

    async def finish(self) -> None:
        """Decode what is left: nothing, or one window, unless more than 30 s wait to be decoded."""
        utterance = self.utterance
        while not self.course.covers(utterance.speech) and self._decoded_to < utterance.now:
            await self._decode(time.monotonic(), last=True)

    async def _until_the_end(self, decode: asyncio.Task[None]) -> bool:
        """Wait for a decode; where the speech ends meanwhile, give it up unless it has all of the speech."""
        ended = asyncio.create_task(self.utterance.ended.wait())
        try:
            await asyncio.wait({decode, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not decode.done() and not self.course.would_cover(self._window, self.utterance.speech):
                return False
            await decode
            return True
        finally:
            await _given_up(decode, ended)

    async def _decode(self, due: float, *, last: bool = False) -> None:
        found = await self._slots.run(self._prepare, due)
        if not self._known:
            self.language = found.language
            self._known = found.language if found.language_sure >= SURE_LANGUAGE else ""
        self._decoded_to = self._window.end  # not before: a decode that is given up has decoded nothing
        self.course.take(found.decoded, self._window, last=last and not self._window.full)
        self._forget()

    def _prepare(self) -> partial[Found]:
        """Cut out the audio as it is when a worker is free for it."""
        utterance = self.utterance
        self._window = self.course.window(utterance.begin, utterance.now)
        audio = utterance.cut(self._window.begin, self._window.end)
        return partial(self._recognizer.decode, Stretch(audio, self._known, self._vocabulary))

    def _forget(self) -> None:
        before = self.course.rest(self.utterance.now, self.utterance.speech)
        if before is not None:
            self.utterance.forget(before)


async def _given_up(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait for their end, which is at hand; what they failed with is nobody's any more."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()
