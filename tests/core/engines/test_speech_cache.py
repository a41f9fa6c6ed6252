"""The speech cache: what is the same phrase, what is kept of it, and that nobody waits for it."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import aclosing, asynccontextmanager

import pytest

from mynah.audio import AudioChunk, AudioFormat
from mynah.engines.protocols import TextToSpeech, Warmable
from mynah.engines.speech_cache import DISK_WAIT_S, LONGEST, WRITES, CachedVoice, SpeechCache, speech_key
from mynah.engines.speech_store import SpeechStore
from mynah.errors import EngineError
from mynah.specs import EngineSpec
from mynah.testing.engines import ScriptedTextToSpeech, scripted
from mynah.values import Grounding, Hints, Voice, WordMark

MIB = 1 << 20
PCM = AudioFormat("pcm_s16le", 16_000, 1)
MP3 = AudioFormat("mp3", 24_000, 1)
SAID = {"voice": Voice(), "language": "en"}


class Script:
    """A voice that gives these items, whatever the text; an exception among them is raised."""

    def __init__(self, *items):
        self.items = items
        self.begun = 0
        self.closed = 0

    async def synthesize(self, text, *, voice, language):
        self.begun += 1
        try:
            for item in self.items:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.closed += 1


class WarmScript(Script):
    warmed = ()

    async def warm_up(self, grounding, hints):
        self.warmed = (*self.warmed, grounding.persona)


@asynccontextmanager
async def cache_in(folder, *, memory=MIB, disk=MIB):
    cache = SpeechCache(folder / "speech", memory_bytes=memory, disk_bytes=disk)
    try:
        yield cache
    finally:
        await cache.close()


@asynccontextmanager
async def voice_of(cache, engine, *, name="voice", options=None):
    async with cache.keeping(scripted("tts", engine, name=name, cached=True)).open(options or {}, None) as voice:
        yield voice


async def say(voice, text="hello there", **changes):
    """Return what is heard: what is kept, or else what the engine says."""
    how = {**SAID, **changes}
    voice = await voice.kept(text, **how) or voice
    async with aclosing(voice.synthesize(text, **how)) as items:
        return [item async for item in items]


async def written(cache, entries):
    async with asyncio.timeout(10):
        while cache.describe()["disk_entries"] < entries:  # noqa: ASYNC110  # a thread's work, which nobody signals
            await asyncio.sleep(0.002)


def chunk(size=320, fill=1):
    return AudioChunk(bytes([fill]) * size, PCM, size / 32)


# ---------------------------------------------------------------- what is the same phrase


def test_the_same_words_of_the_same_voice_have_the_same_key():
    key = speech_key("edge", {"rate": 1, "url": "x"}, "Hello.", Voice("a", rate=1), "en")
    assert key == speech_key("edge", {"url": "x", "rate": 1}, "Hello.", Voice("a", rate=1.0), "en")
    assert len(key) == 64


def test_anything_that_may_sound_different_has_another_key():
    plain = ("edge", {"url": "x"}, "Hello.", Voice(), "en")
    others = [
        ("openai", *plain[1:]),
        *((plain[0], options, *plain[2:]) for options in (
            {}, {"url": "y"}, {"url": "x", "model": None}, {"url": ["x"]}, {"url": {"x": 1}}, {"url": 1}, {"url": "1"},
            {"url": True},
        )),
        *((*plain[:2], text, *plain[3:]) for text in ("hello.", "Hello", " Hello.", "", "H\u00e9llo.", "\udc80")),
        *((*plain[:3], voice, "en") for voice in (
            Voice("en-GB"), Voice(gender="female"), Voice(rate=1.1), Voice(pitch=1.1), Voice(volume=0.9),
            Voice(rate=0.9, pitch=1.1), Voice(rate=1.1, pitch=0.9),
        )),
        (*plain[:4], "en-GB"),
    ]  # fmt: skip
    keys = {speech_key(*each) for each in (plain, *others)}
    assert len(keys) == 1 + len(others)


async def test_engines_and_options_do_not_share_what_they_said(tmp_path):
    async with cache_in(tmp_path) as cache:
        engines = [Script(chunk()) for _ in range(3)]
        async with (
            voice_of(cache, engines[0]) as first,
            voice_of(cache, engines[1], name="other") as second,
            voice_of(cache, engines[2], options={"speed": 2}) as third,
        ):
            for voice in (first, second, third) * 2:
                await say(voice)
    assert [engine.begun for engine in engines] == [1, 1, 1]


# ---------------------------------------------------------------- what goes by


async def test_what_an_engine_gives_goes_by_unchanged_and_at_once(tmp_path):
    moments = []

    class Slow:
        async def synthesize(self, text, *, voice, language):
            assert (text, voice, language) == ("hello there", Voice("x"), "de")
            for item in given:
                moments.append(("made", item))
                yield item
                await asyncio.sleep(0)

    given = [WordMark(5, 9.5), chunk(), AudioChunk(b"", PCM), chunk(7, 2), WordMark(11, 20)]
    async with (
        cache_in(tmp_path) as cache,
        voice_of(cache, Slow()) as voice,
        aclosing(voice.synthesize("hello there", voice=Voice("x"), language="de")) as items,
    ):
        async for item in items:
            moments.append(("given", item))
    assert [item for kind, item in moments if kind == "given"] == given
    assert all(item is same for item, same in zip((i for k, i in moments if k == "given"), given, strict=True))
    assert [kind for kind, _ in moments] == ["made", "given"] * 5


async def test_the_second_time_the_engine_is_not_asked_and_the_items_are_the_same(tmp_path):
    engine = ScriptedTextToSpeech(marks=True, pieces=9)
    async with cache_in(tmp_path) as cache, voice_of(cache, engine) as voice:
        first = await say(voice)
        assert await say(voice) == first
        assert engine.calls.begun == 1
        assert sum(isinstance(item, WordMark) for item in first) == 2
        told = cache.describe()
        assert (told["hits"], told["misses"], told["memory_entries"]) == (1, 1, 1)


async def test_others_have_their_turn_between_two_chunks_of_what_is_kept(tmp_path):
    engine = Script(*(chunk(640, number % 250) for number in range(1000)))  # 20 s
    turns = 0

    async def other():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with cache_in(tmp_path) as cache, voice_of(cache, engine) as voice:
        await say(voice)
        task = asyncio.ensure_future(other())
        kept = await say(voice)
        task.cancel()
    assert [len(item.data) for item in kept] == [640] * 1000
    assert turns >= 1000


async def test_a_restart_finds_what_was_said_on_disk(tmp_path):
    engine = ScriptedTextToSpeech(marks=True)
    async with cache_in(tmp_path) as cache, voice_of(cache, engine) as voice:
        first = await say(voice)
    async with cache_in(tmp_path) as cache, voice_of(cache, engine) as voice:
        await written(cache, 1)
        assert await say(voice) == first
        assert await say(voice) == first
        assert cache.describe()["memory_entries"] == 1
    assert engine.calls.begun == 1


async def test_what_is_asked_before_the_folder_was_looked_at_is_found_too(tmp_path, monkeypatch):
    engine = Script(chunk())
    async with cache_in(tmp_path) as cache, voice_of(cache, engine) as voice:
        await say(voice)
    release = threading.Event()
    monkeypatch.setattr(SpeechStore, "open", lambda store: release.wait(10))
    async with cache_in(tmp_path) as cache, voice_of(cache, engine) as voice:
        assert await say(voice) == [chunk()]
        release.set()
    assert engine.begun == 1


async def test_two_who_ask_at_once_are_both_served_at_once(tmp_path):
    engine = ScriptedTextToSpeech()
    async with cache_in(tmp_path) as cache, voice_of(cache, engine) as voice:
        first, second = await asyncio.gather(say(voice), say(voice))
        assert first == second == await say(voice)
        await written(cache, 1)
        assert cache.describe()["memory_entries"] == 1
    assert engine.calls.begun == 2


# ---------------------------------------------------------------- what is not kept


async def test_an_interrupted_phrase_is_not_kept_and_its_engine_is_let_go_at_once(tmp_path):
    engine = Script(chunk(), chunk(), chunk())
    async with cache_in(tmp_path) as cache, voice_of(cache, engine) as voice:
        async with aclosing(voice.synthesize("hello there", **SAID)) as items:
            await anext(items)
            await anext(items)
            await anext(items)  # all of it was given, but the engine did not say so yet
        assert engine.closed == 1
        assert cache.describe()["memory_entries"] == 0
        await say(voice)
    assert engine.begun == 2


async def test_a_cancelled_phrase_is_not_kept(tmp_path):
    engine = ScriptedTextToSpeech(total_s=100)
    async with cache_in(tmp_path) as cache, voice_of(cache, engine) as voice:
        task = asyncio.ensure_future(say(voice))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        assert (engine.calls.begun, engine.calls.ended) == (1, 1)
        assert cache.describe()["memory_entries"] == 0


@pytest.mark.parametrize(
    "items",
    [
        (chunk(), EngineError("it broke off")),
        (EngineError("at once"),),
        (),
        (WordMark(5, 10),),
        (AudioChunk(b"", PCM),),
        (AudioChunk(b"<html>", MP3), AudioChunk(b"too many requests" * 200, MP3)),
        (chunk(), AudioChunk(b"x", AudioFormat("mp3", 16_000, 1))),
        tuple(chunk(LONGEST // 4) for _ in range(5)),
    ],
    ids=["broke off", "failed", "nothing", "no audio", "empty audio", "no sound", "two formats", "too long"],
)
async def test_what_is_not_a_whole_phrase_is_passed_on_and_not_kept(tmp_path, items):
    engine = Script(*items)
    async with cache_in(tmp_path) as cache:
        async with voice_of(cache, engine) as voice:
            for times in (1, 2):
                if items and isinstance(items[-1], EngineError):
                    with pytest.raises(EngineError, match=str(items[-1])):
                        await say(voice)
                else:
                    assert await say(voice) == list(items)
                assert engine.begun == engine.closed == times
        await cache.close()
        assert cache.describe()["memory_entries"] == 0
    assert list((tmp_path / "speech").iterdir()) == []


async def test_only_voices_that_want_it_are_cached(tmp_path):
    async with cache_in(tmp_path) as cache:
        uncached, model = scripted("tts", Script()), scripted("llm", object(), cached=True)
        assert cache.keeping(uncached) is uncached
        assert cache.keeping(model) is model
        assert cache.keeps(scripted("tts", Script(), cached=True))
        assert not (tmp_path / "speech").exists()


async def test_with_both_limits_at_zero_there_is_no_cache(tmp_path):
    async with cache_in(tmp_path, memory=0, disk=0) as cache:
        spec = scripted("tts", Script(), cached=True)
        assert cache.keeping(spec) is spec
        assert set(cache.describe().values()) == {0}


# ---------------------------------------------------------------- limits


async def test_memory_keeps_what_was_used_last(tmp_path):
    engine = Script(chunk(1000))
    async with cache_in(tmp_path, memory=3 * 1128, disk=0) as cache, voice_of(cache, engine) as voice:
        for text in ("a", "b", "c", "a", "d"):
            await say(voice, text)
        assert engine.begun == 4
        await say(voice, "a")
        assert engine.begun == 4
        await say(voice, "b")
        assert engine.begun == 5
        assert cache.describe()["memory_bytes"] == 3 * 1128
    assert not (tmp_path / "speech").exists()


async def test_without_memory_the_disk_answers(tmp_path):
    engine = Script(chunk(1000))
    async with cache_in(tmp_path, memory=0) as cache, voice_of(cache, engine) as voice:
        first = await say(voice)
        await written(cache, 1)
        assert await say(voice) == first
        assert cache.describe()["memory_bytes"] == 0
    assert engine.begun == 1


async def test_memory_stays_within_its_limit_whatever_comes(tmp_path):
    async with cache_in(tmp_path, memory=10_000, disk=0) as cache:
        for number in range(1, 60):
            async with voice_of(cache, Script(chunk(number * 211)), name=f"v{number}") as voice:
                await say(voice)
            told = cache.describe()
            assert told["memory_bytes"] <= 10_000
            assert (told["memory_bytes"] > 0) == (told["memory_entries"] > 0)


# ---------------------------------------------------------------- a bad disk


async def test_a_slow_disk_does_not_hold_up_the_first_audio_and_serves_the_next_time(tmp_path, monkeypatch):
    engine = Script(chunk())
    async with cache_in(tmp_path) as cache, voice_of(cache, engine) as voice:
        await say(voice)
    release, read = threading.Event(), SpeechStore.read

    def slow(store, key):
        release.wait(10)
        return read(store, key)

    monkeypatch.setattr(SpeechStore, "read", slow)
    async with cache_in(tmp_path, disk=2 * MIB) as cache, voice_of(cache, engine) as voice:
        await written(cache, 1)
        began = time.monotonic()
        assert await voice.kept("hello there", **SAID) is None
        async with aclosing(voice.synthesize("hello there", **SAID)) as items:
            await anext(items)
            took = time.monotonic() - began
        assert DISK_WAIT_S * 0.9 <= took < DISK_WAIT_S + 1
        assert engine.begun == 2
        release.set()
        async with asyncio.timeout(10):
            while not cache.describe()["memory_entries"]:  # noqa: ASYNC110  # a thread's work, which nobody signals
                await asyncio.sleep(0.002)
        await say(voice)
        assert engine.begun == 2


async def test_a_phrase_that_was_never_said_waits_for_no_disk(tmp_path, monkeypatch):
    def never(store, key):
        raise AssertionError("the disk was asked")

    async with cache_in(tmp_path) as cache, voice_of(cache, Script(chunk())) as voice:
        await say(voice, "one")
        await written(cache, 1)
        monkeypatch.setattr(SpeechStore, "read", never)
        assert await say(voice, "two") == [chunk()]


async def test_a_disk_that_does_not_keep_up_gets_less_to_write_and_holds_nobody_up(tmp_path, monkeypatch):
    release, write = threading.Event(), SpeechStore.write

    def slow(store, key, recording):
        release.wait(10)
        write(store, key, recording)

    monkeypatch.setattr(SpeechStore, "write", slow)
    async with cache_in(tmp_path) as cache, voice_of(cache, Script(chunk())) as voice:
        began = time.monotonic()
        for number in range(3 * WRITES):
            assert await say(voice, str(number)) == [chunk()]
        assert time.monotonic() - began < 5
        release.set()
    assert 0 < len(list((tmp_path / "speech").iterdir())) <= WRITES


async def test_without_a_usable_folder_memory_still_serves_and_the_log_says_so_once(tmp_path, caplog):
    (tmp_path / "speech").write_text("a file where the folder should be")
    engine = Script(chunk())
    async with cache_in(tmp_path) as cache, voice_of(cache, engine) as voice:
        for text in ("one", "two", "one", "two"):
            assert await say(voice, text) == [chunk()]
    assert engine.begun == 2
    assert len(caplog.records) == 1
    assert "speech cannot be kept in" in caplog.text


async def test_a_call_that_outlives_the_cache_is_served_by_its_engine(tmp_path):
    engine = Script(chunk())
    cache = SpeechCache(tmp_path / "speech", memory_bytes=0, disk_bytes=MIB)
    async with voice_of(cache, engine) as voice:
        await say(voice, "one")
        await cache.close()
        assert await say(voice, "one") == await say(voice, "two") == [chunk()]
    assert engine.begun == 3


async def test_secrets_among_the_options_are_not_on_disk(tmp_path):
    secret = "sk-very-secret-0123456789"
    options = {"api_key": secret, "more": {"token": secret}}
    async with cache_in(tmp_path) as cache, voice_of(cache, Script(chunk()), options=options) as voice:
        await say(voice, "the text is nobody's business either")
    files = list((tmp_path / "speech").iterdir())
    assert len(files) == 1
    data = files[0].name.encode() + files[0].read_bytes()
    assert secret.encode() not in data
    assert b"business" not in data


# ---------------------------------------------------------------- what it looks like from above


async def test_it_is_a_voice_and_warms_up_only_if_the_engine_does(tmp_path):
    warm = WarmScript(chunk())
    async with cache_in(tmp_path) as cache, voice_of(cache, Script()) as plain, voice_of(cache, warm) as warmable:
        assert isinstance(plain, CachedVoice)
        assert isinstance(plain, TextToSpeech)
        assert not isinstance(plain, Warmable)
        assert isinstance(warmable, Warmable)
        await warmable.warm_up(Grounding("owl"), Hints())
    assert warm.warmed == ("owl",)


async def test_an_engine_that_cannot_be_opened_fails_as_before(tmp_path):
    async with cache_in(tmp_path) as cache:
        spec = cache.keeping(scripted("tts", Script(), fault="no such server", cached=True))
        with pytest.raises(EngineError, match="no such server"):
            async with spec.open({}, None):
                pass


async def test_everything_else_of_the_spec_stays_as_it_is(tmp_path):
    async with cache_in(tmp_path) as cache:
        spec = EngineSpec(name="v", kind="tts", open=lambda options, folder: None, max_parallel=2, stagger_ms=5)
        cached = cache.keeping(spec)
        assert cached.open is not spec.open
        assert (cached.name, cached.max_parallel, cached.stagger_ms) == ("v", 2, 5)


# ---------------------------------------------------------------- what is forgotten


async def test_what_is_forgotten_is_neither_in_memory_nor_on_disk(tmp_path):
    engine = Script(chunk())
    async with cache_in(tmp_path) as cache, voice_of(cache, engine) as voice:
        await say(voice, "secret")
        await say(voice, "other")
        await cache.forget([voice.key("secret", **SAID)])
        told = cache.describe()
        assert (told["memory_entries"], told["disk_entries"], told["memory_bytes"] > 0) == (1, 1, True)
        assert await voice.kept("secret", **SAID) is None
        assert await voice.kept("other", **SAID) is not None


async def test_all_is_forgotten_but_stock_phrases_even_what_waits_for_the_disk(tmp_path):
    async with cache_in(tmp_path) as cache, voice_of(cache, Script(chunk())) as voice:
        voice.note_stock([("hello there", Voice(), "en")])
        for text in ("hello there", "one", "two"):
            await say(voice, text)
        await cache.forget()
        assert (cache.describe()["memory_entries"], cache.describe()["disk_entries"]) == (1, 1)
        assert await voice.kept("hello there", **SAID) is not None


async def test_what_is_being_read_while_it_is_forgotten_does_not_come_back(tmp_path, monkeypatch):
    engine = Script(chunk())
    async with cache_in(tmp_path) as cache, voice_of(cache, engine) as voice:
        await say(voice)
    release, read = threading.Event(), SpeechStore.read

    def slow(store, key):
        found = read(store, key)
        release.wait(10)
        return found

    monkeypatch.setattr(SpeechStore, "read", slow)
    async with cache_in(tmp_path) as cache, voice_of(cache, engine) as voice:
        await written(cache, 1)
        assert await voice.kept("hello there", **SAID) is None  # the disk takes too long
        await cache.forget()
        release.set()
        await asyncio.sleep(0.05)
        assert cache.describe()["memory_entries"] == 0


async def test_what_another_program_deletes_goes_from_memory_too(tmp_path, monkeypatch):
    monkeypatch.setattr("mynah.engines.speech_cache.WATCH_S", 0.01)
    told = asyncio.Event()
    async with cache_in(tmp_path, disk=0) as cache, voice_of(cache, Script(chunk())) as voice:
        watching = asyncio.create_task(cache.watch(told.set))
        voice.note_stock([("hello there", Voice(), "en")])
        for text in ("hello there", "one"):
            await say(voice, text)
        SpeechStore(tmp_path / "speech", MIB).forget()
        await asyncio.wait_for(told.wait(), 10)
        assert cache.describe()["memory_entries"] == 1
        watching.cancel()
        await asyncio.wait({watching})
