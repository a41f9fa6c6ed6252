from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import pytest

from mynah import Transcript


class Ear:
    """A recogniser that hears how many bytes there were; subclasses have one defect each."""

    async def transcribe(self, audio, format, *, language, hints):
        size = 0
        async for chunk in audio:
            size += len(chunk)
            yield Transcript("…")
        yield self.final(size)

    def final(self, size: int) -> Transcript:
        return Transcript(f"{size} bytes" if size else "", final=True)


def test_a_recogniser_without_defects_passes(check):
    check("stt", Ear())


class TwoFinals(Ear):
    async def transcribe(self, audio, format, *, language, hints):
        async for transcript in super().transcribe(audio, format, language=language, hints=hints):
            yield replace(transcript, final=True)


class NoFinal(Ear):
    def final(self, size):
        return Transcript("…")


class AfterTheFinal(Ear):
    async def transcribe(self, audio, format, *, language, hints):
        async for transcript in super().transcribe(audio, format, language=language, hints=hints):
            yield transcript
        yield Transcript("and another thing")


class TooSure(Ear):
    def final(self, size):
        return Transcript("sure", final=True, confidence=99.0)


class Fickle(Ear):
    async def transcribe(self, audio, format, *, language, hints):
        async for transcript in super().transcribe(audio, format, language=language, hints=hints):
            yield replace(transcript, settled=len(transcript.text))


class Boastful(Ear):
    def final(self, size):
        return Transcript("sure", final=True, settled=5)


class Breathless(Ear):
    def final(self, size):
        return Transcript("sure", final=True, pauses=(2, 1))


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        (TwoFinals(), "final transcripts; give exactly one"),
        (NoFinal(), "gave 0 final transcripts; give exactly one"),
        (AfterTheFinal(), "a partial transcript after the final one"),
        (TooSure(), "a confidence of 99; it goes from 0 to 1"),
        (Fickle(), "after '…' was settled; what is settled does not change"),
        (Boastful(), "settled 5 characters of 'sure'"),
        (Breathless(), "gave (2, 1) for the pauses in 'sure'"),
    ],
)
def test_a_recogniser_must_give_one_final_transcript_and_give_it_last(broken, engine, says):
    message = broken("stt", engine)
    assert message.startswith("speech-to-text contract: one final transcript, the last: ")
    assert says in message


class HearsThings(Ear):
    def final(self, size):
        return Transcript("thank you for watching", final=True)


class FailsAtSilence(Ear):
    def final(self, size):
        return Transcript(f"one in {1 / size:g}", final=True)


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        (HearsThings(), "heard 'thank you for watching' where there was no audio"),
        (FailsAtSilence(), "raised ZeroDivisionError"),
    ],
)
def test_a_recogniser_must_hear_nothing_where_there_is_nothing(broken, engine, says):
    message = broken("stt", engine)
    assert message.startswith("speech-to-text contract: empty audio: ")
    assert says in message


def test_a_recogniser_must_take_audio_however_it_is_cut(broken):
    class Framed(Ear):
        async def transcribe(self, audio, format, *, language, hints):
            async for chunk in audio:
                assert len(chunk) % 320 == 0, f"{len(chunk)} bytes"
            yield self.final(0)

    assert broken("stt", Framed()).startswith(
        "speech-to-text contract: audio in chunks of odd lengths: raised AssertionError: 334 bytes"
    )


def test_a_recogniser_must_stop_while_somebody_still_speaks(broken):
    class Patient(Ear):
        async def transcribe(self, audio, format, *, language, hints):
            listening = asyncio.ensure_future(self.listen(audio))
            while not listening.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.1)
            yield self.final(await listening)

        async def listen(self, audio):
            return sum([len(chunk) async for chunk in audio])

    message = broken("stt", Patient())
    assert message == "speech-to-text contract: cancel in mid-stream: stopping a cancelled call took more than 1 s"


def test_two_utterances_at_once_must_not_be_mixed(broken):
    class OneEar(Ear):
        async def transcribe(self, audio, format, *, language, hints):
            self.size = 0
            async for chunk in audio:
                self.size += len(chunk)
            yield self.final(self.size)

    assert broken("stt", OneEar()).startswith("speech-to-text contract: two at once: the ")


def test_a_recogniser_must_say_that_it_does_not_know_a_language(broken):
    class English(Ear):
        async def transcribe(self, audio, format, *, language, hints):
            model = {"en": "small.en", None: "small"}[language]
            async for _ in audio:
                pass
            yield Transcript("", final=bool(model))

    assert broken("stt", English()).startswith("speech-to-text contract: language unknown: raised KeyError")
