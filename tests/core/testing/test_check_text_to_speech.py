from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import pytest

from mynah import LISTENING, AudioChunk, AudioFormat, EngineError, WordMark
from mynah.audio import converter
from mynah.testing import check_text_to_speech, run_in_virtual_time, scripted


class Voice:
    """A voice that says `part` of each word; subclasses have one defect each."""

    async def synthesize(self, text, *, voice, language):
        for word in text.split():
            await asyncio.sleep(0.01)
            yield self.chunk(word)

    def chunk(self, word: str) -> AudioChunk:
        data = (word.encode() * 640)[:640]
        return AudioChunk(data, LISTENING, 20.0)


def test_a_voice_without_defects_passes(check):
    check("tts", Voice())


class AnotherFormatInTheMiddle(Voice):
    async def synthesize(self, text, *, voice, language):
        for rate, word in enumerate(text.split()):
            yield replace(self.chunk(word), format=AudioFormat("pcm_s16le", 16_000 + rate, 1))


class HalfASample(Voice):
    def chunk(self, word):
        return AudioChunk(bytes(639), LISTENING, 639 / 32)


class WrongLength(Voice):
    def chunk(self, word):
        return AudioChunk(bytes(640), LISTENING, 25.0)


class NoMp3(Voice):
    def chunk(self, word):
        return AudioChunk(b"this is no MP3" * 8_000, AudioFormat("mp3", 24_000, 1), 20.0)


class Mp3OfAnotherLength(Voice):
    async def synthesize(self, text, *, voice, language):
        encode = converter(LISTENING, AudioFormat("mp3", 24_000, 1))
        for chunk in encode.feed(bytes(64_000) if text.strip() else b""):
            yield replace(chunk, ms=chunk.ms / 2)


class Mute(Voice):
    async def synthesize(self, text, *, voice, language):
        for word in ():
            yield word


class MarksThatGoBack(Voice):
    async def synthesize(self, text, *, voice, language):
        for place, word in enumerate(text.split()):
            yield self.chunk(word)
            yield WordMark(20 - place, place * 20.0)


class MarksBeyondTheText(Voice):
    async def synthesize(self, text, *, voice, language):
        yield self.chunk("word")
        yield WordMark(len(text) + 1, 20.0)


class Text(Voice):
    async def synthesize(self, text, *, voice, language):
        yield text


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        (AnotherFormatInTheMiddle(), "mixed the formats pcm_s16le/16000/1, pcm_s16le/16001/1"),
        (HalfASample(), "chunk 0 has 639 bytes"),
        (WrongLength(), "chunk 0 says that it lasts 25 ms; its bytes last 20 ms"),
        (NoMp3(), "audio that is not the mp3/24000/1 it says it is"),
        (Mp3OfAnotherLength(), "decoded they last"),
        (Mute(), "no audio for a text that has words"),
        (MarksThatGoBack(), "word marks that go back"),
        (MarksBeyondTheText(), "a word mark at character"),
        (Text(), "gave str; it gives AudioChunk or WordMark only"),
    ],
)
def test_a_voice_must_be_honest_about_its_format(broken, engine, says):
    message = broken("tts", engine)
    assert message.startswith("text-to-speech contract: format honesty: ")
    assert says in message


def test_a_voice_may_leave_out_how_long_its_pcm_lasts(check):
    class Unmeasured(Voice):
        def chunk(self, word):
            return replace(super().chunk(word), ms=0.0)

    check("tts", Unmeasured())


class OneTextForAll(Voice):
    """Keeps the text in the engine, so that a second call changes what the first one says."""

    async def synthesize(self, text, *, voice, language):
        self.words = text.split()
        while self.words:
            await asyncio.sleep(0.01)
            if self.words:
                yield self.chunk(self.words.pop(0))


class OneAtATime(Voice):
    def __init__(self):
        self.busy = False

    async def synthesize(self, text, *, voice, language):
        if self.busy:
            raise EngineError("busy")
        self.busy = True
        try:
            async for chunk in super().synthesize(text, voice=voice, language=language):
                yield chunk
        finally:
            self.busy = False


class DeadLock(Voice):
    """Two calls wait for each other."""

    def __init__(self):
        self.calls = 0

    async def synthesize(self, text, *, voice, language):
        self.calls += 1
        try:
            async for chunk in super().synthesize(text, voice=voice, language=language):
                while self.calls > 1:  # noqa: ASYNC110  # that is the defect
                    await asyncio.sleep(1)
                yield chunk
        finally:
            self.calls -= 1


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        (OneTextForAll(), "two calls at once"),
        (OneAtATime(), "raised EngineError: busy"),
        (DeadLock(), "was not through after 30 s"),
    ],
)
def test_two_calls_at_once_must_leave_each_other_alone(broken, engine, says):
    message = broken("tts", engine)
    assert message.startswith("text-to-speech contract: two at once: ")
    assert says in message


def test_an_engine_that_takes_one_call_at_a_time_may_say_so_in_its_spec():
    run_in_virtual_time(check_text_to_speech(replace(scripted("tts", OneAtATime()), max_parallel=1)))


