"""What happens between two events that nobody planned: seeded random schedules in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import aclosing, suppress

import pytest

from mynah.audio import LISTENING, AudioChunk, AudioFormat, converter
from mynah.conversation.turn import Turn
from mynah.errors import EngineError, InputError
from mynah.outputs import (
    LAST,
    Interrupted,
    Output,
    PhraseFailed,
    SpeechChunk,
    SpeechEnded,
    SpeechStarted,
    StageStarted,
    TurnDropped,
    TurnFailed,
    TurnFinished,
)
from mynah.session_protocol import OutletOptions, SessionOptions
from mynah.testing.engines import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech
from mynah.timeline import MARKS, now
from mynah.values import Token, WordMark

LOUD = b"\x01\x10" * 320
QUIET = bytes(640)
LONG = ["Lions eat meat. ", "They hunt at night in groups. ", "A lion sleeps twenty hours a day. "]
WORDS = "".join(LONG).split()
MP3 = AudioFormat("mp3", 24_000, 1)
ADPCM = AudioFormat("ima_adpcm", 16_000, 1)
PCM_8 = AudioFormat("pcm_s16le", 8_000, 1)


def engines(**voice):
    return {
        "stt": ScriptedSpeechToText(final_s=0.05),
        "llm": ScriptedLanguageModel(LONG, 0.05, 0.03),
        "tts": ScriptedTextToSpeech(0.04, 0.15, **voice),
    }


def check_order(outputs: Sequence[Output]) -> None:
    """Demand of every turn what `mynah.outputs` promises."""
    last: dict[str, Output] = {}
    open_phrase: dict[tuple[str, int], int] = {}
    begun: dict[tuple[str, int], int] = {}
    for output in outputs:
        turn = output.turn_id
        before = last.get(turn)
        if before is not None:
            # The one thing after the end: a reply that was made, but still sounded, was stopped.
            assert isinstance(before, TurnFinished | TurnFailed), (before, output)
            assert isinstance(output, Interrupted), (before, output)
        if isinstance(output, LAST):
            last[turn] = output
        if isinstance(output, SpeechStarted | SpeechChunk | SpeechEnded):
            key = (turn, output.track)
            if isinstance(output, SpeechStarted):
                assert key not in open_phrase, "a phrase began inside another"
                assert output.phrase > begun.get(key, 0), "phrases out of order"
                open_phrase[key] = begun[key] = output.phrase
            else:
                assert open_phrase.get(key) == output.phrase, (open_phrase, output)
            if isinstance(output, SpeechEnded):
                del open_phrase[key]
        if isinstance(output, PhraseFailed):
            open_phrase.pop((turn, output.track), None)


def audible_ms(room, turn_id: str, at: float) -> float:
    """Milliseconds of a turn's audio that a loudspeaker has played by `at`: all it gets, one after the other."""
    free = played = 0.0
    for arrived, output in zip(room.times, room.outputs, strict=True):
        if isinstance(output, SpeechChunk) and arrived <= at:
            begins = max(free, arrived)
            free = begins + output.audio.ms / 1000
            if output.turn_id == turn_id:
                played += max(0.0, min(at, free) - begins) * 1000
        elif isinstance(output, Interrupted) and arrived < at:
            free = min(free, arrived)
    return played


def heard_words(ms: float) -> list[str]:
    return WORDS[: int((ms + 0.001) / 100)]


async def quiet(room, before: set) -> None:
    """Demand that no task is left that was not there `before`."""
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() - before == set()


# ---------------------------------------------------------------- interruption at any moment

