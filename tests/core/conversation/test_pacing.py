"""A loudspeaker in virtual time: what it holds never exceeds its buffer, and it never runs dry."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from mynah.audio import AudioChunk, AudioFormat, converter
from mynah.outputs import LAST, Interrupted, SpeechChunk, SpeechStarted, TurnFinished
from mynah.testing.engines import ScriptedTextToSpeech
from mynah.timeline import now

MP3 = AudioFormat("mp3", 24_000, 1)
ADPCM = AudioFormat("ima_adpcm", 16_000, 1)
OPUS = AudioFormat("opus", 48_000, 1)
PCM_24 = AudioFormat("pcm_s16le", 24_000, 1)
SPEECH = "Here are some words that are said. " * 8  # 56 words


@dataclass
class Ears:
    """A loudspeaker that plays what a room's reader gets, `speed` times as fast as it should, and may report."""

    room: object
    speed: float = 1.0
    every_s: float | None = None
    late_s: float = 0.0
    held: list[float] = field(default_factory=list)
    gap_ms: float = 0.0
    _seen: int = 0
    _free_at: float = 0.0
    _ends: list[tuple[float, str, float]] = field(default_factory=list)
    _sent: dict[str, float] = field(default_factory=dict)

    async def listen(self) -> None:
        reported = now()
        while True:
            await asyncio.sleep(0.001)
            self._take()
            if self.every_s is not None and now() - reported >= self.every_s:
                reported = now()
                for turn in list(self._sent):
                    played = self.played(turn)
                    asyncio.get_running_loop().call_later(self.late_s, self.room.session.played, turn, played)

    def played(self, turn: str) -> float:
        left = sum(
            min(ms, max(0.0, (ends - now()) * 1000 * self.speed)) for ends, owner, ms in self._ends if owner == turn
        )
        return self._sent[turn] - left

    def _take(self) -> None:
        outputs, times = self.room.outputs, self.room.times
        for output, at in zip(outputs[self._seen :], [self.room.began + t for t in times[self._seen :]], strict=True):
            self._seen += 1
            if isinstance(output, SpeechChunk):
                first = output.turn_id not in self._sent
                if not first and at > self._free_at + 0.0015:
                    self.gap_ms += (at - self._free_at) * 1000
                self._free_at = max(self._free_at, at) + output.audio.ms / 1000 / self.speed
                self._ends.append((self._free_at, output.turn_id, output.audio.ms))
                self._sent[output.turn_id] = self._sent.get(output.turn_id, 0.0) + output.audio.ms
                self.held.append((self._free_at - at) * 1000 * self.speed)
            elif isinstance(output, Interrupted):
                self._ends = [entry for entry in self._ends if entry[1] != output.turn_id]
                self._free_at = min(self._free_at, max([at, *(ends for ends, *_ in self._ends)]))


async def with_ears(room, scenario, **how):
    ears = Ears(room, **how)
    listening = asyncio.get_running_loop().create_task(ears.listen())
    await scenario()
    await asyncio.sleep(0.01)
    listening.cancel()
    await asyncio.wait({listening})
    return ears


@pytest.mark.parametrize(
    ("how", "above"),
    [
        ({}, 0),
        ({"every_s": 0.1}, 0),
        ({"every_s": 0.1, "late_s": 0.1}, 0),
        ({"every_s": 0.1, "speed": 0.99}, 0),
        ({"every_s": 0.1, "speed": 1.01}, 0),
        ({"every_s": 1.0, "speed": 0.99}, 10),
        ({"speed": 0.99}, 60),  # without reports the drift of five seconds adds up
    ],
    ids=str,
)
@pytest.mark.parametrize("formats", [(), (PCM_24,), (ADPCM,)], ids=str)
def test_the_buffer_is_kept_full_and_never_overrun(in_room, how, above, formats):
    async def scenario(room):
        async def speak():
            await room.turn_over(room.session.say(SPEECH))

        ears = await with_ears(room, speak, **how)
        assert max(ears.held) <= 400 + above + 1.5
        assert min(ears.held[5:]) > 150
        assert ears.gap_ms == 0

    in_room(scenario, buffer_ms=400, formats=formats, tts=ScriptedTextToSpeech(0.02, 0.05))


@pytest.mark.parametrize("buffer_ms", [30, 60, 100, 150, 1000])
@pytest.mark.parametrize("pieces", [1, 4, 50])
def test_buffers_of_every_size_are_kept_full(in_room, buffer_ms, pieces):
    async def scenario(room):
        async def speak():
            await room.turn_over(room.session.say(SPEECH))

        ears = await with_ears(room, speak)
        assert max(ears.held) <= buffer_ms + 1.5
        assert ears.gap_ms == 0

    in_room(scenario, buffer_ms=buffer_ms, tts=ScriptedTextToSpeech(0.02, 0.05, pieces=pieces))


