from __future__ import annotations

import base64
import logging

import pytest

from counterparts.openai_server import OpenAIServer, Script
from mynah import LISTENING, AudioClip, AudioFormat, EngineError, Grounding, Hints, Message, Token
from mynah.audio import WavReader


def words(items):
    return "".join(item.text for item in items if isinstance(item, Token))


async def test_tokens_come_as_the_server_cuts_them(server: OpenAIServer, opened, reply):
    server.chat = Script(tokens=("Li", "ons ", "roar."))
    async with opened("llm") as engine:
        assert await reply(engine) == [Token("Li"), Token("ons "), Token("roar.")]


async def test_settings_are_sent_only_where_they_are_given(server: OpenAIServer, opened, reply):
    async with opened("llm") as engine:
        await reply(engine)
    async with opened("llm", temperature=0.5, max_tokens=99, extra_body={"keep_alive": "1h"}) as engine:
        await reply(engine)
    plain, full = (seen.body for seen in server.asked("completions"))
    assert not {"temperature", "max_tokens", "keep_alive", "tools"} & set(plain)
    assert (full["temperature"], full["max_tokens"], full["keep_alive"]) == (0.5, 99, "1h")
    assert plain["model"] == "tiny"
    assert plain["stream"] is True


async def test_the_prompt_and_the_language_make_one_system_message(server: OpenAIServer, opened, reply):
    async with opened("llm") as engine:
        messages = [Message("system", "You are a lion."), Message("user", "Hola"), Message("assistant", "Grr."),
                    Message("user", "¿Qué?")]  # fmt: skip
        await reply(engine, messages, grounding=Grounding(language="es-MX"))
    told = server.asked("completions")[0].body["messages"]
    assert told[0] == {"role": "system", "content": "You are a lion.\n\nAnswer in Spanish."}
    assert [each["role"] for each in told[1:]] == ["user", "assistant", "user"]


async def test_thoughts_are_not_spoken(server: OpenAIServer, opened, reply):
    server.chat = Script(thoughts=("Hmm, ", "lions."), tokens=("<th", "ink>Let me", " see</thi", "nk>\n\nMeat", "."))
    async with opened("llm") as engine:
        assert words(await reply(engine)) == "Meat."


async def test_content_in_parts_is_joined_without_its_thoughts(server: OpenAIServer, opened, reply):
    parts = [{"type": "thinking", "thinking": "hmm"}, {"type": "text", "text": "Meat."}]
    server.chat = Script(tokens=(parts,), finish="stop")  # type: ignore[arg-type]
    async with opened("llm") as engine:
        assert words(await reply(engine)) == "Meat."


async def test_a_server_that_does_not_stream_answers_at_once(server: OpenAIServer, opened, reply):
    server.chat = Script(whole={"choices": [{"message": {"content": "Meat."}, "finish_reason": "stop"}]})
    async with opened("llm") as engine:
        assert words(await reply(engine)) == "Meat."


async def test_a_chunk_without_choices_and_a_missing_end_do_no_harm(server: OpenAIServer, opened, reply):
    server.chat = Script(usage={"total_tokens": 9}, finish=None)
    async with opened("llm") as engine:
        assert words(await reply(engine)) == "Lions eat meat."


async def test_an_empty_reply_is_an_error(server: OpenAIServer, opened, reply):
    server.chat = Script(tokens=())
    async with opened("llm") as engine:
        with pytest.raises(EngineError, match="'tiny' gave an empty reply"):
            await reply(engine)


async def test_a_reply_that_ends_in_its_thoughts_says_why(server: OpenAIServer, opened, reply):
    server.chat = Script(tokens=("<think>and so on and ",), finish="length")
    async with opened("llm") as engine:
        with pytest.raises(EngineError, match=r"reached max_tokens .* before it said anything"):
            await reply(engine)


