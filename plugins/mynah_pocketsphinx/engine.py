"""The engine on the hub's side: hands audio to worker processes, as PocketSphinx holds the interpreter's lock."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

from mynah import LISTENING, AudioFormat, EngineError, Grounding, Hints, Transcript, WorkerPool
from mynah_pocketsphinx.config import Options
from mynah_pocketsphinx.models import key_of

_REMEMBERED: Final = 16

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_pocketsphinx(config: Mapping[str, Any], folder: Path) -> AsyncIterator[Pocketsphinx]:
    """Open the engine. Raises `EngineUnavailable` where PocketSphinx is not installed."""
    options = Options.parse(config)
    place = nullcontext(str(folder / "models")) if options.cache else _temporary()
    with place as home:
        arguments = (home, options.background, options.confidence)
        async with WorkerPool("mynah_pocketsphinx.recognizer:create", arguments, options.workers) as pool:
            engine = Pocketsphinx(pool, options.background)
            try:
                yield engine
            finally:
                await engine.close()


def _temporary() -> tempfile.TemporaryDirectory[str]:
    # A worker that is being killed may still write into it.
    return tempfile.TemporaryDirectory(prefix="mynah-pocketsphinx-", ignore_cleanup_errors=True)


class Pocketsphinx:
    """Speech recognition for the questions of a persona, in English."""

    def __init__(self, pool: WorkerPool, background: float) -> None:
        self._pool = pool
        self._background = background
        self._keys: deque[tuple[Hints, str]] = deque(maxlen=_REMEMBERED)
        self._prepared: dict[str, asyncio.Task[None]] = {}

    async def warm_up(self, grounding: Grounding, hints: Hints) -> None:
        """Build or load the persona's language model. Raises `EngineError` where that fails."""
        if _is_english(grounding.language):
            await self._prepare(await self._key(hints), hints)

    async def transcribe(
        self, audio: AsyncIterator[bytes], format: AudioFormat, *, language: str | None, hints: Hints
    ) -> AsyncIterator[Transcript]:
        """Yield partial transcripts about every 200 ms of audio where they change, and the final one after its end.

        Raises `EngineError` for another language than English and for audio that is not in `LISTENING`.
        """
        if not _is_english(language):
            raise EngineError(
                f"PocketSphinx knows only English, not {language!r}; configure another recogniser, such as whisper"
            )
        if format != LISTENING:
            raise EngineError(f"PocketSphinx listens to {LISTENING}, not to {format}")
        key = await self._key(hints)
        await self._prepare(key, hints)
        try:
            async with aclosing(self._pool.stream("transcribe", audio, key)) as transcripts:
                async for transcript in transcripts:
                    assert isinstance(transcript, Transcript)
                    yield transcript
        except EngineError:
            self._prepared.pop(key, None)  # the model may have gone from the disk; look again the next time
            raise

    async def close(self) -> None:
        """Give up the models that are being built."""
        tasks = tuple(self._prepared.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _key(self, hints: Hints) -> str:
        # A persona's hints are one object; thousands of questions are not to be hashed for every turn.
        for known, key in self._keys:
            if known is hints:
                return key
        key = await asyncio.to_thread(key_of, hints, self._background)
        self._keys.append((hints, key))
        return key

    async def _prepare(self, key: str, hints: Hints) -> None:
        """Wait until the model of `key` is there; it is built once, whoever waits or gives up waiting."""
        task = self._prepared.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._prepared[key] = asyncio.create_task(self._build(key, hints), name="pocketsphinx-model")
        await asyncio.shield(task)

    async def _build(self, key: str, hints: Hints) -> None:
        seconds = await self._pool.call("prepare", key, hints)
        log.info("ready for %d questions after %.2f s", len(hints.questions), seconds)


def _is_english(language: str | None) -> bool:
    return language is None or language.lower().replace("_", "-").split("-")[0] == "en"