@pytest.mark.parametrize("formats", [(), (MP3,), (OPUS,)], ids=str)
def test_compressed_audio_in_large_chunks_is_cut_to_fit_the_buffer(in_room, formats):
    class Voice:
        async def synthesize(self, text, *, voice, language):
            encode = converter(AudioFormat(), MP3)
            chunks = encode.feed(bytes(32 * 100 * len(text.split()))) + encode.flush()
            yield AudioChunk(b"".join(c.data for c in chunks), MP3, sum(c.ms for c in chunks))

    async def scenario(room):
        async def speak():
            await room.turn_over(room.session.say(SPEECH))

        ears = await with_ears(room, speak)
        assert max(ears.held) <= 300 + 1.5
        assert ears.gap_ms == 0

    in_room(scenario, buffer_ms=300, formats=formats, tts=Voice())


def test_a_dropped_noise_does_not_make_room_that_is_not_there(in_room):
    async def scenario(room):
        async def speak():
            turn = room.session.say(SPEECH)
            room.session.listen(AudioFormat(), "open")
            while not [o for o in room.of(LAST) if o.turn_id == turn]:
                await room.speak(300, bytes(640))
                await room.speak(80)
                await room.speak(800, bytes(640))

        ears = await with_ears(room, speak)
        assert max(ears.held) <= 300 + 1.5
        assert ears.gap_ms == 0

    options = {"config": {"listening": {"min_speech_ms": 150}}, "policy": "queue"}
    in_room(scenario, buffer_ms=300, tts=ScriptedTextToSpeech(0.02, 0.05), **options)


@pytest.mark.parametrize("how", [{}, {"every_s": 0.1}, {"every_s": 0.1, "late_s": 0.1}], ids=str)
def test_replies_one_after_the_other_share_the_buffer(in_room, how):
    async def scenario(room):
        async def speak():
            for number in range(8):
                room.session.say(f"This is sentence number {number} of it.")
            await room.turn_over("t8")

        ears = await with_ears(room, speak, **how)
        assert max(ears.held) <= 300 + 1.5
        assert ears.gap_ms == 0

    in_room(scenario, buffer_ms=300, policy="queue", tts=ScriptedTextToSpeech(0.0, 0.0))


@pytest.mark.parametrize("how", [{}, {"every_s": 0.1}], ids=str)
def test_a_late_report_of_a_stopped_reply_does_not_hold_up_the_next(in_room, how):
    async def scenario(room):
        async def speak():
            first = room.session.say(SPEECH)
            await asyncio.sleep(1.05)
            second = room.session.say("And now this.")
            room.session.played(first, 700)
            await room.until(lambda outputs: room.of(SpeechChunk, second))
            assert room.at(SpeechChunk, second) == pytest.approx(1.05 + 0.02, abs=0.004)
            await room.turn_over(second)

        ears = await with_ears(room, speak, **how)
        assert max(ears.held) <= 300 + 1.5

    in_room(scenario, buffer_ms=300, tts=ScriptedTextToSpeech(0.02, 0.05))


def test_a_person_who_interrupts_is_not_kept_waiting_by_the_reply_that_waits_for_its_loudspeaker(in_room):
    """One long chunk holds the outlet up for seconds; the next turn's outputs must not wait for room behind it."""

    async def scenario(room):
        room.session.say("One sentence that is long. " * 10)
        await asyncio.sleep(3)
        room.session.listen(AudioFormat(), "open")
        began = now()
        await room.speak(400)
        await room.until(lambda outputs: room.of(Interrupted))
        assert now() - began < 0.45

    config = {"limits": {"audio_ahead_ms": 5000}}
    in_room(scenario, buffer_ms=300, tts=ScriptedTextToSpeech(0.0, 0.0, ms_per_word=1500, pieces=1), config=config)


def test_an_alarm_does_not_wait_for_the_end_of_a_long_chunk(in_room):
    async def scenario(room):
        reply = room.session.say("One sentence that is long.")
        await asyncio.sleep(1)
        alarm = room.session.say("Fire!", urgency="alarm")
        await room.turn_over(alarm)
        assert room.at(SpeechChunk, alarm) < 1.6
        await room.turn_over(reply)
        assert sum(chunk.audio.ms for chunk in room.of(SpeechChunk, reply)) == pytest.approx(10_000)

    in_room(scenario, buffer_ms=300, tts=ScriptedTextToSpeech(0.0, 0.0, ms_per_word=2000, pieces=1))


def test_a_gap_in_the_making_is_not_taken_for_heard_audio(in_room):
    class Slow:
        async def synthesize(self, text, *, voice, language):
            for _ in range(2):
                yield AudioChunk(bytes(32 * 500), AudioFormat(), 500.0)
                await asyncio.sleep(3)

    async def scenario(room):
        room.session.say("Six words are in this sentence")
        await asyncio.sleep(3.2)
        room.session.interrupt()
        await asyncio.sleep(0.01)
        assert room.of(Interrupted)[0].heard_ms == pytest.approx(700, abs=3)

    in_room(scenario, buffer_ms=300, tts=Slow())


def test_a_reply_sounds_as_long_as_it_lasts_and_no_longer(in_room):
    async def scenario(room):
        turn = room.session.say("Three short words.")
        await room.until(lambda outputs: room.of(SpeechStarted))
        began = now()
        while room.session.busy:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert now() - began == pytest.approx(0.3, abs=0.02)
        assert isinstance(await room.turn_over(turn), TurnFinished)

    for formats in ((), (PCM_24,), (ADPCM,)):
        in_room(scenario, formats=formats, tts=ScriptedTextToSpeech(0.0, 0.0))
