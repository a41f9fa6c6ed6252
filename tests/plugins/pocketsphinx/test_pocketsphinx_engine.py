from __future__ import annotations

import asyncio
import os
import signal
from contextlib import aclosing
from itertools import pairwise

import pytest
import pytest_asyncio

from mynah import LISTENING, AudioFormat, EngineError, Grounding, Hints
from mynah.testing import check_speech_to_text
from mynah_pocketsphinx import mynah_engines
from mynah_pocketsphinx.config import Options
from mynah_pocketsphinx.engine import open_pocketsphinx

in_one_loop = pytest.mark.asyncio(loop_scope="module")
PIECE = LISTENING.pcm_bytes(40)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(folder, hints):
    async with open_pocketsphinx({"workers": 1}, folder) as engine:
        await engine.warm_up(Grounding(), hints)
        yield engine


@pytest_asyncio.fixture(loop_scope="module")
async def own_engine(folder, hints):
    """One whose workers may be killed."""
    async with open_pocketsphinx({"workers": 1}, folder) as engine:
        await engine.warm_up(Grounding(), hints)
        yield engine


async def pieces(audio, pause=0.0):
    for at in range(0, len(audio), PIECE):
        await asyncio.sleep(pause)
        yield audio[at : at + PIECE]


async def endless(audio):
    async for piece in pieces(audio):
        yield piece
    await asyncio.Event().wait()


async def collect(transcripts):
    return [transcript async for transcript in transcripts]


async def hear(engine, audio, hints, language="en"):
    async with aclosing(engine.transcribe(pieces(audio), LISTENING, language=language, hints=hints)) as transcripts:
        return await collect(transcripts)


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)


def kill_workers(engine):
    pids = set(engine._pool.pids)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return pids


def test_the_engine_is_declared_as_embedded():
    [spec] = mynah_engines()
    assert (spec.name, spec.kind, spec.embedded) == ("pocketsphinx", "stt", True)
    assert Options.parse({"engine": "pocketsphinx", "workers": 2}) == Options(workers=2)


@in_one_loop
async def test_it_keeps_the_contract_of_speech_to_text(folder, hints, say):
    [spec] = mynah_engines()
    said = (say("What do lions eat?"), say("How tall is a giraffe?"))
    await check_speech_to_text(spec, folder=folder, hints=hints, utterances=said)


@pytest.mark.parametrize("question", ["How tall is a giraffe", "What do meerkats eat", "When does the zoo close"])
@in_one_loop
async def test_questions_of_the_persona_are_understood(engine, hints, say, question):
    transcripts = await hear(engine, say(question + "?"), hints)
    final = transcripts[-1]
    assert (final.text, final.final, final.understood) == (question.lower(), True, True)
    assert final.confidence > 0.5
    assert not any(transcript.final for transcript in transcripts[:-1])


@in_one_loop
async def test_an_irregular_plural_and_a_question_with_other_words_around_it_are_understood(engine, hints, say):
    final = (await hear(engine, say("Where are the wolves?"), hints))[-1]
    assert final.text == "where are the wolves"


@in_one_loop
async def test_partial_transcripts_come_before_the_end_of_the_audio(engine, hints, say):
    heard = asyncio.Event()

    async def microphone():
        async for piece in pieces(say("Where can I buy a ticket?")):
            yield piece
        await asyncio.wait_for(heard.wait(), 10)

    texts = []
    async with aclosing(engine.transcribe(microphone(), LISTENING, language=None, hints=hints)) as transcripts:
        async for transcript in transcripts:
            texts.append(transcript.text)
            if "ticket" in transcript.text:
                heard.set()
    *partial, final = texts
    assert partial[0].startswith("where")
    assert all(one != after for one, after in pairwise(partial))
    assert final == "where can i buy a ticket"


@pytest.mark.parametrize("seconds", [0, 0.3, 2])
@in_one_loop
async def test_silence_is_no_text(engine, hints, seconds):
    [final] = await hear(engine, bytes(LISTENING.pcm_bytes(seconds * 1000)), hints)
    assert (final.text, final.final, final.understood) == ("", True, True)


@in_one_loop
async def test_other_speech_is_not_made_into_a_question(engine, hints, recording):
    final = (await hear(engine, recording("jfk.wav"), hints))[-1]
    assert (final.text, final.understood) == ("", False)


@in_one_loop
async def test_the_same_audio_gives_the_same_text_whatever_came_before(engine, hints, say, recording):
    question = say("How fast can a lion run?", "slt")
    before = await hear(engine, question, hints)
    await hear(engine, recording("goforward.wav"), hints)
    assert await hear(engine, question, hints) == before