async def test_a_reply_cut_at_its_limit_is_spoken_and_noted(server: OpenAIServer, opened, reply, caplog):
    server.chat = Script(tokens=("Lions eat",), finish="length")
    async with opened("llm") as engine:
        with caplog.at_level(logging.WARNING, "mynah_openai"):
            assert words(await reply(engine)) == "Lions eat"
    assert "raise max_tokens" in caplog.text


async def test_a_content_filter_is_named(server: OpenAIServer, opened, reply):
    server.chat = Script(tokens=("Well, ",), finish="content_filter")
    async with opened("llm") as engine:
        with pytest.raises(EngineError, match="content filter stopped the reply"):
            await reply(engine)


async def test_a_model_that_wants_max_completion_tokens_gets_them_from_then_on(server: OpenAIServer, opened, reply):
    wrong = {"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}}
    server.chat = [Script(status=400, body=wrong), Script()]
    async with opened("llm", max_tokens=50) as engine:
        assert words(await reply(engine)) == "Lions eat meat."
        assert words(await reply(engine)) == "Lions eat meat."
    first, second, third = (seen.body for seen in server.asked("completions"))
    assert first["max_tokens"] == 50
    for body in (second, third):
        assert body["max_completion_tokens"] == 50
        assert "max_tokens" not in body


async def test_the_voice_itself_is_sent_as_a_wav(server: OpenAIServer, opened, reply):
    pcm = bytes(range(256)) * 10
    async with opened("llm", audio_input=True) as engine:
        await reply(engine, [Message("user", AudioClip(pcm, LISTENING))])
    (part,) = server.asked("completions")[0].body["messages"][1]["content"]
    assert part["type"] == "input_audio"
    assert part["input_audio"]["format"] == "wav"
    assert WavReader().feed(base64.b64decode(part["input_audio"]["data"]))[0].data == pcm


async def test_a_clip_of_another_format_is_sent_as_what_the_hub_listens_to(server: OpenAIServer, opened, reply):
    clip = AudioClip(bytes(48_000 * 2 * 2), AudioFormat("pcm_s16le", 48_000, 2))
    async with opened("llm", audio_input=True) as engine:
        await reply(engine, [Message("user", clip)])
    (part,) = server.asked("completions")[0].body["messages"][1]["content"]
    (pcm,) = WavReader().feed(base64.b64decode(part["input_audio"]["data"]))
    assert (pcm.rate, pcm.channels) == (16_000, 1)
    assert len(pcm.data) == pytest.approx(32_000, rel=0.01)


async def test_only_the_latest_half_minute_of_voice_is_sent(server: OpenAIServer, opened, reply):
    clips = [Message("user", AudioClip(bytes(16_000 * 2 * 14), LISTENING)) for _ in range(4)]
    async with opened("llm", audio_input=True) as engine:
        await reply(engine, clips)
    told = server.asked("completions")[0].body["messages"][1:]
    assert [isinstance(each["content"], str) for each in told] == [True, True, False, False]


async def test_a_model_for_text_says_what_it_needs_for_audio(opened, reply):
    async with opened("llm") as engine:
        with pytest.raises(EngineError, match="set audio_input: true or put a speech-to-text engine before it"):
            await reply(engine, [Message("user", AudioClip(bytes(320), LISTENING))])


async def test_the_spec_says_whether_audio_is_taken(specs):
    assert specs["llm"].accepts_audio({"audio_input": True})
    assert not specs["llm"].accepts_audio({"audio_input": False})


@pytest.mark.parametrize(("kind", "path"), [("llm", "completions"), ("stt", "transcriptions"), ("tts", "speech")])
async def test_a_model_is_loaded_beforehand_only_where_that_is_wanted(server: OpenAIServer, opened, kind, path):
    for preload, times in ((False, 0), (True, 1)):
        async with opened(kind, preload=preload) as engine:
            await engine.warm_up(Grounding(), Hints())
        assert len(server.asked(path)) == times
