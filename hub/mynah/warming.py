"""What is made ready before the first turn would wait for it: codecs, models, and what personas say by themselves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from mynah.audio import LISTENING, AudioFormat, converter
from mynah.audio.chime import chime
from mynah.bus import EventBus
from mynah.conversation.persona import Persona
from mynah.conversation.stock import Rehearsal
from mynah.engines.chain import OpenEngine
from mynah.engines.protocols import Warmable
from mynah.errors import MynahError
from mynah.events import EngineReady, SessionOpened
from mynah.values import Grounding, Hints

log = logging.getLogger(__name__)

OPEN_WITHIN_S: Final = 10.0
"""How long engines are waited for before those that are there are made ready."""


class Warming:
    """Makes a hub's engines ready for its personas as they open, or come back.

    First for those that are `expected`; for any other when a session with it opens, as models of speech take seconds
    and megabytes for each persona, and most hubs have one.
    """

    def __init__(
        self,
        engines: Collection[OpenEngine],
        personas: Mapping[str, Persona],
        bus: EventBus,
        expected: Callable[[], Iterable[str]],
    ) -> None:
        self._engines = engines
        self._personas = personas
        self._bus = bus
        self._expected = expected
        self._names: list[str] = []
        self._warmed: dict[tuple[OpenEngine, str], int] = {}
        self._warm = asyncio.Event()

    async def run(self, *, models: bool) -> None:
        """Make ready what the first turn would otherwise wait for, of the engines only where `models` says so."""
        with self._bus.subscribe((EngineReady, SessionOpened), name="warm-up") as happened:
            await asyncio.to_thread(_load_codecs)
            await self.engines_settled(OPEN_WITHIN_S)
            if not models:
                self._warm.set()
                return
            self._names = [name for name in self._personas if name in set(self._expected())]
            await self._warm_engines()
            self._warm.set()
            async for event in happened:
                if isinstance(event, SessionOpened):
                    if event.persona not in self._personas or event.persona in self._names:
                        continue
                    self._names.append(event.persona)
                await self._warm_engines()

    async def rehearse(self, rehearsal: Rehearsal) -> None:
        """Run `rehearsal` once all is ready, and whenever an engine has opened."""
        with self._bus.subscribe(EngineReady, name="stock phrases") as opened:
            await self._warm.wait()
            await rehearsal.run(opened)

    async def engines_settled(self, within_s: float) -> None:
        """Wait until every engine is open or has failed, for at most `within_s`."""
        waits = [asyncio.ensure_future(each.settled.wait()) for each in self._engines if not each.settled.is_set()]
        if waits:
            _, pending = await asyncio.wait(waits, timeout=within_s)
            for wait in pending:
                wait.cancel()

    async def warm(self, within_s: float) -> None:
        """Wait until the engines that opened are ready for the personas expected at first, for at most `within_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._warm.wait()

    async def _warm_engines(self) -> None:
        """Warm every engine up that has opened since it was warm, and for every persona that came since."""
        for engine in self._engines:
            for name in self._names:
                if engine.openings > self._warmed.get((engine, name), 0):
                    self._warmed[engine, name] = engine.openings
                    await self._warm_engine(engine, self._personas[name])

    async def _warm_engine(self, engine: OpenEngine, persona: Persona) -> None:
        if engine.state != "ready" or not isinstance(engine.engine, Warmable):
            return
        name = persona.spec.name
        try:
            for grounding, hints in await asyncio.to_thread(_spoken, persona):
                await engine.engine.warm_up(grounding, hints)
        except Exception as error:
            # A supervisor's duty, as for components; an engine that is not warm works all the same.
            known = isinstance(error, MynahError)
            log.warning("%s could not make ready for %s: %s", engine.spec.name, name, error,
                        exc_info=None if known else error)  # fmt: skip


def _spoken(persona: Persona) -> list[tuple[Grounding, Hints]]:
    """Return what engines are told of a persona in each of its languages. Reads its knowledge."""
    name = persona.spec.name
    return [
        (Grounding(name, language, persona.knowledge_in(language)), persona.hints(language))
        for language in persona.languages
    ]


def _load_codecs() -> None:
    """Import the codecs and what chimes need, which takes a tenth of a second, before somebody waits for them."""
    converter(AudioFormat("pcm_s16le", 22_050, 1), LISTENING).feed(bytes(2_205))
    chime("failure")