def test_an_engine_that_never_says_the_same_twice_is_not_judged_by_its_words(check):
    class Moody(Voice):
        calls = 0

        async def synthesize(self, text, *, voice, language):
            Moody.calls += 1
            async for chunk in super().synthesize(f"{text} {Moody.calls}", voice=voice, language=language):
                yield chunk

    check("tts", Moody())


class DeafToClosing(Voice):
    async def synthesize(self, text, *, voice, language):
        try:
            async for chunk in super().synthesize(text, voice=voice, language=language):
                yield chunk
        finally:
            await asyncio.sleep(5)


class DeafToCancelling(Voice):
    async def synthesize(self, text, *, voice, language):
        for word in text.split():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.1)
            yield self.chunk(word)


class EndsInstead(Voice):
    async def synthesize(self, text, *, voice, language):
        for word in text.split():
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                return
            yield self.chunk(word)


class AnotherError(Voice):
    async def synthesize(self, text, *, voice, language):
        for word in text.split():
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                raise EngineError("stopped") from None
            yield self.chunk(word)


class BrokenByAnyStop(Voice):
    """Leaves something behind when it is stopped."""

    def __init__(self):
        self.unfinished = 0

    async def synthesize(self, text, *, voice, language):
        if self.unfinished:
            raise EngineError("still saying something else")
        self.unfinished += 1
        async for chunk in super().synthesize(text, voice=voice, language=language):
            yield chunk
        self.unfinished -= 1


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        (DeafToClosing(), "closing the generator after its first output took more than 1 s"),
        (DeafToCancelling(), "stopping a cancelled call took more than 1 s"),
        (EndsInstead(), "the engine swallowed the cancellation"),
        (AnotherError(), "the cancelled call raised EngineError: stopped"),
        (BrokenByAnyStop(), "raised EngineError: still saying something else"),
    ],
)
def test_an_engine_must_stop_when_told_to(broken, engine, says):
    message = broken("tts", engine)
    assert message.startswith("text-to-speech contract: cancel in mid-stream: ")
    assert says in message


class CannotBeClosed(Voice):
    def synthesize(self, text, *, voice, language):
        return self.words(text)

    class words:
        def __init__(self, text):
            self.left = text.split()

        def __aiter__(self):
            return self

        async def __anext__(self):
            if not self.left:
                raise StopAsyncIteration
            return Voice().chunk(self.left.pop())


class BusyFromTheCall(Voice):
    """Counts a call before its generator runs, and so never lets go of one that was closed before."""

    def __init__(self):
        self.waiting = 0

    def synthesize(self, text, *, voice, language):
        self.waiting += 1
        return self.words(text)

    async def words(self, text):
        if self.waiting > 1:
            raise EngineError("too many calls")
        for word in text.split():
            yield self.chunk(word)
        self.waiting -= 1


def test_a_call_must_give_something_that_can_be_closed(broken):
    assert "words, which cannot be closed; give an async generator" in broken("tts", CannotBeClosed())


def test_closing_a_call_that_was_never_begun_must_leave_nothing_behind(broken):
    message = broken("tts", BusyFromTheCall())
    assert message == (
        "text-to-speech contract: closing early: "
        "the engine does not work afterwards: raised EngineError: too many calls"
    )


@pytest.mark.parametrize(
    ("when", "behaviour"),
    [
        (lambda text, voice, language: not text, "empty text"),
        (lambda text, voice, language: text.isspace(), "text of spaces"),
        (lambda text, voice, language: "<" in text, "text like markup"),
        (lambda text, voice, language: language != "en", "language unknown"),
        (lambda text, voice, language: voice.name, "voice unknown"),
    ],
)
def test_what_a_voice_cannot_say_must_not_end_in_just_any_exception(broken, when, behaviour):
    class Careless(Voice):
        async def synthesize(self, text, *, voice, language):
            if when(text, voice, language):
                raise KeyError(text)
            async for chunk in super().synthesize(text, voice=voice, language=language):
                yield chunk

    message = broken("tts", Careless())
    assert message.startswith(f"text-to-speech contract: {behaviour}: raised KeyError: ")
    assert "engines raise EngineError with a message for people" in message


def test_what_a_voice_does_not_know_may_end_in_an_engine_error(check):
    class Choosy(Voice):
        async def synthesize(self, text, *, voice, language):
            if language != "en" or voice.name:
                raise EngineError("I speak English, in one voice")
            async for chunk in super().synthesize(text, voice=voice, language=language):
                yield chunk

    check("tts", Choosy())


def test_a_call_that_an_engine_does_not_survive_is_named(broken):
    class Fragile(Voice):
        broken = False

        async def synthesize(self, text, *, voice, language):
            if language != "en" or self.broken:
                self.broken = True
                raise EngineError("out of order")
            async for chunk in super().synthesize(text, voice=voice, language=language):
                yield chunk

    says = "text-to-speech contract: language unknown: the engine does not work afterwards: raised EngineError: out"
    assert broken("tts", Fragile()).startswith(says)
