"""The engine: each phrase is a call of its own, any number of them side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mynah import AudioChunk, EngineError, EngineUnavailable, Grounding, Hints, Voice, WordMark
from mynah_edge_tts.config import Options
from mynah_edge_tts.manner import manner
from mynah_edge_tts.marks import WordMarks
from mynah_edge_tts.text import clean, speakable
from mynah_edge_tts.voices import Catalogue, EdgeVoice

if TYPE_CHECKING:
    from mynah_edge_tts.call import Boundary, Call, Request
    from mynah_edge_tts.listing import VoiceList
    from mynah_edge_tts.network import Addresses

AGAIN_WITHIN_S: Final = 1.0
"""A call that was lost later than this is not tried again: the next engine is the quicker one."""


@asynccontextmanager
async def open_edge_tts(config: Mapping[str, Any], folder: Path) -> AsyncIterator[EdgeTts]:
    """Open the engine; nothing is asked of the service yet, and `folder` is not used.

    Raises `EngineUnavailable` without the client, or with a voice that cannot be one.
    """
    options = Options.parse(config)
    await asyncio.to_thread(_load)
    from mynah_edge_tts.listing import VoiceList
    from mynah_edge_tts.network import Addresses

    table = Catalogue.built_in()
    preferred = _preferred(options, table)
    addresses = Addresses(options.connect_timeout)
    listing = VoiceList(options, addresses)
    engine = EdgeTts(options, Voices(options, preferred, table, listing), addresses)
    try:
        yield engine
    finally:
        await engine.stop()
        await listing.close()


def _load() -> None:
    """Import the client, which takes 0.2 s. Raises `EngineUnavailable` where it is not installed."""
    try:
        import edge_tts  # noqa: F401  # the others import it
    except ImportError as error:
        raise EngineUnavailable(f"edge_tts needs its client ({error}); run: pip install 'mynah[edge]'") from error
    import mynah_edge_tts.call
    import mynah_edge_tts.listing  # noqa: F401  # so that the event loop finds it loaded


def _preferred(options: Options, table: Catalogue) -> EdgeVoice | None:
    if not options.voice:
        return None
    if voice := table.named(options.voice) or EdgeVoice.of(options.voice):
        return voice
    raise EngineUnavailable(
        f"engines → tts → edge_tts → voice: there is no voice {options.voice!r}{table.close_to(options.voice)}"
    )


class Voices:
    """Chooses a voice: from the built-in table, and from the service's list where that does not do."""

    def __init__(self, options: Options, preferred: EdgeVoice | None, table: Catalogue, listing: VoiceList) -> None:
        self._options = options
        self._preferred = preferred
        self._table = table
        self._listing = listing

    def knows(self, name: str) -> bool:
        """Return whether the built-in table has a voice of that name."""
        return self._table.named(name) is not None

    async def choose(self, voice: Voice, language: str) -> EdgeVoice:
        """Return the voice for a text. Raises `EngineError` naming what comes close where there is none."""
        if voice.name:
            return self._table.named(voice.name) or await self._listed(voice.name)
        preferred, gender = self._preferred, voice.gender or self._options.gender
        if preferred and preferred.speaks(language) and voice.gender in ("", preferred.gender):
            return preferred
        return self._table.for_language(language, gender) or await self._listed_for(language, voice)

    async def warm_up(self) -> None:
        """Have the list fetched. Raises `EngineError` where the service cannot be reached."""
        await self._listing.voices()

    async def _listed(self, name: str) -> EdgeVoice:
        well_formed, known = EdgeVoice.of(name), self._table
        if well_formed is not None:
            try:
                known = await self._listing.voices()
            except EngineError:
                return well_formed  # the service itself will say whether it has it
            if found := known.named(name):
                return found
        raise EngineError(f"Edge has no voice {name!r}{known.close_to(name)}")

    async def _listed_for(self, language: str, voice: Voice) -> EdgeVoice:
        known = await self._listing.voices()
        if found := known.for_language(language, voice.gender or self._options.gender):
            return found
        raise EngineError(f"Edge has no voice for the language {language!r}{known.close_to(language)}")


class EdgeTts:
    """Text to speech by Microsoft Edge's voices; gives MP3 and word marks."""

    def __init__(self, options: Options, voices: Voices, addresses: Addresses) -> None:
        self._options = options
        self._voices = voices
        self._addresses = addresses
        self._calls: set[Call] = set()
        self._closed = False
        self._warm = False

    def knows_voice(self, name: str) -> bool:
        """Return whether it is one of those that are built in; the service may have more."""
        return self._voices.knows(name)

    async def synthesize(self, text: str, *, voice: Voice, language: str) -> AsyncIterator[AudioChunk | WordMark]:
        """Yield the audio of `text` as it comes, 24 kHz mono MP3, and each word's mark.

        `voice.name` is a voice of the service; without it language and gender choose. Text is never taken for
        markup. Closing the generator cuts the connection. Raises `EngineError`.
        """
        from mynah_edge_tts.call import Boundary, Request

        cleaned = clean(text)
        if not speakable(cleaned):
            return
        chosen = await self._voices.choose(voice, language)
        request = Request(cleaned, chosen, manner(self._options, voice, female=chosen.gender != "male"))
        marks = WordMarks(cleaned)
        async with aclosing(self._said(request)) as items:
            async for item in items:
                if isinstance(item, Boundary):
                    for mark in marks.take(item.word, item.end_ms):
                        yield mark
                else:
                    yield item
        for mark in marks.finish():
            yield mark

    async def warm_up(self, grounding: Grounding, hints: Hints) -> None:
        """Look the service's address up and see whether it answers, by asking for its list of voices; once."""
        if not self._warm:
            self._warm = True
            await self._voices.warm_up()

    async def stop(self) -> None:
        """Cut every call; whoever still consumes one gets an `EngineError`."""
        self._closed = True
        for call in tuple(self._calls):
            await call.hang_up()

    async def _said(self, request: Request) -> AsyncGenerator[AudioChunk | Boundary, None]:
        """Yield what one call gives, or a second one where the first was lost at once, before it gave anything."""
        from mynah_edge_tts.troubles import Passing

        given, loop = False, asyncio.get_running_loop()
        again_until = loop.time() + AGAIN_WITHIN_S
        try:
            async with aclosing(self._one_call(request)) as items:
                async for item in items:
                    given = True
                    yield item
        except Passing:
            if given or self._closed or loop.time() > again_until:
                raise
        else:
            return
        async with aclosing(self._one_call(request)) as items:
            async for item in items:
                yield item

    async def _one_call(self, request: Request) -> AsyncGenerator[AudioChunk | Boundary, None]:
        from mynah_edge_tts.call import Call

        if self._closed:
            raise EngineUnavailable("edge_tts is closed")
        call = Call(request, self._options, self._addresses)
        self._calls.add(call)
        try:
            async with aclosing(call.items()) as items:
                async for item in items:
                    yield item
        except EngineError as error:
            if self._closed:
                raise EngineUnavailable("edge_tts was closed while it spoke") from error
            raise
        finally:
            self._calls.discard(call)
