"""The engine: translations in threads, told as they come, stopped when nobody wants them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, Final

from mynah import EngineError, InputError, MynahError, primary_language
from mynah_ctranslate2.model import Model, load

MOST_CHARS: Final = 2_000
"""The longest text that is taken: models are made for sentences."""


@dataclass(frozen=True, slots=True)
class _End:
    error: Exception | None = None


@asynccontextmanager
async def open_ctranslate2(config: Mapping[str, Any], folder: Path) -> AsyncIterator[CTranslate2]:
    """Open the engine; a model is looked for in `folder` where its path is not absolute and it is not found else.

    Raises `EngineUnavailable`.
    """
    model = await asyncio.to_thread(_load, config, folder)
    pool = ThreadPoolExecutor(config["workers"], thread_name_prefix="ctranslate2")
    try:
        yield CTranslate2(model, pool, config["max_tokens"])
    finally:
        await asyncio.to_thread(pool.shutdown, cancel_futures=True)


def _load(config: Mapping[str, Any], folder: Path) -> Model:
    place = Path(config["model"]).expanduser()
    if not place.is_absolute() and not place.exists():
        place = folder / place
    return load(place, config)


class CTranslate2:
    """Translates by a model on this computer."""

    def __init__(self, model: Model, pool: ThreadPoolExecutor, max_tokens: int) -> None:
        self._model = model
        self._pool = pool
        self._pieces = max_tokens + 2  # more than a translation has, so that the thread never waits

    async def translate(self, text: str, *, source: str, target: str) -> AsyncIterator[str]:
        """Yield the translation as it is made. Raises `InputError` for languages that the model does not know."""
        if not text.strip():
            return
        if primary_language(source) == primary_language(target):
            yield text
            return
        if len(text) > MOST_CHARS:
            raise InputError(f"a model takes {MOST_CHARS} characters at most, not {len(text)}")
        loop, stop = asyncio.get_running_loop(), Event()
        queue: asyncio.Queue[str | _End] = asyncio.Queue(maxsize=self._pieces)

        def work() -> None:
            end = _End()
            try:
                if not stop.is_set():
                    for piece in self._model.translate(text, source, target, stop):
                        loop.call_soon_threadsafe(queue.put_nowait, piece)
            except Exception as error:  # noqa: BLE001  # whatever it is, it is raised where the translation is read
                end = _End(error)
            loop.call_soon_threadsafe(queue.put_nowait, end)

        job = loop.run_in_executor(self._pool, work)
        try:
            while not isinstance(item := await queue.get(), _End):
                yield item
        finally:
            stop.set()
            job.cancel()
        if isinstance(item.error, MynahError):
            raise item.error
        if item.error is not None:
            raise EngineError(f"the model failed: {item.error}") from item.error
