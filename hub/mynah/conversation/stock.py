"""Stock phrases: what personas say again and again, spoken ahead into the speech cache while nobody is there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mynah.conversation.persona import Persona
from mynah.conversation.phrasing import PhraseSplitter
from mynah.engines.limits import Meter, closing
from mynah.engines.open_engine import OpenEngine
from mynah.engines.speech_cache import CachedVoice
from mynah.errors import MynahError, cause
from mynah.speakers import Speaker
from mynah.values import Voice

log = logging.getLogger(__name__)

BUSY_POLL_S: Final = 1.0
"""How often it is looked whether everybody is quiet."""


@dataclass(frozen=True, slots=True)
class StockPhrase:
    """A phrase as a turn asks a voice for it."""

    text: str
    voice: Voice
    language: str


def stock_phrases(
    personas: Mapping[str, Persona], speakers: Iterable[Speaker], default: str | None, *, early: bool = True
) -> Sequence[StockPhrase]:
    """Return what every persona says by itself: as it is, and as each speaker's language and context make it.

    `early` is that of `PhraseSplitter`. Reads the personas' knowledge. Raises `MynahError` where that is faulty.
    """
    scenes: list[tuple[Persona, str, Mapping[str, str]]] = [
        (persona, language, {}) for persona in personas.values() for language in persona.languages
    ]
    default = default or next(iter(personas), None)
    for speaker in speakers:
        persona = personas.get(speaker.persona or default or "")
        if persona is not None:
            scenes.append((persona, speaker.language or persona.spec.language, speaker.context))
    return list(dict.fromkeys(phrase for scene in scenes for phrase in _phrases(*scene, early)))


def _phrases(persona: Persona, language: str, context: Mapping[str, str], early: bool) -> Iterator[StockPhrase]:
    spec = persona.spec
    acknowledgement = persona.text(spec.acknowledgement, language).strip()
    if acknowledgement:  # said as it is; what follows is cut as any reply is
        yield StockPhrase(acknowledgement, spec.voice, language)
    said = (persona.text(spec.not_understood, language), persona.text(spec.unknown, language))
    for text in (persona.greeting(context, language), *said):
        splitter = PhraseSplitter(spec.first_phrase_words, language, early=early)
        for phrase in [*splitter.feed(text.strip()), *splitter.flush()]:
            yield StockPhrase(phrase.text, spec.voice, language)


@dataclass(slots=True)
class Rehearsal:
    """Has `engine` say the phrases that are not in the cache, one at a time, and only while nobody is `busy`.

    `total` is the limit for one phrase in seconds.
    """

    engine: OpenEngine
    phrases: Callable[[], Sequence[StockPhrase]]
    busy: Callable[[], bool]
    total: float

    async def run(self, opened: AsyncIterable[object]) -> None:
        """Go through all phrases now and whenever an engine has `opened`; runs until cancelled."""
        try:
            phrases = await asyncio.to_thread(self.phrases)
        except MynahError as error:
            log.info("stock phrases are not spoken ahead: %s", error)
            return
        done = 0
        if self.engine.openings:
            done = self.engine.openings
            await self._go_through(phrases)
        async for _ in opened:
            if self.engine.openings > done:
                done = self.engine.openings
                await self._go_through(phrases)

    async def _go_through(self, phrases: Sequence[StockPhrase]) -> None:
        spoken = 0
        try:
            if isinstance(voice := self.engine.engine, CachedVoice):
                voice.note_stock((phrase.text, phrase.voice, phrase.language) for phrase in phrases)
            for phrase in phrases:
                spoken += await self._rehearse(phrase)
        except Exception as error:  # noqa: BLE001  # a supervisor's duty; a voice that cannot be had now is asked in the turn
            reason = cause(error)
            log.info("%s does not speak stock phrases ahead, as it failed: %s", self.engine.spec.name, reason)
        if spoken:
            log.info("%s has spoken %d stock phrases ahead", self.engine.spec.name, spoken)

    async def _rehearse(self, phrase: StockPhrase) -> bool:
        """Have one phrase in the cache; return whether the engine had to say it."""
        while True:
            while self.busy():  # noqa: ASYNC110  # the clock, not a signal, says that a loudspeaker is done
                await asyncio.sleep(BUSY_POLL_S)
            voice = self.engine.engine
            if not isinstance(voice, CachedVoice) or self.engine.resting:
                return False
            if await voice.has(phrase.text, voice=phrase.voice, language=phrase.language):
                return False
            if await self._say(voice, phrase):
                return True

    async def _say(self, voice: CachedVoice, phrase: StockPhrase) -> bool:
        """Say it to nobody; False where somebody came meanwhile, so that it was left."""
        engine = self.engine

        def say(_: CachedVoice) -> AsyncIterator[object]:
            return voice.synthesize(phrase.text, voice=phrase.voice, language=phrase.language)

        async with closing(await engine.call(say, self.total, None, Meter(), probe=True)) as items:
            async for _ in items:
                if self.busy():
                    return False
        return True
