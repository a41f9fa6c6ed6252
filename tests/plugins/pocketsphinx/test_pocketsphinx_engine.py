from __future__ import annotations

import asyncio
import os
import signal
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import pytest

from mynah import LISTENING, AudioFormat, EngineError, Grounding, Hints
from mynah.testing import check_speech_to_text
from mynah_pocketsphinx import mynah_engines
from mynah_pocketsphinx.config import Options
from mynah_pocketsphinx.engine import open_pocketsphinx

PIECE = LISTENING.pcm_bytes(40)


@pytest.fixture
async def engine(folder, hints):
    async with open_pocketsphinx({}, folder) as engine:
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


def workers():
    """Return the worker processes of this one, by their command lines: the oldest, which works, and its stand-in."""
    own = Path(f"/proc/{os.getpid()}/task")
    children = {pid for thread in own.iterdir() for pid in (thread / "children").read_text().split()}
    mine = (pid for pid in children if b"mynah_pocketsphinx.recognizer" in Path(f"/proc/{pid}/cmdline").read_bytes())
    return sorted(
        map(int, mine), key=lambda pid: int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    )


def test_the_engine_is_declared_as_embedded():
    [spec] = mynah_engines()
    assert (spec.name, spec.kind, spec.embedded) == ("pocketsphinx", "stt", True)
    assert Options.parse({"engine": "pocketsphinx", "workers": 2}) == Options(workers=2)


async def test_it_keeps_the_contract_of_speech_to_text(folder, hints, say):
    [spec] = mynah_engines()
    said = (say("What do lions eat?"), say("How tall is a giraffe?"))
    await check_speech_to_text(spec, folder=folder, hints=hints, utterances=said)


@pytest.mark.parametrize("question", ["How tall is a giraffe", "What do meerkats eat", "When does the zoo close"])
async def test_questions_of_the_persona_are_understood(engine, hints, say, question):
    transcripts = await hear(engine, say(question + "?"), hints)
    final = transcripts[-1]
    assert (final.text, final.final, final.understood) == (question.lower(), True, True)
    assert final.confidence > 0.5
    assert not any(transcript.final for transcript in transcripts[:-1])


async def test_an_irregular_plural_and_a_question_with_other_words_around_it_are_understood(engine, hints, say):
    final = (await hear(engine, say("Where are the wolves?"), hints))[-1]
    assert final.text == "where are the wolves"


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
async def test_silence_is_no_text(engine, hints, seconds):
    [final] = await hear(engine, bytes(LISTENING.pcm_bytes(seconds * 1000)), hints)
    assert (final.text, final.final, final.understood) == ("", True, True)


async def test_other_speech_is_not_made_into_a_question(engine, hints, recording):
    final = (await hear(engine, recording("jfk.wav"), hints))[-1]
    assert (final.text, final.understood) == ("", False)


async def test_the_same_audio_gives_the_same_text_whatever_came_before(engine, hints, say, recording):
    question = say("How fast can a lion run?", "slt")
    before = await hear(engine, question, hints)
    await hear(engine, recording("goforward.wav"), hints)
    assert await hear(engine, question, hints) == before


@pytest.mark.parametrize("language", ["en", "en-GB", "EN_us", None])
async def test_every_english_is_english(engine, hints, say, language):
    final = (await hear(engine, say("How tall is a giraffe?"), hints, language))[-1]
    assert final.text == "how tall is a giraffe"


async def test_another_language_is_refused(engine, hints):
    with pytest.raises(EngineError, match="knows only English, not 'de'"):
        await hear(engine, b"", hints, "de")
    await engine.warm_up(Grounding(language="de"), hints)


async def test_another_format_is_refused(engine, hints):
    transcripts = engine.transcribe(pieces(b""), AudioFormat(rate=8000), language="en", hints=hints)
    with pytest.raises(EngineError, match="pcm_s16le/16000/1"):
        await anext(transcripts)


async def test_giving_up_frees_the_worker_within_200_ms(engine, hints, say):
    worker = workers()[0]
    question = say("How tall is a giraffe?")
    async with aclosing(engine.transcribe(endless(question), LISTENING, language="en", hints=hints)) as transcripts:
        await anext(transcripts)
    assert (await hear(engine, question, hints))[-1].text == "how tall is a giraffe"
    assert workers()[0] == worker, "a worker that takes longer is replaced"


async def test_a_killed_worker_is_an_error_and_is_replaced(engine, hints, say):
    worker = workers()[0]
    question = say("How tall is a giraffe?")
    transcripts = engine.transcribe(endless(question), LISTENING, language="en", hints=hints)
    await anext(transcripts)
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(EngineError, match="died"):
        await collect(transcripts)
    assert (await hear(engine, question, hints))[-1].text == "how tall is a giraffe"
    assert worker not in workers()


async def test_two_people_are_heard_at_once_by_two_workers(folder, hints, say):
    async with open_pocketsphinx({"workers": 2}, folder) as engine:
        first = engine.transcribe(endless(say("How tall is a giraffe?")), LISTENING, language="en", hints=hints)
        async with aclosing(first):
            await anext(first)  # is in the middle of its utterance
            second = await hear(engine, say("What do lions eat?"), hints)
            assert second[-1].text == "what do lions eat"


async def test_two_personas_are_heard_by_one_worker(engine, hints, say):
    letters = Hints(("Read me the next letter", "Delete the letter"))
    assert (await hear(engine, say("Delete the letter"), letters))[-1].text == "delete the letter"
    assert (await hear(engine, say("How tall is a giraffe?"), hints))[-1].text == "how tall is a giraffe"


async def test_a_model_deleted_behind_its_back_is_built_again(tmp_path, hints, say):
    async with open_pocketsphinx({}, tmp_path) as engine:
        await engine.warm_up(Grounding(), hints)
        [model] = (tmp_path / "models").iterdir()
        for file in model.iterdir():
            file.unlink()
        os.kill(workers()[0], signal.SIGKILL)
        question = say("How tall is a giraffe?")
        with pytest.raises(EngineError, match=r"gone from the data folder|died"):
            await hear(engine, question, hints)
        assert (await hear(engine, question, hints))[-1].text == "how tall is a giraffe"


async def test_without_a_cache_nothing_is_left_on_disk(tmp_path, hints, say):
    async with open_pocketsphinx({"cache": False}, tmp_path) as engine:
        assert (await hear(engine, say("What do lions eat?"), hints))[-1].text == "what do lions eat"
    assert not list(tmp_path.iterdir())


async def test_a_long_pause_parts_sentences_and_a_short_one_does_not(engine, hints, say):
    one, other = "what do lions eat", "how tall is a giraffe"
    around = LISTENING.pcm_bytes(300)
    for pause_ms, places in ((900, (len(one),)), (200, ())):
        audio = say(f"{one}?")[:-around] + bytes(LISTENING.pcm_bytes(pause_ms)) + say(f"{other}?")[around:]
        final = (await hear(engine, audio, hints))[-1]
        assert (final.text, final.pauses) == (f"{one} {other}", places)
