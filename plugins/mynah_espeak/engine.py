"""The engine: one worker thread speaks, generators hand on what it says.

A text goes to the library in pieces of a sentence or a few, and the next piece only when the one before it has been
consumed. So calls take turns at the library, a consumer that is slow holds nobody up, and what waits for it is at most
one piece's audio: nothing ever waits while it holds the library, and nothing can dead-lock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from mynah import AudioChunk, AudioFormat, EngineError, EngineUnavailable, Voice, WordMark
from mynah_espeak.config import MAX_PITCH, MAX_VOLUME, MAX_WPM, MIN_WPM, Options
from mynah_espeak.library import BUFFER_MS, Library, Manner, SpeechEvent
from mynah_espeak.text import WordMarks, clean, pauses_after, pieces
from mynah_espeak.voices import Catalogue

MAX_PIECE_S: Final = 300
_MAX_CHUNKS: Final = MAX_PIECE_S * 1000 // BUFFER_MS


@asynccontextmanager
async def open_espeak(config: Mapping[str, Any], folder: Path) -> AsyncIterator[Espeak]:
    """Open the engine; `folder` is not used. Raises `EngineUnavailable` without the library or the voice."""
    options = Options.parse(config)
    executor = ThreadPoolExecutor(1, thread_name_prefix="espeak")
    try:
        library, catalogue = await asyncio.get_running_loop().run_in_executor(executor, _load, options)
        engine = Espeak(library, catalogue, options, executor)
        try:
            yield engine
        finally:
            engine.stop()
    finally:
        # Every job polls its stop flag each 60 ms of audio, that is in well under a millisecond.
        await asyncio.to_thread(executor.shutdown, wait=True, cancel_futures=True)


def _load(options: Options) -> tuple[Library, Catalogue]:
    """Load the library and say a word, as a voice's first word costs 5 to 20 ms more than the next."""
    library = Library.load()
    catalogue = library.catalogue()
    try:
        voice = catalogue.choose("en", name=options.voice)
    except EngineError as error:
        raise EngineUnavailable(f"engines → tts → espeak → voice: {error}") from error
    library.speak("one", Manner(voice), lambda data, events: True)
    return library, catalogue


class Espeak:
    """Text to speech by espeak-ng; gives mono PCM and word marks."""

    def __init__(self, library: Library, catalogue: Catalogue, options: Options, executor: ThreadPoolExecutor) -> None:
        self._library = library
        self._catalogue = catalogue
        self._options = options
        self._executor = executor
        self._jobs: set[Job] = set()
        self._closed = False
        self.format = AudioFormat("pcm_s16le", library.sample_rate, 1)

    async def synthesize(self, text: str, *, voice: Voice, language: str) -> AsyncIterator[AudioChunk | WordMark]:
        """Yield the audio of `text` in chunks of up to 60 ms, each followed by the marks that fall into it.

        `voice.name` is a voice, a variant or both (`en-us+f2`); without it `language` chooses. Text is never taken
        for markup. Raises `EngineError` for an unknown voice or language.
        """
        manner = self._manner(voice, language)
        said_ms = 0.0
        for offset, piece in pieces(clean(text)):
            if self._closed:
                raise EngineUnavailable("espeak is closed")
            job = Job(piece, manner, WordMarks(piece, self.format.rate, offset=offset, start_ms=said_ms))
            self._jobs.add(job)
            try:
                job.submit(self._executor, self._library)
                while (part := await job.parts.get()) is not None:
                    data, marks = part
                    if data:
                        ms = self.format.pcm_ms(len(data))
                        said_ms += ms
                        yield AudioChunk(data, self.format, ms)
                    for mark in marks:
                        yield mark
                job.check()
            finally:
                job.stop()
                self._jobs.discard(job)

    def knows_voice(self, name: str) -> bool:
        """Return whether there is a voice or a variant of that name."""
        try:
            return any(self._catalogue.named(name))
        except EngineError:
            return False

    def stop(self) -> None:
        """Stop everything that is being said; whoever still consumes it gets an `EngineError`."""
        self._closed = True
        for job in self._jobs:
            job.stop(EngineUnavailable("espeak was closed while it spoke"))

    def _manner(self, voice: Voice, language: str) -> Manner:
        options = self._options
        return Manner(
            voice=self._catalogue.choose(language, name=voice.name, preferred=options.voice, gender=voice.gender),
            rate=_within(options.rate * voice.rate, MIN_WPM, MAX_WPM),
            pitch=_within(options.pitch * voice.pitch, 0, MAX_PITCH),
            volume=_within(options.volume * voice.volume, 0, MAX_VOLUME),
            gap=options.gap,
        )


def _within(value: float, low: int, high: int) -> int:
    return round(min(max(value, low), high))


class Job:
    """One piece of text on its way through the worker thread. Made, consumed and stopped on the event loop."""

    def __init__(self, text: str, manner: Manner, marks: WordMarks) -> None:
        # Room for the longest piece and its end; `_receive` stops the library before it could be exceeded.
        self.parts: asyncio.Queue[tuple[bytes, list[WordMark]] | None] = asyncio.Queue(_MAX_CHUNKS + 2)
        self._loop = asyncio.get_running_loop()
        self._text = text
        self._manner = manner
        self._marks = marks
        self._chunks = 0
        self._stopped = False
        self._error: BaseException | None = None
        self._future: Future[None] | None = None

    def submit(self, executor: ThreadPoolExecutor, library: Library) -> None:
        """Queue this piece for the worker thread; one piece a call waits there at most."""
        self._future = executor.submit(self._run, library)

    def stop(self, error: EngineError | None = None) -> None:
        """Make the worker leave this piece, and wake the consumer with `error` if one is given."""
        self._stopped = True
        if self._future is not None:
            self._future.cancel()
        if error is not None and self._error is None:
            self._error = error
            while not self.parts.empty():
                self.parts.get_nowait()
            self.parts.put_nowait(None)

    def check(self) -> None:
        """Raise what went wrong, once all parts have been consumed."""
        if self._error is not None:
            raise self._error

    def _run(self, library: Library) -> None:
        error: BaseException | None = None
        try:
            if not self._stopped:
                library.speak(self._text, self._manner, self._receive, end_pause=pauses_after(self._text))
        except BaseException as caught:  # noqa: BLE001 - raised where the audio is consumed
            error = caught
        self._post(self._finish, error)

    def _receive(self, data: bytes, events: list[SpeechEvent]) -> bool:
        if self._stopped:
            return False
        self._chunks += 1
        if self._chunks > _MAX_CHUNKS:
            raise EngineError(f"{len(self._text)} characters take espeak more than {MAX_PIECE_S} s; shorten them")
        marks = [mark for event in events if (mark := self._marks.take(event))]
        if data or marks:
            self._post(self._accept, (data, marks))
            # Without this the library takes the GIL back before the event loop has woken up, and the loop waits 5 ms.
            time.sleep(0)
        return True

    def _post(self, call: Any, argument: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, argument)
        except RuntimeError:
            # The loop is closed: nobody is left to hear it.
            self._stopped = True

    def _accept(self, part: tuple[bytes, list[WordMark]]) -> None:
        if not self._stopped:
            self.parts.put_nowait(part)

    def _finish(self, error: BaseException | None) -> None:
        if not self._stopped:
            self._error = error
            self.parts.put_nowait(None)
