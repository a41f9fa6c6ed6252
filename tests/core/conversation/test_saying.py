"""Voices that die in the middle of a phrase, as heard at the outlet of a session: no word is heard twice."""

from __future__ import annotations

import asyncio
import itertools
import logging
from array import array
from dataclasses import dataclass, field

import pytest

from mynah.audio import LISTENING, AudioChunk, AudioFormat, converter
from mynah.bus import EventBus
from mynah.conversation.saying import say_phrase
from mynah.engines.chain import Chain, Meter, OpenEngine
from mynah.errors import EngineError, InputError
from mynah.outputs import PhraseFailed, SpeechChunk, SpeechEnded, SpeechStarted, TurnFinished
from mynah.specs import PersonaSpec
from mynah.testing.engines import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech, scripted
from mynah.testing.hubs import scripted_engines
from mynah.testing.virtual_time import run_in_virtual_time
from mynah.timeline import now
from mynah.values import Voice, WordMark

MP3 = AudioFormat("mp3", 24_000, 1)
WORD_MS = 500
PIECE_MS = 50
TEXT = "Alpha bravo charlie delta. Echo foxtrot golf hotel."
VOCABULARY = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"]


def plain(word):
    return word.strip(".,").lower()


@dataclass
class WordVoice:
    """Says each word as 500 ms of one level, which tells the engine and the word; dies after `dies_ms`."""

    number: int
    marks: bool = True
    fault: str = ""
    dies_ms: float = 0.0
    fail_on: str = "bravo"
    format: AudioFormat = LISTENING
    said: list[str] = field(default_factory=list)
    voices: list[str] = field(default_factory=list)

    async def synthesize(self, text, *, voice, language):
        self.said.append(text)
        self.voices.append(voice.name)
        convert, made = converter(LISTENING, self.format), 0.0
        end = 0
        for number, word in enumerate(text.split(), 1):
            end = text.index(word, end) + len(word)
            if self.marks:
                yield WordMark(end - len(word) + len(word.strip(".,")), number * WORD_MS)
            level = 1000 * self.number + VOCABULARY.index(plain(word)) * 100
            for _ in range(WORD_MS // PIECE_MS):
                if self.fault and made >= self.dies_ms and self.fail_on in text:
                    await self.die()
                data = array("h", [level] * (LISTENING.pcm_bytes(PIECE_MS) // 2)).tobytes()
                made += PIECE_MS
                for chunk in convert.feed(data):
                    yield chunk
        for chunk in convert.flush():
            yield chunk

    async def die(self):
        if self.fault == "raise":
            raise EngineError("refused")
        if self.fault == "crash":
            raise RuntimeError("a defect")
        await asyncio.get_running_loop().create_future()


def heard(data):
    """Return which engine said which word for how many milliseconds."""
    step = LISTENING.pcm_bytes(10)
    levels = [round(array("h", data[at : at + 2])[0] / 100) for at in range(0, len(data), step)]
    return [(level // 10, VOCABULARY[level % 10], 10 * len(list(same))) for level, same in itertools.groupby(levels)]


def whole(number, *words):
    return [(number, word, WORD_MS) for word in words]


def voices(*engines, persona=None):
    others = [spec for spec in scripted_engines() if getattr(spec, "kind", "") != "tts"]
    given = [scripted("tts", engine, name=f"v{number}") for number, engine in enumerate(engines, 1)]
    return (*others, *given, *([persona] if persona else []))


def config(*engines, next_timeout=0.3, **more):
    entry = {"first_timeout": 0.4, "next_timeout": next_timeout}
    return {"engines": {"tts": [{"engine": f"v{n}", **entry} for n in range(1, len(engines) + 1)]}, **more}


FAULTS = ["raise", "hang", "crash"]
PACED, AT_ONCE = 100.0, None


@pytest.fixture
def say(in_room):
    """Say the text with these engines, and return the room with all that came of it."""

    def run(*engines, buffer_ms=PACED, formats=(), text=TEXT, meanwhile=None):
        rooms = []

        async def scenario(room):
            rooms.append(room)
            room.session.say(text)
            if meanwhile is not None:
                await meanwhile(room)
            assert isinstance(await room.turn_over(), TurnFinished)

        in_room(
            scenario, specs=voices(*engines), config=config(*engines), buffer_ms=buffer_ms, formats=formats,
        )  # fmt: skip
        return rooms[0]

    return run


def check_places(room):
    """Every chunk begins where the one before ended, and each phrase is as long as it says."""
    at_ms = 0.0
    for chunk in room.of(SpeechChunk):
        assert chunk.at_ms == pytest.approx(at_ms)
        at_ms += chunk.audio.ms
    for ended in room.of(SpeechEnded):
        lasts = sum(chunk.audio.ms for chunk in room.of(SpeechChunk) if chunk.phrase == ended.phrase)
        assert ended.ms == pytest.approx(lasts)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("marks", [True, False])
@pytest.mark.parametrize("buffer_ms", [PACED, AT_ONCE])
@pytest.mark.parametrize("others", [1, 2])
def test_a_voice_that_dies_before_any_audio_is_replaced_from_the_start(say, fault, marks, buffer_ms, others):
    dead = WordVoice(1, marks, fault, fail_on="")
    room = say(dead, *(WordVoice(number, marks) for number in range(2, 2 + others)), buffer_ms=buffer_ms)
    assert heard(room.audio()) == whole(2, *VOCABULARY)
    assert not room.of(PhraseFailed)
    assert room.at(SpeechChunk) < (0.4 if fault == "hang" else 0) + 0.1
    check_places(room)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("others", [1, 2])
def test_a_voice_that_dies_in_mid_phrase_is_followed_after_its_last_whole_word(say, fault, others):
    two = WordVoice(2)
    room = say(WordVoice(1, True, fault, 1250), two, *(WordVoice(3) for _ in range(others - 1)))
    assert heard(room.audio())[:4] == [*whole(1, "alpha", "bravo"), *whole(2, "charlie", "delta")]
    assert [plain(word) for _, word, _ in heard(room.audio())] == VOCABULARY
    assert two.said[0] == "charlie delta."
    assert not room.of(PhraseFailed)
    assert [ended.ms for ended in room.of(SpeechEnded)] == [2000, 2000]
    assert len(room.of(SpeechStarted)) == 2
    check_places(room)


@pytest.mark.parametrize("fault", FAULTS)
def test_three_voices_may_share_one_phrase(say, fault):
    three = WordVoice(3)
    one, two = WordVoice(1, True, fault, 750), WordVoice(2, True, fault, 1050, "charlie")
    room = say(one, two, three, text="Alpha bravo charlie delta.")
    assert heard(room.audio()) == [*whole(1, "alpha"), *whole(2, "bravo", "charlie"), *whole(3, "delta")]
    assert three.said == ["delta."]
    assert not room.of(PhraseFailed)
    check_places(room)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("marks", "buffer_ms"), [(True, AT_ONCE), (False, PACED), (False, AT_ONCE)])
@pytest.mark.parametrize("others", [0, 1, 2])
def test_what_was_sent_or_has_no_marks_is_not_repeated(say, fault, marks, buffer_ms, others):
    dead = WordVoice(1, marks, fault, 1250)
    text = "Alpha bravo charlie delta. Echo foxtrot. Golf hotel. Echo golf. Foxtrot hotel."
    engines = [dead, *(WordVoice(number, marks) for number in range(2, 2 + others))]
    room = say(*engines, buffer_ms=buffer_ms, text=text)
    next_voice = 2 if others else 1
    assert heard(room.audio()) == [
        *whole(1, "alpha", "bravo"),
        (1, "charlie", 250),
        *whole(1, "echo", "foxtrot", "golf", "hotel"),  # these were being made at the same time
        *whole(next_voice, "echo", "golf", "foxtrot", "hotel"),
    ]
    (failed,) = room.of(PhraseFailed)
    assert failed.phrase == 1
    assert "v1: " in failed.message
    assert "the phrase ends after 1.2 s" in failed.message
    assert ("after 'Alpha bravo'" in failed.message) is marks
    check_places(room)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_single_voice_with_marks_is_heard_as_far_as_it_came_and_says_the_next_phrase(say, fault):
    room = say(WordVoice(1, True, fault, 1250))
    assert heard(room.audio()) == [
        *whole(1, "alpha", "bravo"), (1, "charlie", 250), *whole(1, "echo", "foxtrot", "golf", "hotel"),
    ]  # fmt: skip
    assert len(room.of(PhraseFailed)) == 1


def test_where_the_rest_finds_no_voice_the_phrase_ends_at_a_whole_word(say):
    room = say(
        WordVoice(1, True, "raise", 1250), WordVoice(2, True, "crash", 0, "charlie"),
        text="Alpha bravo charlie delta. Echo foxtrot.",
    )  # fmt: skip
    assert heard(room.audio()) == whole(1, "alpha", "bravo", "echo", "foxtrot")
    (failed,) = room.of(PhraseFailed)
    assert failed.message == (
        "v1: refused; v2: RuntimeError: a defect; the phrase ends after 1.0 s, after 'Alpha bravo'"
    )


def test_a_voice_that_dies_in_its_first_word_is_taken_back_as_a_whole(say):
    two = WordVoice(2)
    room = say(WordVoice(1, True, "raise", 250), two, buffer_ms=PACED, meanwhile=None, text="Echo. " + TEXT)
    assert not [word for number, word, _ in heard(room.audio()) if number == 1 and word == "alpha"]
    assert any(text.startswith("Alpha") for text in two.said)


def test_history_has_what_was_said_of_a_phrase_that_was_cut(in_room):
    engine = WordVoice(1, True, "raise", 1250)
    reply = scripted("llm", ScriptedLanguageModel((TEXT,)))

    async def scenario(room):
        room.session.submit("say it")
        await room.turn_over()
        await asyncio.sleep(0.01)
        assert [entry.reply for entry in room.session.history] == ["Alpha bravo Echo foxtrot golf hotel."]

    specs = [spec for spec in voices(engine) if getattr(spec, "kind", "") != "llm"]
    in_room(scenario, specs=(*specs, reply), config=config(engine))


@pytest.mark.parametrize("rate", [16_000, 24_000])
@pytest.mark.parametrize("formats", [(), (LISTENING,)])
def test_the_rest_comes_in_the_phrases_own_format(say, rate, formats):
    other = AudioFormat("pcm_s16le", rate, 1)
    room = say(
        WordVoice(1, True, "raise", 1250),
        WordVoice(2, format=other),
        formats=formats,
        text="Alpha bravo charlie delta.",
    )
    assert {chunk.audio.format for chunk in room.of(SpeechChunk)} == {LISTENING}
    words = [(number, word) for number, word, ms in heard(room.audio()) if ms > 50]
    assert words == [(1, "alpha"), (1, "bravo"), (2, "charlie"), (2, "delta")]
    assert room.of(SpeechEnded)[0].ms == pytest.approx(2000, abs=5)


@pytest.mark.parametrize("second", [MP3, LISTENING])
@pytest.mark.parametrize("formats", [(MP3,), (LISTENING,)])
def test_mp3_is_cut_between_frames_and_goes_on_as_mp3(say, second, formats):
    first = WordVoice(1, True, "raise", 1250, format=MP3)
    room = say(first, WordVoice(2, format=second), formats=formats, text="Alpha bravo charlie delta.")
    assert not room.of(PhraseFailed)
    assert {chunk.audio.format for chunk in room.of(SpeechChunk)} == {formats[0]}
    convert = converter(formats[0], LISTENING)
    chunks = [*convert.feed(room.audio()), *convert.flush()]
    # Each encoder adds some silence of its own, and a cut is exact to a frame of 24 ms.
    assert sum(chunk.ms for chunk in chunks) == pytest.approx(2000, abs=180)
    assert room.of(SpeechEnded)[0].ms == pytest.approx(2000, abs=180)
    check_places(room)


def test_a_voice_that_missed_only_the_silence_after_its_last_word_has_said_the_phrase(say):
    class Abrupt(WordVoice):
        async def synthesize(self, text, *, voice, language):
            async for item in WordVoice.synthesize(self, text, voice=voice, language=language):
                yield item
            raise EngineError("the connection was closed")

    two = WordVoice(2)
    room = say(Abrupt(1), two, text="Alpha bravo charlie delta.")
    assert heard(room.audio()) == whole(1, "alpha", "bravo", "charlie", "delta")
    assert not room.of(PhraseFailed)
    assert not two.said


def test_garbage_is_no_audio_and_the_next_voice_says_the_phrase(say):
    class Garbage:
        async def synthesize(self, text, *, voice, language):
            for _ in range(50):
                yield AudioChunk(b"<html>not what you asked for</html>", MP3)

    room = say(Garbage(), WordVoice(2))
    assert heard(room.audio()) == whole(2, *VOCABULARY)
    assert {chunk.audio.format for chunk in room.of(SpeechChunk)} == {LISTENING}


def test_a_voices_half_sample_at_its_death_does_not_turn_the_next_ones_audio_into_noise(say):
    class Odd(WordVoice):
        async def synthesize(self, text, *, voice, language):
            async for item in WordVoice.synthesize(self, text, voice=voice, language=language):
                yield item
                if isinstance(item, WordMark) and item.end_ms == 2 * WORD_MS:
                    yield AudioChunk(b"\x01", LISTENING)

    room = say(Odd(1, True, "raise", 500), WordVoice(2), text="Alpha bravo charlie delta.")
    assert [(number, word) for number, word, _ in heard(room.audio())][:4] == [
        (1, "alpha"), (2, "bravo"), (2, "charlie"), (2, "delta"),
    ]  # fmt: skip


def test_a_voice_that_drips_gives_way_when_its_time_is_up(in_room):
    class Dripping(WordVoice):
        async def synthesize(self, text, *, voice, language):
            async for item in WordVoice.synthesize(self, text, voice=voice, language=language):
                await asyncio.sleep(0.2 if isinstance(item, AudioChunk) else 0)
                yield item

    async def scenario(room):
        room.session.say(TEXT)
        await room.turn_over()
        assert heard(room.audio()) == [
            *whole(1, "alpha"), (1, "bravo", 200),  # all of this had been sent
            *whole(1, "echo"), *whole(2, "foxtrot", "golf", "hotel"),
        ]  # fmt: skip
        (failed,) = room.of(PhraseFailed)
        assert failed.message.startswith("v1: took more than 2.9 s in all; the phrase ends after 0.7 s")

    engines = Dripping(1), WordVoice(2)
    in_room(scenario, specs=voices(*engines), config=config(*engines, limits={"speak": 2.9}))


def test_garbage_from_each_stage_gives_way_to_the_next_engine(in_room):
    kinds = {
        "stt": (ScriptedSpeechToText(fault="garbage"), ScriptedSpeechToText()),
        "llm": (ScriptedLanguageModel(fault="crash"), ScriptedLanguageModel()),
        "tts": (ScriptedTextToSpeech(fault="garbage"), ScriptedTextToSpeech()),
    }
    specs = [scripted(kind, engine, name=f"{kind}{n}") for kind, both in kinds.items() for n, engine in enumerate(both)]
    others = [spec for spec in scripted_engines() if getattr(spec, "kind", "vad") == "vad"]

    async def scenario(room):
        await room.ask_aloud()
        finished = await room.turn_over()
        assert isinstance(finished, TurnFinished)
        assert finished.timeline.engines == {"stt": "stt1", "llm": "llm1", "tts": "tts1"}
        assert sorted(finished.timeline.troubles) == ["llm", "stt", "tts"]

    in_room(scenario, specs=(*others, *specs))


def test_the_log_and_the_timeline_say_why_the_first_voice_did_not_answer(say, caplog):
    caplog.set_level(logging.INFO)
    room = say(WordVoice(1, True, "raise", 0, ""), WordVoice(2))
    timeline = room.of(TurnFinished)[0].timeline
    assert timeline.engines["tts"] == "v2"
    assert timeline.troubles["tts"] == ("v1: refused",)
    assert "tts not by v1: refused" in caplog.text


def test_a_persona_speaks_with_the_first_engines_voice_and_the_others_with_their_own(in_room):
    persona = PersonaSpec(name="wren", title="A wren", voice=Voice("Zoe", "female", rate=1.5))
    engines = WordVoice(1, True, "raise", 0, ""), WordVoice(2)

    async def scenario(room):
        room.session.update(persona="wren")
        room.session.say(TEXT)
        await room.turn_over()

    in_room(scenario, specs=voices(*engines, persona=persona), config=config(*engines, persona="wren"))
    assert set(engines[0].voices) == {"Zoe"}
    assert set(engines[1].voices) == {""}


def test_a_silent_cloud_voice_is_replaced_within_300_ms_of_its_limit_though_it_does_not_let_go(in_room):
    class Deaf:
        async def synthesize(self, text, *, voice, language):
            end = now() + 5
            while now() < end:
                try:
                    await asyncio.sleep(end - now())
                except asyncio.CancelledError:
                    continue
            yield AudioChunk(bytes(3200), LISTENING)

    async def scenario(room):
        room.session.say(TEXT)
        await room.turn_over()
        assert room.at(SpeechChunk) < 0.4 + 0.3
        assert heard(room.audio()) == whole(2, *VOCABULARY)
        await asyncio.sleep(10)

    engines = Deaf(), WordVoice(2)
    in_room(scenario, specs=voices(*engines), config=config(*engines))


def test_a_listener_that_stopped_reading_does_not_keep_a_voice_from_others(in_room):
    """An engine that serves one call at a time has said a long phrase to its end, however slow the listener."""
    engine = ScriptedTextToSpeech(ms_per_word=300, pieces=100)
    spec = scripted("tts", engine, name="v1")
    spec = type(spec)(name="v1", kind="tts", open=spec.open, max_parallel=1, embedded=True)
    others = [each for each in scripted_engines() if getattr(each, "kind", "") != "tts"]

    async def scenario(room):
        await room.detach()
        room.session.say("here is one sentence of ten words for you now. " * 6)
        await asyncio.sleep(1)
        assert engine.calls.begun == engine.calls.ended > 2

    in_room(scenario, specs=(*others, spec), config={"limits": {"audio_ahead_ms": 1000}})


# ---------------------------------------------------------------- one phrase by itself


async def phrase_of(*engines, take_back, text="Alpha bravo charlie delta.", avoid=None):
    """Return what one phrase gives, and its error."""
    bus = EventBus()
    opened = [
        OpenEngine(scripted("tts", engine, name=f"v{n}"), {"first_timeout": 1, "next_timeout": 1}, None, bus)
        for n, engine in enumerate(engines, 1)
    ]
    tasks = [asyncio.ensure_future(engine.keep_open()) for engine in opened]
    for engine in opened:
        await engine.settled.wait()
    items, error = [], ""
    try:
        async for item in say_phrase(
            Chain("tts", opened, bus), text, voice=Voice("Zoe"), language="en", total=30, meter=Meter(),
            take_back=take_back, avoid=avoid,
        ):  # fmt: skip
            items.append(item)
    except EngineError as failure:
        error = str(failure)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    return items, error


def marks(items):
    return [item for item in items if isinstance(item, WordMark)]


def test_marks_come_after_their_audio_and_those_of_the_rest_are_moved():
    items, error = run_in_virtual_time(
        phrase_of(WordVoice(1, True, "raise", 1250), WordVoice(2), take_back=lambda ms: ms)
    )
    assert not error
    assert marks(items) == [WordMark(5, 500), WordMark(11, 1000), WordMark(19, 1500), WordMark(25, 2000)]
    ms = 0.0
    for item in items:
        if isinstance(item, AudioChunk):
            ms += item.ms
        else:
            assert item.end_ms <= ms + 250  # of the audio that was taken back


def test_the_rest_from_a_voice_without_marks_has_them_in_proportion():
    items, _ = run_in_virtual_time(
        phrase_of(WordVoice(1, True, "raise", 1250), WordVoice(2, marks=False), take_back=lambda ms: ms)
    )
    assert [mark.char_end for mark in marks(items)] == [5, 11, 19, 26]
    assert [mark.end_ms for mark in marks(items)] == [500, 1000, pytest.approx(1500, abs=50), 2000]


def test_what_cannot_be_taken_back_is_asked_for_once_and_no_mark_of_it_stays():
    asked = []
    items, error = run_in_virtual_time(
        phrase_of(WordVoice(1, True, "raise", 1250), WordVoice(2), take_back=lambda ms: asked.append(ms))
    )
    assert asked == [1000]
    assert marks(items) == [WordMark(5, 500), WordMark(11, 1000)]
    assert error == "v1: refused; the phrase ends after 1.2 s, after 'Alpha bravo'"


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Alpha bravo, charlie delta.", "charlie delta."),
        ("Alpha bravo — charlie delta.", "charlie delta."),
        ("Alpha bravo! (charlie) delta.", "(charlie) delta."),
        ("Alpha bravo -charlie delta.", "-charlie delta."),
    ],
)
def test_the_rest_begins_with_what_belongs_to_its_first_word(text, rest):
    class Words(ScriptedTextToSpeech):
        pass

    first = Words(ms_per_word=500, marks=False, pieces=4)

    class Marked:
        async def synthesize(self, text, *, voice, language):
            yield WordMark(text.index("bravo") + 5, 1000)
            yield AudioChunk(bytes(LISTENING.pcm_bytes(1200)), LISTENING)
            raise EngineError("refused")

    _, error = run_in_virtual_time(phrase_of(Marked(), first, take_back=lambda ms: ms, text=text))
    assert (error, first.said) == ("", [(rest, "en")])


def test_a_text_that_one_voice_cannot_say_is_no_reason_to_avoid_it():
    class Picky:
        async def synthesize(self, text, *, voice, language):
            raise InputError("no voice 'Zoe'")
            yield

    avoid = set()
    items, error = run_in_virtual_time(phrase_of(Picky(), WordVoice(2), take_back=lambda ms: None, avoid=avoid))
    assert (len(marks(items)), error, avoid) == (4, "", set())


def test_a_failure_before_any_audio_is_told_as_it_is():
    _, error = run_in_virtual_time(phrase_of(WordVoice(1, True, "raise", 0), take_back=lambda ms: None))
    assert error == "v1: refused"


def test_a_voice_that_changes_its_format_in_mid_phrase_is_followed_after_its_last_word():
    class Fickle:
        async def synthesize(self, text, *, voice, language):
            yield WordMark(5, 500)
            yield AudioChunk(bytes(LISTENING.pcm_bytes(700)), LISTENING)
            yield AudioChunk(b"<html>502 Bad Gateway</html>", MP3)

    second = WordVoice(2)
    items, error = run_in_virtual_time(phrase_of(Fickle(), second, take_back=lambda ms: ms))
    assert (error, second.said) == ("", ["bravo charlie delta."])
    assert {item.format for item in items if isinstance(item, AudioChunk)} == {LISTENING}


def test_a_voice_that_comes_to_no_end_is_stopped():
    class Endless:
        async def synthesize(self, text, *, voice, language):
            while True:
                yield AudioChunk(bytes(LISTENING.pcm_bytes(10_000)), LISTENING)

    items, error = run_in_virtual_time(phrase_of(Endless(), take_back=lambda ms: None))
    assert error.startswith("v1: does not come to an end of the phrase; the phrase ends after")
    assert sum(item.ms for item in items) < 150_000
