"""The speech cache: a phrase that a voice has said before is heard again without asking the engine.

Voices are wrapped where they are opened, so that chains know nothing of it; whoever says a phrase looks first at what
is `kept`. The cache fills while audio goes by, and nobody ever waits for it: memory is asked first, the disk for a
moment only, and files are written in a thread.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from mynah.audio import AudioChunk, Converter, converter
from mynah.engines.limits import closing
from mynah.engines.protocols import KnowsVoices, TextToSpeech, Warmable
from mynah.engines.speech_store import VERSION, Recording, SpeechStore
from mynah.errors import AudioError
from mynah.specs import EngineSpec
from mynah.values import Grounding, Hints, Voice, WordMark

log = logging.getLogger(__name__)

LONGEST: Final = 2 << 20
"""Bytes of a recording that is kept; a minute of speech at 16 kHz."""

DISK_WAIT_S: Final = 0.05
"""How long a listener waits for the disk; what comes later serves the next one."""

READS: Final = 4
"""Files that are read at once; with a disk that slow the engine is asked instead."""

WRITES: Final = 8
"""Recordings that wait for the disk; more are not kept there."""

WATCH_S: Final = 1.0
"""How often it is looked whether another program has deleted something."""

END_S: Final = 2.0
"""How long the end of the hub waits for what is being written."""

_ITEM_BYTES: Final = 128
"""What a chunk or a mark takes in memory besides its audio."""


class SpeechCache:
    """Recordings in memory, up to `memory_bytes`, and in `folder`, up to `disk_bytes`; 0 switches each off."""

    def __init__(self, folder: Path, *, memory_bytes: int, disk_bytes: int) -> None:
        self.hits = 0
        self.misses = 0
        self._memory: OrderedDict[str, Recording] = OrderedDict()
        self._memory_bytes = 0
        self._memory_limit = memory_bytes
        self._folder = SpeechStore(folder, disk_bytes)
        self._store = self._folder if disk_bytes else None
        self._stock: frozenset[str] = frozenset()
        self._forgettings = 0
        self._forgotten_at = self._folder.forgotten_at()
        self._opened = False
        self._closed = False
        # One writer, as the store wants it. Their threads begin with their first task.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="speech-cache-writer")
        self._readers = ThreadPoolExecutor(READS, thread_name_prefix="speech-cache-reader")
        self._reading: set[asyncio.Future[Any]] = set()
        self._writing: set[asyncio.Future[Any]] = set()

    def keeps(self, spec: EngineSpec) -> bool:
        """Whether what that engine gives is kept."""
        return spec.kind == "tts" and spec.cached and (self._store is not None or self._memory_limit > 0)

    def keeping(self, spec: EngineSpec) -> EngineSpec:
        """Return `spec` with what its voice says kept; one that is not to be cached as it is."""
        if not self.keeps(spec):
            return spec

        def open_cached(options: Mapping[str, Any], folder: Path) -> AbstractAsyncContextManager[CachedVoice]:
            return self._wrapped(spec, options, folder)

        return replace(spec, open=open_cached)

    @asynccontextmanager
    async def _wrapped(self, spec: EngineSpec, options: Mapping[str, Any], folder: Path) -> AsyncIterator[CachedVoice]:
        if self._store is not None and not self._opened:
            self._opened = True
            self._run(self._writer, self._writing, self._store.open)
        async with spec.open(options, folder) as engine:
            kind = WarmableCachedVoice if isinstance(engine, Warmable) else CachedVoice
            yield kind(engine, self, spec.name, options)

    async def find(self, key: str) -> Recording | None:
        """Return what is kept, if it is there at once or nearly so."""
        recording = self._memory.get(key)
        if recording is not None:
            self._memory.move_to_end(key)
            return recording
        store = self._store
        if store is None or self._closed or not store.may_hold(key) or len(self._reading) >= READS:
            return None
        read, before = self._run(self._readers, self._reading, store.read, key), self._forgettings
        read.add_done_callback(lambda done: self._note_read(key, done, before))
        await asyncio.wait((read,), timeout=DISK_WAIT_S)
        return read.result() if _succeeded(read) else None

    def keep(self, key: str, recording: Recording) -> None:
        """Keep a recording in memory at once, and on disk when there is time. Never blocks."""
        self._remember(key, recording)
        if self._store is not None and not self._closed and len(self._writing) < WRITES:
            self._run(self._writer, self._writing, self._store.write, key, recording)

    def note_stock(self, keys: Collection[str]) -> None:
        """Note which recordings are of stock phrases, which `forget` lets be."""
        self._stock = frozenset(keys)
        if self._store is not None and not self._closed:
            self._run(self._writer, self._writing, self._store.note_stock, self._stock)

    async def forget(self, keys: Collection[str] | None = None) -> None:
        """Delete these recordings, or all, from memory and disk; stock phrases stay.

        Raises `StorageError` where the disk refuses.
        """
        self._drop(keys)
        if not self._closed:
            # After all that waits to be written. Where nothing is kept on disk any more, something may be from before.
            await asyncio.get_running_loop().run_in_executor(self._writer, self._folder.forget, keys)
            self._forgotten_at = self._folder.forgotten_at()

    async def watch(self, forgotten: Callable[[], None]) -> None:
        """Empty the memory where another program has deleted recordings, and call `forgotten`; runs until cancelled."""
        while True:
            await asyncio.sleep(WATCH_S)
            at = self._folder.forgotten_at()
            if at != self._forgotten_at:
                self._forgotten_at = at
                self._drop()
                forgotten()

    def _drop(self, keys: Collection[str] | None = None) -> None:
        """Drop these recordings, or all, from memory, and what is being read now."""
        self._forgettings += 1
        for key in tuple(self._memory if keys is None else keys):
            if key not in self._stock and (dropped := self._memory.pop(key, None)) is not None:
                self._memory_bytes -= dropped.size

    def describe(self) -> Mapping[str, int]:
        """Return how much was found and what is kept."""
        return {
            "hits": self.hits,
            "misses": self.misses,
            "memory_entries": len(self._memory),
            "memory_bytes": self._memory_bytes,
            "disk_entries": self._store.entries if self._store else 0,
            "disk_bytes": self._store.used if self._store else 0,
        }

    async def close(self) -> None:
        """Let what is being written be written, but do not wait for long; the disk is not used any more."""
        self._closed = True
        if self._writing:
            await asyncio.wait(self._writing, timeout=END_S)
        for executor in (self._writer, self._readers):
            executor.shutdown(wait=False, cancel_futures=True)

    def _remember(self, key: str, recording: Recording) -> None:
        old = self._memory.pop(key, None)
        self._memory_bytes -= old.size if old else 0
        if recording.size > self._memory_limit:
            return
        self._memory[key] = recording
        self._memory_bytes += recording.size
        while self._memory_bytes > self._memory_limit:
            _, oldest = self._memory.popitem(last=False)
            self._memory_bytes -= oldest.size

    def _note_read(self, key: str, read: asyncio.Future[Recording | None], forgettings: int) -> None:
        recording = read.result() if _succeeded(read) else None
        if recording is not None and forgettings == self._forgettings:
            self._remember(key, recording)

    def _run(
        self, executor: Executor, running: set[asyncio.Future[Any]], work: Any, *arguments: Any
    ) -> asyncio.Future[Any]:
        """Run `work` in a thread, as one of those `running`."""
        future = asyncio.get_running_loop().run_in_executor(executor, work, *arguments)
        running.add(future)
        future.add_done_callback(running.discard)
        future.add_done_callback(_report)
        return future


class CachedVoice:
    """A voice in front of another: passes on what the other says, and keeps it once complete."""

    def __init__(self, voice: TextToSpeech, cache: SpeechCache, name: str, options: Mapping[str, Any]) -> None:
        self.inner: Any = voice
        self._cache = cache
        self._name = name
        self._options = options

    async def synthesize(self, text: str, *, voice: Voice, language: str) -> AsyncIterator[AudioChunk | WordMark]:
        """Yield what the engine gives now."""
        self._cache.misses += 1
        tape = Tape()
        async with closing(self.inner.synthesize(text, voice=voice, language=language)) as items:
            async for item in items:
                tape.add(item)
                yield item
        recording = tape.recording()
        if recording is not None:
            self._cache.keep(self.key(text, voice, language), recording)

    async def kept(self, text: str, *, voice: Voice, language: str) -> KeptVoice | None:
        """Return a voice that says what the engine gave for the same before, if that is kept.

        It is no call of the engine: it works while that rests, and says nothing of how it is.
        """
        recording = await self._cache.find(self.key(text, voice, language))
        if recording is None:
            return None
        self._cache.hits += 1
        return KeptVoice(recording)

    async def has(self, text: str, *, voice: Voice, language: str) -> bool:
        """Return whether that is kept; if so, it is in memory afterwards as far as there is room."""
        return await self._cache.find(self.key(text, voice, language)) is not None

    def knows_voice(self, name: str) -> bool:
        """Return whether the engine says that it knows a voice of that name."""
        return isinstance(self.inner, KnowsVoices) and self.inner.knows_voice(name)

    def note_stock(self, phrases: Iterable[tuple[str, Voice, str]]) -> None:
        """Note what is said by itself, again and again: texts, how, and in which language."""
        self._cache.note_stock([self.key(*phrase) for phrase in phrases])

    def key(self, text: str, voice: Voice, language: str) -> str:
        """Return the name under which a phrase is kept."""
        return speech_key(self._name, self._options, text, voice, language)


class WarmableCachedVoice(CachedVoice):
    """The same for a voice that can make ready for a persona."""

    async def warm_up(self, grounding: Grounding, hints: Hints) -> None:
        """Let the engine make ready."""
        await self.inner.warm_up(grounding, hints)


class KeptVoice:
    """A voice that can say one thing: what is recorded."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    async def synthesize(self, text: str, *, voice: Voice, language: str) -> AsyncIterator[AudioChunk | WordMark]:
        """Yield what the engine gave, in the same pieces."""
        for item in self._recording.items:
            yield item
            await asyncio.sleep(0)  # others have their turn between two chunks, as they do with an engine


