from __future__ import annotations

from contextlib import aclosing

import pytest

from counterparts.openai_server import OpenAIServer, Script
from mynah import LISTENING, EngineError, Hints, Transcript
from mynah.audio import WavReader
from mynah_openai.heard import Listening, whole

PCM = bytes(range(200)) * 160  # a second


async def spoken(pcm=PCM, step=1280):
    for at in range(0, len(pcm), step):
        yield pcm[at : at + step]


async def hear(engine, pcm=PCM, language="en", hints=None):
    call = engine.transcribe(spoken(pcm), LISTENING, language=language, hints=hints or Hints())
    async with aclosing(call) as stream:
        return [item async for item in stream]


async def test_words_come_as_they_are_found_and_one_transcript_is_final(server: OpenAIServer, opened):
    async with opened("stt") as engine:
        heard = await hear(engine)
    assert [item.text for item in heard] == [
        "what", "what do", "what do lions", "what do lions eat", "what do lions eat"
    ]  # fmt: skip
    assert [item.final for item in heard] == [False] * 4 + [True]


async def test_the_audio_is_sent_once_it_has_ended_as_a_wav(server: OpenAIServer, opened):
    async with opened("stt") as engine:
        await hear(engine)
    (seen,) = server.asked("transcriptions")
    (pcm,) = WavReader().feed(seen.body["file"])
    assert (pcm.data, pcm.rate, pcm.channels) == (PCM, 16_000, 1)
    assert seen.body["model"] == "tiny"


async def test_nothing_spoken_is_nothing_sent(server: OpenAIServer, opened):
    async with opened("stt") as engine:
        assert await hear(engine, b"") == [Transcript("", final=True)]
    assert not server.asked("transcriptions")


@pytest.mark.parametrize(
    ("config", "told", "sent"),
    [({}, "pt-BR", "pt"), ({}, None, None), ({"language": "de"}, "en", "de"), ({"language": "auto"}, "en", None)],
)
async def test_the_language_is_the_configured_or_the_session_s(server: OpenAIServer, opened, config, told, sent):
    async with opened("stt", **config) as engine:
        await hear(engine, language=told)
    assert server.asked("transcriptions")[0].body.get("language") == sent


async def test_the_words_to_expect_make_the_prompt(server: OpenAIServer, opened):
    async with opened("stt", prompt="At the zoo:") as engine:
        await hear(engine, hints=Hints(words=("okapi", "tapir")))
        await hear(engine, hints=Hints(words=tuple(f"animal{n}" for n in range(1000))))
    first, second = (seen.body["prompt"] for seen in server.asked("transcriptions"))
    assert first == "At the zoo: okapi, tapir"
    assert 500 < len(second) <= 600


async def test_a_server_that_refuses_streams_is_asked_for_none_again(server: OpenAIServer, opened):
    server.transcriptions = [
        Script(status=400, body={"error": {"message": "stream is not supported"}}),
        Script(tokens=("hello",)),
    ]
    async with opened("stt") as engine:
        for _ in range(2):
            assert await hear(engine) == [Transcript("hello", final=True)]
    assert ["stream" in seen.body for seen in server.asked("transcriptions")] == [True, False, False]


async def test_a_server_that_ignores_streams_is_asked_once_for_each_utterance(server: OpenAIServer, opened):
    server.transcriptions = Script(whole={"text": " hello "})
    async with opened("stt") as engine:
        for _ in range(2):
            assert await hear(engine) == [Transcript("hello", final=True)]
    assert ["stream" in seen.body for seen in server.asked("transcriptions")] == [True, False]


async def test_an_utterance_without_end_is_refused(opened):
    async with opened("stt", max_seconds=1) as engine:
        with pytest.raises(EngineError, match="longer than max_seconds: 1"):
            await hear(engine, PCM * 2)


async def test_a_web_page_is_no_transcript(server: OpenAIServer, opened):
    server.transcriptions = Script(fault="html")
    async with opened("stt") as engine:
        with pytest.raises(EngineError, match="answered with a web page"):
            await hear(engine)


def test_verbose_answers_tell_language_and_confidence():
    answer = b"""{"text": "Hola a todos.", "language": "spanish", "segments": [
        {"start": 0, "end": 1, "avg_logprob": -0.1, "no_speech_prob": 0.01},
        {"start": 1, "end": 2, "avg_logprob": -0.3, "no_speech_prob": 0.01}]}"""
    heard = whole(answer)
    assert (heard.text, heard.language, heard.final) == ("Hola a todos.", "es", True)
    assert heard.confidence == pytest.approx(0.8187, abs=0.001)


def test_noise_put_into_words_is_nothing_said():
    answer = b'{"text": "Thanks for watching!", "segments": [{"avg_logprob": -1.4, "no_speech_prob": 0.9}]}'
    assert whole(answer).text == ""


@pytest.mark.parametrize(
    ("body", "text"),
    [(b"plain words\n", "plain words"), (b'"quoted"', "quoted"), (b"42", "42"), (b"{}", ""), (b"[1]", "[1]"),
     (b'{"text": null}', ""), ("größer".encode(), "größer")],
)  # fmt: skip
def test_plain_answers_are_understood(body, text):
    assert whole(body) == Transcript(text, final=True)


@pytest.mark.parametrize("language", ["english", "English", "en", "EN"])
def test_languages_are_understood_by_name_and_tag(language):
    assert whole(b'{"text": "x", "language": "%s"}' % language.encode()).language == "en"


@pytest.mark.parametrize(
    ("events", "partials", "final"),
    [
        ([{"choices": [{"delta": {"content": " Hello"}}]}, {"choices": [{"delta": {"content": " you"}}]},
          {"choices": []}], ["Hello", "Hello you"], "Hello you"),
        ([{"text": "Hello"}, {"text": "you"}], ["Hello", "Hello you"], "Hello you"),
        ([{"type": "transcript.text.delta", "delta": "He"}, {"type": "transcript.text.done", "text": "Hello."}],
         ["He"], "Hello."),
        ([{"type": "something.new"}, None, "x", {"choices": ["x"]}], [], ""),
    ],
)  # fmt: skip
def test_streams_of_other_servers_are_understood(events, partials, final):
    listening = Listening()
    assert [heard.text for event in events if (heard := listening.feed(event))] == partials
    assert listening.final() == Transcript(final, final=True)