@pytest.mark.parametrize("language", ["en", "en-GB", "EN_us", None])
@in_one_loop
async def test_every_english_is_english(engine, hints, say, language):
    final = (await hear(engine, say("How tall is a giraffe?"), hints, language))[-1]
    assert final.text == "how tall is a giraffe"


@in_one_loop
async def test_another_language_is_refused(engine, hints):
    with pytest.raises(EngineError, match="knows only English, not 'de'"):
        await hear(engine, b"", hints, "de")
    await engine.warm_up(Grounding(language="de"), hints)


@in_one_loop
async def test_another_format_is_refused(engine, hints):
    transcripts = engine.transcribe(pieces(b""), AudioFormat(rate=8000), language="en", hints=hints)
    with pytest.raises(EngineError, match="pcm_s16le/16000/1"):
        await anext(transcripts)


@in_one_loop
async def test_giving_up_frees_the_worker_within_200_ms(engine, hints, say):
    before = set(engine._pool.pids)
    question = say("How tall is a giraffe?")
    async with aclosing(engine.transcribe(endless(question), LISTENING, language="en", hints=hints)) as transcripts:
        await anext(transcripts)
    assert (await hear(engine, question, hints))[-1].text == "how tall is a giraffe"
    assert before <= set(engine._pool.pids), "a worker that takes longer is replaced"


@in_one_loop
async def test_a_killed_worker_is_an_error_and_is_replaced(own_engine, hints, say):
    question = say("How tall is a giraffe?")
    transcripts = own_engine.transcribe(endless(question), LISTENING, language="en", hints=hints)
    await anext(transcripts)
    killed = kill_workers(own_engine)
    with pytest.raises(EngineError, match="died"):
        await collect(transcripts)
    await until(lambda: not killed & set(own_engine._pool.pids))
    assert (await hear(own_engine, question, hints))[-1].text == "how tall is a giraffe"


@in_one_loop
async def test_two_people_are_heard_at_once_by_two_workers(folder, hints, say):
    async with open_pocketsphinx({"workers": 2}, folder) as engine:
        first = engine.transcribe(endless(say("How tall is a giraffe?")), LISTENING, language="en", hints=hints)
        async with aclosing(first):
            await anext(first)  # is in the middle of its utterance
            second = await hear(engine, say("What do lions eat?"), hints)
            assert second[-1].text == "what do lions eat"


@in_one_loop
async def test_two_personas_are_heard_by_one_worker(engine, hints, say):
    letters = Hints(("Read me the next letter", "Delete the letter"))
    assert (await hear(engine, say("Delete the letter"), letters))[-1].text == "delete the letter"
    assert (await hear(engine, say("How tall is a giraffe?"), hints))[-1].text == "how tall is a giraffe"


@in_one_loop
async def test_a_model_deleted_behind_its_back_is_built_again(tmp_path, hints, say):
    async with open_pocketsphinx({"workers": 1}, tmp_path) as engine:
        await engine.warm_up(Grounding(), hints)
        [model] = (tmp_path / "models").iterdir()
        for file in model.iterdir():
            file.unlink()
        killed = kill_workers(engine)
        await until(lambda: not killed & set(engine._pool.pids))
        question = say("How tall is a giraffe?")
        with pytest.raises(EngineError, match="gone from the data folder"):
            await hear(engine, question, hints)
        assert (await hear(engine, question, hints))[-1].text == "how tall is a giraffe"


@in_one_loop
async def test_without_a_cache_nothing_is_left_on_disk(tmp_path, hints, say):
    async with open_pocketsphinx({"cache": False, "workers": 1}, tmp_path) as engine:
        assert (await hear(engine, say("What do lions eat?"), hints))[-1].text == "what do lions eat"
    assert not list(tmp_path.iterdir())


@in_one_loop
async def test_a_long_pause_parts_sentences_and_a_short_one_does_not(engine, hints, say):
    one, other = "what do lions eat", "how tall is a giraffe"
    around = LISTENING.pcm_bytes(300)
    for pause_ms, places in ((900, (len(one),)), (200, ())):
        audio = say(f"{one}?")[:-around] + bytes(LISTENING.pcm_bytes(pause_ms)) + say(f"{other}?")[around:]
        final = (await hear(engine, audio, hints))[-1]
        assert (final.text, final.pauses) == (f"{one} {other}", places)