KINDS = {
    "paced": ({"buffer_ms": 200}, {}),
    "unpaced": ({}, {}),
    "tiny buffer": ({"buffer_ms": 40}, {}),
    "other rate": ({"buffer_ms": 200, "formats": [PCM_8]}, {}),
    "adpcm": ({"buffer_ms": 200, "formats": [ADPCM]}, {}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_interruption_at_any_moment_leaves_nothing_behind(in_room, kind):
    options, voice = KINDS[kind]
    made = engines(marks=True, **voice)
    chance = random.Random(kind)

    async def scenario(room):
        session = room.session
        await asyncio.sleep(0.1)
        before = asyncio.all_tasks()
        for number in range(1, 101):
            turn = f"t{number}"
            aloud = number % 2
            if aloud:
                session.listen(LISTENING)
                await room.speak(60)
                session.end_listening()
            else:
                session.submit("what do lions eat")
            # most of all while things are happening, now and then while the end still sounds
            await asyncio.sleep(chance.choice([chance.uniform(0, 0.4), chance.uniform(0, 2.2)]))
            for _ in range(chance.choice([1, 1, 2])):
                session.interrupt("enough")
            at = now() - room.began
            told = len(room.outputs)
            await quiet(room, before)
            assert all(engine.calls.begun == engine.calls.ended for engine in made.values())
            assert session._delivery.spool.waiting_ms == 0
            assert not [o for o in room.outputs[told:] if not isinstance(o, Interrupted)], room.outputs[told:]
            ends = [o for o in room.of(LAST) if o.turn_id == turn]
            assert ends
            if isinstance(ends[-1], Interrupted):
                played = audible_ms(room, turn, at)
                assert ends[-1].heard_ms == pytest.approx(played, abs=2.5)
                words = ends[-1].heard.split()
                assert words in (heard_words(played - 2.5), heard_words(played + 2.5))
                if session.history and session.history[-1].turn_id == turn:
                    assert session.history[-1].reply == ends[-1].heard
            check_order(room.outputs)
            assert [e.turn_id for e in session.history] == sorted((e.turn_id for e in session.history), key=_number)
            room.outputs.clear()
            room.times.clear()
        session.submit("what do lions eat")
        assert isinstance(await room.turn_over("t101"), TurnFinished)

    in_room(scenario, **options, **made)


@pytest.mark.parametrize("kind", KINDS)
def test_new_text_at_any_moment_ends_the_old_reply_and_is_answered(in_room, kind):
    options, voice = KINDS[kind]
    made = engines(marks=True, **voice)
    chance = random.Random(kind)

    async def scenario(room):
        session = room.session
        await asyncio.sleep(0.1)
        before = asyncio.all_tasks()
        for number in range(1, 101):
            session.submit(f"question {number}")
            await asyncio.sleep(chance.choice([chance.uniform(0, 0.4), chance.uniform(0, 2.2)]))
        assert isinstance(await room.turn_over("t100"), TurnFinished)
        await asyncio.sleep(5)
        check_order(room.outputs)
        for number in range(1, 101):
            assert [o for o in room.of(LAST) if o.turn_id == f"t{number}"], number
        assert all(engine.calls.begun == engine.calls.ended for engine in made.values())
        await asyncio.sleep(20)
        session.submit("a last one")
        assert len(session._delivery.playbacks) == len(session._turns.known) == 1
        await room.turn_over("t101")
        await quiet(room, before)

    in_room(scenario, **options, **made)


def test_interruptions_from_inside_the_consumer_of_the_outputs(in_room):
    chance = random.Random(7)

    async def scenario(room):
        await room.detach()
        count = 0

        async def read():
            nonlocal count
            async for output in room.session.outputs(room.options):
                room.outputs.append(output)
                if count < 60 and (chance.random() < 0.04 or isinstance(output, TurnFinished)):
                    count += 1
                    room.session.interrupt()
                    room.session.submit("again")
                elif chance.random() < 0.02:
                    await asyncio.sleep(chance.uniform(0, 0.3))  # a socket that is slow to take it

        reader = asyncio.get_running_loop().create_task(read())
        room.session.submit("what do lions eat")
        await room.until(lambda outputs: count == 60)
        await asyncio.sleep(10)
        check_order(room.outputs)
        assert room.of(LAST)[-1].turn_id == "t61"
        reader.cancel()
        await asyncio.wait({reader})

    in_room(scenario, buffer_ms=200, **engines())


def test_mixed_inputs_of_every_kind_and_policy(in_room):
    for policy in ("interrupt", "queue", "concurrent"):
        _mixed(in_room, policy)


def _mixed(in_room, policy):
    made = engines()
    chance = random.Random(policy)

    async def scenario(room):
        session = room.session
        await asyncio.sleep(0.1)
        before = asyncio.all_tasks()
        inputs = [
            lambda: session.submit("one"),
            lambda: session.say("Some words to say. And more of them."),
            lambda: session.say("Hear this, all of you.", urgency="announcement"),
            lambda: session.say("Fire! Leave at once.", urgency="alarm"),
            lambda: session.listen(LISTENING),
            lambda: session.listen(LISTENING, "open"),
            lambda: session.feed(LOUD * chance.randint(1, 20)),
            lambda: session.feed(LOUD * 20),
            lambda: session.feed(QUIET * chance.randint(1, 60)),
            session.end_listening,
            session.end_listening,
            session.interrupt,
            lambda: session.update(language=chance.choice(["en", "de"])),
            lambda: session.played(f"t{session._turns.count}", chance.uniform(0, 2000)),
        ]
        for _ in range(600):
            with suppress(InputError):  # audio before `listen`, or too many turns: refused with a word
                chance.choice(inputs)()
            if chance.random() < 0.7:
                await asyncio.sleep(chance.choice([0, 0.02, chance.uniform(0, 0.7)]))
        session.end_listening()
        await asyncio.sleep(200)
        check_order(room.outputs)
        ended = {output.turn_id for output in room.of(LAST)}
        assert ended == {f"t{number}" for number in range(1, session._turns.count + 1)}
        assert all(engine.calls.begun == engine.calls.ended for engine in made.values())
        assert not session.busy
        assert not session._turns.tasks
        assert session._delivery.spool.waiting_ms == pytest.approx(0)
        await quiet(room, before)

    in_room(scenario, buffer_ms=300, policy=policy, **made)


# ---------------------------------------------------------------- engines that misbehave


class Stubborn:
    """An engine that hangs after `after` outputs, and how it takes being stopped."""

    def __init__(self, inner, call: str, *, after: int = 0, closing: str = "", times: int = 1_000) -> None:
        self.inner = inner
        self.after = after
        self.closing = closing
        self.times = times
        setattr(self, call, self._call(getattr(inner, call)))

    def _call(self, original):
        async def call(*args, **more):
            given = 0
            try:
                async for output in original(*args, **more):
                    if self.times > 0 and given == self.after:
                        self.times -= 1
                        await self._hang()
                    given += 1
                    yield output
            finally:
                if self.closing == "slow":
                    await asyncio.sleep(5)

        return call

    async def _hang(self) -> None:
        if self.closing == "leaks":
            raise asyncio.CancelledError
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            if self.closing == "swallows":
                return  # and goes on as if nothing had been
            if self.closing == "swallows and hangs":
                await asyncio.get_running_loop().create_future()
            raise


CALLS = {"stt": "transcribe", "llm": "reply", "tts": "synthesize"}


@pytest.mark.parametrize("closing", ["", "slow", "swallows", "swallows and hangs", "leaks"])
@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("kind", CALLS)
def test_an_engine_that_hangs_is_interrupted_and_the_next_turn_works(in_room, kind, after, closing):
    made = engines()
    made[kind] = Stubborn(made[kind], CALLS[kind], after=after, closing=closing, times=1)

    async def scenario(room):
        await room.ask_aloud(60)
        await asyncio.sleep(0.6)
        room.session.interrupt()
        await asyncio.sleep(0.001)
        told = [o for o in room.outputs if o.turn_id == "t1"]
        assert isinstance(told[-1], LAST)
        await room.ask_aloud(60)
        asked = now()
        assert isinstance(await room.turn_over("t2"), TurnFinished)
        assert now() - asked < (8 if closing == "slow" else 3)
        await asyncio.sleep(30)
        check_order(room.outputs)
        assert [o for o in room.outputs if o.turn_id == "t1"] == told
        assert [entry.reply for entry in room.session.history if entry.turn_id == "t2"] == ["".join(LONG)]

    in_room(scenario, buffer_ms=200, **made)


@pytest.mark.parametrize("closing", ["", "slow", "swallows", "swallows and hangs", "leaks"])
@pytest.mark.parametrize("after", [0, 1, 2])
@pytest.mark.parametrize("kind", CALLS)
def test_a_turn_whose_engine_hangs_ends_by_itself(in_room, kind, after, closing):
    made = engines()
    made[kind] = Stubborn(made[kind], CALLS[kind], after=after, closing=closing, times=1)

    async def scenario(room):
        await room.ask_aloud(60)
        await room.turn_over("t1")
        await room.ask_aloud(60)
        assert isinstance(await room.turn_over("t2"), TurnFinished)
        await asyncio.sleep(30)
        check_order(room.outputs)
        assert [o.turn_id for o in room.of((TurnFinished, TurnFailed))] == ["t1", "t2"]
        assert not room.session.busy

    in_room(scenario, **made)


def test_two_stages_that_fail_at_once_give_one_ending(in_room):
    class Model:
        async def reply(self, messages, *, grounding, tools=()):
            yield Token("Yes. ")
            await asyncio.sleep(0.1)
            raise EngineError("the model is gone")

    class Voice:
        async def synthesize(self, text, *, voice, language):
            await asyncio.sleep(0.1)
            raise EngineError("the voice is gone")
            yield

    async def scenario(room):
        room.session.submit("what do lions eat")
        assert isinstance(await room.turn_over(), TurnFailed)
        await asyncio.sleep(1)
        check_order(room.outputs)

    in_room(scenario, llm=Model(), tts=Voice())


def test_a_defect_beside_an_engines_failure_gives_one_ending(in_room, monkeypatch):
    async def fail(error):
        await asyncio.sleep(0.01)
        raise error

    async def answer(turn):
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(EngineError("one")))
            group.create_task(fail(RuntimeError("two")))

    async def scenario(room):
        room.session.submit("what do lions eat")
        failed = await room.turn_over()
        assert failed.message == "internal error"
        await asyncio.sleep(1)
        check_order(room.outputs)
        assert room.outputs[-1] is failed

    monkeypatch.setattr(Turn, "_answer", answer)
    in_room(scenario)


def test_a_failed_turn_that_waits_for_room_to_say_so_can_be_interrupted(in_room, caplog):
    class Model:
        async def reply(self, messages, *, grounding, tools=()):
            yield Token("This is a first sentence. ")
            await asyncio.sleep(1)
            raise EngineError("gone")

    async def scenario(room):
        await room.detach()
        room.session._delivery.spool._ahead_ms = 100.0
        room.session.submit("one")
        await asyncio.sleep(3)
        room.session.interrupt()
        room.attach()
        await room.turn_over()
        await asyncio.sleep(10)
        check_order(room.outputs)
        assert "never retrieved" not in caplog.text

    in_room(scenario, llm=Model(), tts=ScriptedTextToSpeech(ms_per_word=2000))


# ---------------------------------------------------------------- phrases


class Pieces:
    """A voice that gives what the script says for a phrase's first word: chunks, or an error."""

    def __init__(self, **script):
        self.script = script

    async def synthesize(self, text, *, voice, language):
        for piece in self.script[text.split()[0].strip(".,").lower()]:
            await asyncio.sleep(0.001)
            if isinstance(piece, Exception):
                raise piece
            yield piece


def pcm(data: bytes, ms: float = 0.0) -> AudioChunk:
    return AudioChunk(data, LISTENING, ms)


def test_phrases_that_fail_or_give_nothing_leave_the_others_in_order(in_room):
    sound = [pcm(bytes(320))]
    voice = Pieces(
        one=sound,
        two=[],
        three=[EngineError("no")],
        four=sound,
        five=[pcm(b""), WordMark(4, 5.0)],
        six=[*sound, EngineError("cut")],
        seven=[pcm(bytes(32_000 * 20))],
        eight=sound,
    )

    async def scenario(room):
        room.session.submit("count")
        finished = await room.turn_over()
        assert isinstance(finished, TurnFinished)
        check_order(room.outputs)
        spoken = [(type(o).__name__, o.phrase) for o in room.of((SpeechStarted, SpeechEnded, PhraseFailed))]
        started, ended, failed = "SpeechStarted", "SpeechEnded", "PhraseFailed"
        assert spoken == [
            (started, 1), (ended, 1), (failed, 2), (failed, 3), (started, 4), (ended, 4), (failed, 5),
            (started, 6), (failed, 6), (started, 7), (ended, 7), (started, 8), (ended, 8),
        ]  # fmt: skip
        places = [chunk.at_ms for chunk in room.of(SpeechChunk)]
        assert places == sorted(places)
        said = room.session.history[-1].reply
        assert said == "One is here. Four is here. Seven is here. Eight is here."

    tokens = [f"{word} is here. " for word in ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight")]
    in_room(scenario, llm=ScriptedLanguageModel(tokens), tts=voice)


@pytest.mark.parametrize("formats", [(), (PCM_8,), (ADPCM,)], ids=str)
@pytest.mark.parametrize("buffer_ms", [None, 200])
def test_pcm_that_is_cut_inside_samples_comes_out_whole(in_room, formats, buffer_ms):
    data = bytes(range(256)) * 100
    chance = random.Random(3)
    pieces, rest = [], data
    while rest:
        size = chance.choice([1, 1, 3, 333, 1001])
        pieces.append(pcm(rest[:size]))
        rest = rest[size:]

    async def scenario(room):
        room.session.say("One is here.")
        await room.turn_over()
        assert all(chunk.audio.ms > 0 for chunk in room.of(SpeechChunk))
        if not formats:
            assert room.audio() == data
            assert all(len(chunk.audio.data) % 2 == 0 for chunk in room.of(SpeechChunk))
        total = sum(chunk.audio.ms for chunk in room.of(SpeechChunk))
        assert total == pytest.approx(800, abs=2)
        assert room.of(SpeechEnded)[0].ms == pytest.approx(800)

    in_room(scenario, tts=Pieces(one=pieces), formats=formats, buffer_ms=buffer_ms)


def test_compressed_chunks_that_do_not_tell_their_length_are_measured_across_cuts(in_room):
    encode = converter(LISTENING, MP3)
    chunks = encode.feed(bytes(32_000)) + encode.flush()
    whole, lasts = b"".join(chunk.data for chunk in chunks), sum(chunk.ms for chunk in chunks)
    pieces = [AudioChunk(whole[at : at + 50], MP3) for at in range(0, len(whole), 50)]  # less than a frame each

    async def scenario(room):
        room.session.say("One is here.")
        await room.turn_over()
        assert len(room.of(SpeechStarted)) == 1
        assert room.audio() == whole
        assert room.of(SpeechEnded)[0].ms == pytest.approx(lasts)
        await asyncio.sleep(0.3)
        assert room.session.interrupt()  # there is still something to be heard

    in_room(scenario, tts=Pieces(one=pieces))


def test_audio_of_which_no_length_is_known_fails_the_phrase_and_can_be_interrupted(in_room):
    pieces = [AudioChunk(b"\0" * 100, MP3) for _ in range(20)]

    async def scenario(room):
        room.session.submit("count")
        await asyncio.sleep(0.01)
        room.session.interrupt()
        await asyncio.sleep(1)
        check_order(room.outputs)

    in_room(scenario, llm=ScriptedLanguageModel(["One is here."]), tts=Pieces(one=pieces))


# ---------------------------------------------------------------- many at once


class Echo:
    """Answers with the question, and speaks so that the audio tells the text."""

    async def reply(self, messages, *, grounding, tools=()):
        for word in messages[-1].content.split():
            await asyncio.sleep(0.02)
            yield Token(word + " ")

    async def synthesize(self, text, *, voice, language):
        for letter in text.replace(" ", ""):
            await asyncio.sleep(0.001)
            yield pcm(letter.encode("utf-16-le") * 320)


@pytest.mark.parametrize("count", [40, pytest.param(200, marks=pytest.mark.long)])
def test_many_sessions_talk_at_once_without_a_word_of_each_other(in_room, count):
    chance = random.Random(5)

    async def talk(hub, number):
        session = hub.open_session(SessionOptions())
        said = [f"session {number} question {question} wants its own answer" for question in range(3)]
        got: dict[str, str] = {}
        stopped = set()

        async def listen():
            async with aclosing(session.outputs(OutletOptions(buffer_ms=300))) as outputs:
                async for output in outputs:
                    if isinstance(output, SpeechChunk):
                        letters = output.audio.data.decode("utf-16-le")
                        got[output.turn_id] = got.get(output.turn_id, "") + letters
                    elif isinstance(output, Interrupted):
                        stopped.add(output.turn_id)

        reader = asyncio.get_running_loop().create_task(listen())
        await asyncio.sleep(chance.uniform(0, 1))
        for text in said:
            session.submit(text)
            await asyncio.sleep(chance.choice([0.3, 3.0]))
        await asyncio.sleep(5)
        for place, text in enumerate(said, 1):
            heard, whole = got.get(f"t{place}", ""), "".join(letter * 320 for letter in text.replace(" ", ""))
            assert whole.startswith(heard)
            assert heard == whole or f"t{place}" in stopped
        reader.cancel()
        await asyncio.wait({reader})
        return session

    async def scenario(room):
        before = asyncio.all_tasks()
        sessions = await asyncio.gather(*(talk(room.hub, number) for number in range(count)))
        assert len({session.id for session in sessions}) == count
        for session in sessions:
            room.hub.close_session(session.id)
        await asyncio.sleep(0.1)
        await quiet(room, before)

    in_room(scenario, llm=Echo(), tts=Echo(), config={"sessions": {"max": 300}})


# ---------------------------------------------------------------- the end, and what is in between


@pytest.mark.parametrize("seed", range(20))
def test_a_session_that_is_closed_at_any_moment_leaves_no_task(in_room, seed):
    chance = random.Random(seed)
    made = engines()

    async def scenario(room):
        await asyncio.sleep(0.1)
        before = asyncio.all_tasks() - {room.reader}
        room.session.submit("one")
        await asyncio.sleep(chance.uniform(0, 0.4))
        room.session.listen(LISTENING, chance.choice(["open", "push_to_talk"]))
        await room.speak(chance.choice([20, 100, 300]))
        await asyncio.sleep(chance.uniform(0, 0.5))
        if chance.random() < 0.5:
            await room.session.close()
        else:
            room.hub.close_session(room.session.id)
            assert room.session.closed
        await asyncio.sleep(0.01)
        assert room.reader.done()
        told = len(room.outputs)
        for use in (room.session.end_listening, room.session.interrupt, lambda: room.session.played("t1", 50)):
            use()
        for use in (lambda: room.session.feed(LOUD), lambda: room.session.submit("x"), lambda: room.session.say("x")):
            with pytest.raises(InputError):
                use()
        room.attach(resume=True)
        await asyncio.sleep(5)
        assert room.reader.done()
        assert len(room.outputs) == told
        assert all(engine.calls.begun == engine.calls.ended for engine in made.values())
        assert asyncio.all_tasks() - before == set()

    in_room(scenario, buffer_ms=200, **made)


def test_the_persona_of_a_turn_is_the_one_it_began_its_answer_with(in_room):
    made = engines()

    async def scenario(room):
        room.session.submit("one", language="de")
        await asyncio.sleep(0.1)
        room.session.update(language="fr", context={"exhibit": "lion"})
        await room.turn_over("t1")
        assert {language for _, language in made["tts"].said} == {"de"}
        made["tts"].said.clear()
        await room.turn_over(room.session.submit("two"))
        assert {language for _, language in made["tts"].said} == {"fr"}

    in_room(scenario, policy="queue", **made)


def test_a_consumer_that_fails_in_mid_send_leaves_the_session_whole(in_room):
    def send(output, got, stop_after):
        if len(got) == stop_after:
            raise ConnectionError("the socket is gone")
        got.append(output)

    async def scenario(room):
        await room.detach()
        kept = b""
        turn = room.session.submit("what do lions eat")
        for stop_after in (1, 2, 5, 8, 10_000):
            got: list[Output] = []
            with suppress(ConnectionError):
                async with aclosing(room.session.outputs(room.options, resume=True)) as outputs:
                    async for output in outputs:
                        send(output, got, stop_after)
                        if isinstance(output, LAST):
                            break
            kept += b"".join(output.audio.data for output in got if isinstance(output, SpeechChunk))
            room.session.played(turn, LISTENING.pcm_ms(len(kept)))
        assert len(kept) == LISTENING.pcm_bytes(100 * len(WORDS))
        assert isinstance(got[-1], TurnFinished)

    in_room(scenario, buffer_ms=200, **engines())


def test_a_stopped_reply_and_the_next_begin_in_the_same_instant(in_room):
    async def scenario(room):
        room.session.submit("one")
        await asyncio.sleep(0.5)
        for number in range(2, 9):
            room.session.submit(f"question {number}")
        await room.turn_over("t8")
        await asyncio.sleep(3)
        check_order(room.outputs)
        assert [o.turn_id for o in room.of(Interrupted)] == [f"t{number}" for number in range(1, 8)]
        assert {o.turn_id for o in room.of(SpeechChunk)} == {"t1", "t8"}

    in_room(scenario, buffer_ms=100, **engines())


def test_history_is_in_the_order_of_the_turns_even_where_they_overlap(in_room):
    class Model:
        async def reply(self, messages, *, grounding, tools=()):
            await asyncio.sleep({"slow": 1.0, "quick": 0.1, "middle": 0.5}[messages[-1].content])
            yield Token(f"A {messages[-1].content} answer.")

    async def scenario(room):
        for text in ("slow", "quick", "middle"):
            room.session.submit(text)
        await asyncio.sleep(1.05)
        assert [entry.user for entry in room.session.history] == ["slow", "quick", "middle"]
        room.session.interrupt()
        assert [entry.user for entry in room.session.history] == ["slow", "quick", "middle"]

    in_room(scenario, policy="concurrent", llm=Model(), tts=ScriptedTextToSpeech(ms_per_word=1000))


def test_a_reply_that_was_not_voiced_to_its_end_is_in_history_as_far_as_it_was(in_room):
    class Model:
        async def reply(self, messages, *, grounding, tools=()):
            yield Token("One is here. And then there was")
            await asyncio.sleep(0.5)
            raise EngineError("gone")

    async def scenario(room):
        room.session.submit("count")
        assert isinstance(await room.turn_over(), TurnFailed)
        assert room.session.history[-1].reply == "One is here."

    in_room(scenario, llm=Model(), tts=Pieces(one=[pcm(bytes(3200))]))


def test_an_apology_is_not_put_into_history_as_an_answer_to_nothing(in_room):
    async def scenario(room):
        await room.ask_aloud(60)
        await room.turn_over()
        assert not room.session.history

    in_room(scenario, stt=ScriptedSpeechToText("", understood=False))


def test_a_phrase_that_is_stopped_while_it_is_made_is_not_heard_to_its_end(in_room):
    sentence = "One is the first of very many words that are in this sentence."

    class Voice:
        async def synthesize(self, text, *, voice, language):
            for _ in range(40):
                yield pcm(bytes(3200))
                await asyncio.sleep(0.1)

    async def scenario(room):
        room.session.submit("count")
        await asyncio.sleep(1.05)
        room.session.interrupt()
        words = room.session.history[-1].reply.split()
        assert 1 <= len(words) <= 5  # a second of four

    in_room(scenario, llm=ScriptedLanguageModel([sentence]), tts=Voice())


def test_a_question_that_was_not_answered_is_told_to_the_model_without_an_empty_answer(in_room):
    made = engines()

    async def scenario(room):
        room.session.submit("one")
        await asyncio.sleep(0.01)
        room.session.submit("two")
        await room.turn_over("t2")
        assert [(message.role, message.content) for message in made["llm"].asked[-1]][1:] == [
            ("user", "one"), ("user", "two"),
        ]  # fmt: skip

    in_room(scenario, **made)


# ---------------------------------------------------------------- listening


def test_the_button_stops_the_reply_before_the_new_turn_is_told_of(in_room):
    async def scenario(room):
        for number in range(1, 7):
            room.session.submit("one")
            await asyncio.sleep(0.5)
            room.outputs.clear()
            room.session.listen(LISTENING)
            room.session.feed(LOUD)
            await asyncio.sleep(0.01)
            assert room.names()[:2] == ["Interrupted", "StageStarted"]
            room.session.end_listening()
            await room.turn_over(f"t{2 * number}")

    in_room(scenario, **engines())


def test_a_turn_that_is_being_answered_is_not_dropped_by_pressing_the_button_again(in_room):
    async def scenario(room):
        room.session.listen(LISTENING)
        await room.speak(1500)  # more than an utterance may have: the turn is being answered already
        room.session.listen(LISTENING)
        await asyncio.sleep(0.5)
        assert not room.of(TurnDropped)
        room.session.end_listening()
        await room.turn_over("t1")
        assert isinstance(room.of(LAST)[0], TurnFinished)

    config = {"limits": {"utterance_seconds": 1}}
    in_room(scenario, policy="queue", config=config, **engines())


@pytest.mark.parametrize("ms", [0, 20, 200])
def test_stages_are_told_in_order_however_fast_somebody_speaks(in_room, ms):
    async def scenario(room):
        room.session.listen(LISTENING)
        if ms:
            room.session.feed(LOUD * (ms // 20))
        room.session.end_listening()
        room.session.end_listening()
        await room.turn_over()
        stages = [output.stage for output in room.of(StageStarted)]
        assert stages == ["listening", "transcribing", "thinking", "speaking"][: len(stages)]
        assert len(stages) == (4 if ms else 2)

    in_room(scenario, **engines())


def test_an_utterance_that_is_cut_is_told_to_be_transcribed(in_room):
    async def scenario(room):
        room.session.listen(LISTENING)
        await room.speak(1500)
        await room.turn_over()
        assert [output.stage for output in room.of(StageStarted)][:2] == ["listening", "transcribing"]

    in_room(scenario, config={"limits": {"utterance_seconds": 1}}, **engines())


# ---------------------------------------------------------------- timelines


@pytest.mark.parametrize("seed", range(12))
def test_the_marks_of_every_kind_of_turn_are_in_order(in_room, seed):
    chance = random.Random(seed)
    stt = ScriptedSpeechToText(final_s=chance.choice([0.0, 0.1]))
    llm = ScriptedLanguageModel(LONG, chance.choice([0.0, 0.2]), chance.choice([0.0, 0.05]))
    tts = ScriptedTextToSpeech(chance.choice([0.0, 0.1]), 0.2)

    async def scenario(room):
        asks = [
            lambda: room.session.submit("text"),
            lambda: room.session.say("Just words. And more."),
            lambda: room.ask_aloud(chance.choice([0, 20, 200])),
            lambda: setattr(stt, "understood", not stt.understood),
            lambda: setattr(stt, "text", chance.choice(["", "what do lions eat"])),
        ]
        for _ in range(12):
            asked = chance.choice(asks)()
            if asyncio.iscoroutine(asked):
                await asked
            await asyncio.sleep(6)
        finished = room.of(TurnFinished)
        assert len(finished) == room.session._turns.count
        for output in finished:
            ms = output.timeline.ms()
            first = [ms[mark] for mark in MARKS if mark in ms and not mark.startswith("last_")]
            assert first == sorted(first), ms
            assert ms.get("last_token", 0) >= ms.get("first_token", 0)
            assert ms.get("last_audio", 0) >= ms.get("first_audio", 0)
            assert all(took >= 0 for took in output.timeline.engine_ms.values())
            own = output.timeline.own_ms
            assert (own is None) == (not output.phrases)
            assert own is None or own == pytest.approx(0, abs=0.2)

    in_room(scenario, stt=stt, llm=llm, tts=tts)


def _number(turn_id: str) -> int:
    return int(turn_id[1:])