class Tape:
    """Records what goes by, up to `LONGEST` bytes."""

    def __init__(self) -> None:
        self._items: list[AudioChunk | WordMark] = []
        self._size = 0
        self._sounds = False
        self._meter: Converter | None = None
        self._spoilt = False

    def add(self, item: AudioChunk | WordMark) -> None:
        """Record one item."""
        if self._spoilt:
            return
        self._size += _ITEM_BYTES + (len(item.data) if isinstance(item, AudioChunk) else 0)
        self._items.append(item)
        if isinstance(item, AudioChunk) and item.data and not self._sounds:
            self._listen(item)
        if self._size > LONGEST:
            self._spoilt = True
        if self._spoilt:
            self._items.clear()

    def _listen(self, chunk: AudioChunk) -> None:
        """Find out whether it is sound: a page of HTML that came as MP3 must not be kept for good."""
        if chunk.format.is_pcm or chunk.ms:
            self._sounds = True
            return
        try:
            self._meter = self._meter or converter(chunk.format, chunk.format)
            self._sounds = any(piece.ms for piece in self._meter.feed(chunk.data))
        except AudioError:
            self._spoilt = True

    def recording(self) -> Recording | None:
        """Return what was recorded; None where it is too long, has no sound or is of several formats."""
        formats = {item.format for item in self._items if isinstance(item, AudioChunk)}
        if self._spoilt or not self._sounds or len(formats) != 1:
            return None
        return Recording(tuple(self._items), self._size)


def speech_key(engine: str, options: Mapping[str, Any], text: str, voice: Voice, language: str) -> str:
    """Return the name under which a phrase is kept: a hash, as an engine's options may hold secrets."""
    manner = {name: float(value) if isinstance(value, int) else value for name, value in asdict(voice).items()}
    asked = [VERSION, engine, _plain(options), text, manner, language]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Return `value` as JSON can have it, equal for equal values and different for different ones."""
    if isinstance(value, Mapping):
        return {"mapping": sorted(([str(key), _plain(each)] for key, each in value.items()), key=lambda pair: pair[0])}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return {type(value).__qualname__: str(value)}


def _succeeded(future: asyncio.Future[Any]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _report(future: asyncio.Future[Any]) -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        log.error("the speech cache failed", exc_info=error)  # a defect: what a disk may do is dealt with in the store
