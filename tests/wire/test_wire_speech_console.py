"""E: the speech-to-speech console's wire."""

from __future__ import annotations

import base64
import struct

import pytest

from mynah import AudioChunk, AudioFormat, PersonaSpec, Voice
from mynah.testing import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech, scripted
from wire.wire_clients import b64, names, of, read_wav, tone, wav_file

PATH = "/ws/speech"
QUESTION = b64(wav_file(tone(300)))
SENTENCES = [f"Sentence number {n} is a long one. " for n in range(30)]


async def ask(client, kind="speech_to_speech_chunked_streaming", conversation="c1", **more):
    await client.send(type=kind, audio_data=QUESTION, conversation_id=conversation, **more)


async def test_on_connect_it_says_what_it_is(house):
    async with house() as home, home.connect(PATH) as client:
        hello = await client.next()
        assert (hello["type"], hello["status"]) == ("connection", "connected")
        assert hello["message"]
        assert {"sample_rate", "chunk_size", "latency_target"} <= hello["server_config"].keys()


async def test_on_the_shared_path_it_says_so_with_the_first_message(house):
    async with house() as home, home.connect("/ws") as client:
        await client.silence()
        await client.send(type="ping")
        assert (await client.next())["type"] == "connection"
        pong = await client.next()
        assert pong["type"] == "pong"
        assert isinstance(pong["timestamp"], float)
        await client.send(type="ping")
        assert (await client.next())["type"] == "pong"


async def test_a_reply_comes_token_by_token_phrase_by_phrase_piece_by_piece(house):
    async with house() as home, home.connect(PATH) as client:
        await client.next()
        await ask(client)
        frames = await client.until("chunked_streaming_complete")
        assert {frame["conversation_id"] for frame in frames} == {"c1"}
        assert all(isinstance(frame["timestamp"], float) for frame in frames)
        assert names(frames)[0] == "processing"
        assert all(isinstance(frame["stage"], str) for frame in of(frames, "processing"))
        tokens = of(frames, "token_chunk")
        assert [token["text"] for token in tokens] == ["Yes. ", "Lions eat meat. ", "They sleep a lot."]
        assert [token["chunk_sequence"] for token in tokens] == [0, 1, 2]
        assert all(token["inter_token_latency_ms"] >= 0 for token in tokens)
        phrases = of(frames, "semantic_chunk")
        assert [phrase["text"] for phrase in phrases] == ["Yes.", "Lions eat meat.", "They sleep a lot."]
        assert phrases[1]["full_text_so_far"] == "Yes. Lions eat meat."
        assert {phrase["boundary_type"] for phrase in phrases} <= {"word", "phrase", "sentence"}
        done = frames[-1]
        assert done["success"] is True
        assert done["transcription"] == "what do lions eat"
        assert done["response_text"] == "Yes. Lions eat meat. They sleep a lot."
        assert (done["total_tokens"], done["total_words"]) == (3, 8)
        assert done["total_chunks"] == len(of(frames, "sequential_audio"))
        for name in ("total_time_ms", "first_token_latency_ms", "first_word_latency_ms", "first_audio_latency_ms"):
            assert done[name] >= 0
        assert isinstance(done["stage_timings"], dict)


async def test_each_piece_that_the_engine_makes_is_a_wav_of_its_own(house):
    tts = ScriptedTextToSpeech(pieces=4)
    async with house(tts=tts) as home, home.connect(PATH) as client:
        await client.next()
        await ask(client)
        pieces = of(await client.until("chunked_streaming_complete"), "sequential_audio")
        assert [piece["chunk_index"] for piece in pieces] == [0, 1, 2, 3] * 3
        assert [piece["is_final_audio"] for piece in pieces] == [False] * 11 + [True]
        assert [piece["text_source"] for piece in pieces[::4]] == ["Yes.", "Lions eat meat.", "They sleep a lot."]
        assert len({piece["chunk_id"] for piece in pieces}) == 12
        samples = b""
        for piece in pieces:
            data = base64.b64decode(piece["audio_data"])
            rate, channels, pcm = read_wav(data)
            assert (rate, channels) == (piece["sample_rate"], 1) == (16_000, 1)
            assert piece["chunk_size_bytes"] == len(data)
            assert piece["synthesis_time_ms"] >= 0
            samples += pcm
        assert len(samples) / 32 == pytest.approx(800, abs=1)


async def test_audio_comes_while_the_text_is_still_being_written(house):
    llm = ScriptedLanguageModel(["Yes. ", "Lions eat meat."], each_s=0.4)
    async with house(llm=llm, tts=ScriptedTextToSpeech(pieces=1)) as home, home.connect(PATH) as client:
        await client.next()
        await ask(client)
        told = names(await client.until("chunked_streaming_complete"))
        assert told.index("sequential_audio") < len(told) - 1 - told[::-1].index("token_chunk")


async def test_clients_of_the_plain_name_get_audio_under_theirs(house):
    async with house() as home, home.connect(PATH) as client:
        await client.next()
        await ask(client, "speech_to_speech")
        frames = await client.until("chunked_streaming_complete")
        assert of(frames, "chunked_streaming_audio")
        assert not of(frames, "sequential_audio")


@pytest.mark.parametrize("kind", ["audio_chunk", "audio"])
async def test_the_other_names_are_requests_too(house, kind):
    async with house() as home, home.connect(PATH) as client:
        await client.next()
        await ask(client, kind, voice="amber", speed=1.1, mode="chunked_streaming", prompt="Be kind.", chunk_id="7")
        assert of(await client.until("chunked_streaming_complete"), "sequential_audio")


@pytest.mark.parametrize("how", [{"streaming": False}, {"mode": "conversation"}])
async def test_the_batch_answer_is_one_message(house, how):
    async with house() as home, home.connect(PATH) as client:
        await client.next()
        await ask(client, "speech_to_speech", **how)
        answer = await client.next()
        assert answer["type"] == "response"
        assert answer["text"] == "Yes. Lions eat meat. They sleep a lot."
        rate, _, pcm = read_wav(base64.b64decode(answer["audio_data"]))
        assert answer["audio_duration_ms"] == pytest.approx(len(pcm) / 2 / rate * 1000, abs=1)
        assert answer["processing_time_ms"] >= 0
        await client.silence()


async def test_samples_may_be_floats(house):
    stt = ScriptedSpeechToText()
    floats = b"".join(struct.pack("<f", (n % 100) / 200) for n in range(4_800))
    async with house(stt=stt) as home, home.connect(PATH) as client:
        await client.next()
        await client.send(type="speech_to_speech", audio_data=b64(floats), conversation_id="c1")
        await client.until("chunked_streaming_complete")
        assert [round(value, -1) for value in struct.unpack("<5h", stt.heard[:10])] == [0, 160, 330, 490, 660]
        assert len(stt.heard) == 9_600


async def test_two_requests_on_one_socket(house):
    llm = ScriptedLanguageModel(rounds=[["One is one."], ["Two is two."]], each_s=0.05)
    async with house(llm=llm, tts=ScriptedTextToSpeech(first_s=0.1, total_s=0.3)) as home, home.connect(PATH) as client:
        await client.next()
        await ask(client, conversation="c1")
        await ask(client, conversation="c2")
        first = await client.until("chunked_streaming_complete")
        second = await client.until("chunked_streaming_complete")
        assert (first[-1]["conversation_id"], first[-1]["response_text"]) == ("c1", "One is one.")
        assert (second[-1]["conversation_id"], second[-1]["response_text"]) == ("c2", "Two is two.")
        sounds = [frame["conversation_id"] for frame in of(client.frames, "sequential_audio")]
        assert sounds == sorted(sounds)


async def test_an_interrupt_ends_the_request_and_the_next_one_works(house):
    llm = ScriptedLanguageModel(rounds=[SENTENCES, ["Brief."]])
    tts = ScriptedTextToSpeech(first_s=0.02, total_s=0.2, ms_per_word=400)
    async with house(llm=llm, tts=tts) as home, home.connect(PATH) as client:
        await client.next()
        await ask(client)
        await client.until("sequential_audio")
        await client.send(type="interrupt", conversation_id="c1")
        done = (await client.until("chunked_streaming_complete"))[-1]
        assert (done["success"], done["interrupted"], done["conversation_id"]) == (False, True, "c1")
        await ask(client, conversation="c2")
        frames = await client.until("chunked_streaming_complete")
        assert {frame["conversation_id"] for frame in frames} == {"c2"}
        assert frames[-1]["response_text"] == "Brief."


async def test_an_interrupt_is_for_its_conversation_alone(house):
    tts = ScriptedTextToSpeech(first_s=0.05, total_s=0.3)
    async with house(tts=tts) as home, home.connect(PATH) as client:
        await client.next()
        await ask(client, conversation="c1")
        await ask(client, conversation="c2")
        await client.until("sequential_audio")
        await client.send(type="interrupt", conversation_id="c2")
        ends = {}
        for _ in range(2):
            done = (await client.until("chunked_streaming_complete"))[-1]
            ends[done["conversation_id"]] = done["success"]
        assert ends == {"c1": True, "c2": False}


async def test_status_tells_of_engines_and_clients(house):
    async with house() as home, home.connect(PATH) as client, home.connect(PATH) as other:
        await client.next()
        await other.next()
        await client.send(type="status")
        status = await client.next()
        assert status["type"] == "status"
        assert isinstance(status["model_info"], dict)
        assert status["connected_clients"] == 2


async def test_what_cannot_be_answered_is_an_error_with_its_stage(house):
    async with house(llm=ScriptedLanguageModel(fault="raise")) as home, home.connect(PATH) as client:
        await client.next()
        await ask(client)
        error = (await client.until("error"))[-1]
        assert error["conversation_id"] == "c1"
        assert error["message"]
        assert error["stage"]


@pytest.mark.parametrize(
    "frame",
    [
        "not json", "[]", "{}", '{"type":"sing"}', '{"type":"audio"}', '{"type":"audio","audio_data":7}',
        '{"type":"audio","audio_data":""}', '{"type":"audio","audio_data":"%%"}',
        '{"type":"audio","audio_data":"AAAA","conversation_id":7}',
        '{"type":"audio","audio_data":"AAAA","streaming":"yes"}',
        '{"type":"audio","audio_data":"AAAA","mode":"loud"}', '{"type":"audio","audio_data":"AAAA","speed":"fast"}',
        '{"type":"interrupt","conversation_id":[]}',
    ],
)  # fmt: skip
async def test_a_malformed_frame_is_told_and_the_next_good_one_works(house, frame):
    async with house() as home, home.connect(PATH) as client:
        await client.next()
        await client.ws.send_str(frame)
        error = await client.next()
        assert error["type"] == "error"
        assert error["message"]
        assert {"conversation_id", "stage"} <= error.keys()
        await client.send(type="ping")
        assert (await client.next())["type"] == "pong"


async def test_the_speed_is_that_of_the_request(house):
    rates = []

    class Mouth(ScriptedTextToSpeech):
        def synthesize(self, text, *, voice, language):
            rates.append(voice.rate)
            return super().synthesize(text, voice=voice, language=language)

    async with house(llm=ScriptedLanguageModel(["Yes."]), tts=Mouth()) as home, home.connect(PATH) as client:
        await client.next()
        for speed in ({"speed": 1.5}, {}):
            await ask(client, **speed)
            await client.until("chunked_streaming_complete")
    assert rates == [1.5, 1.0]


# ---------------------------------------------------------------- voice and prompt


class Choir:
    """A voice of two names; what was said by which is noted."""

    def __init__(self):
        self.said = []

    def knows_voice(self, name):
        return name in ("alto", "tenor")

    async def synthesize(self, text, *, voice, language):
        self.said.append((voice.name, text))
        yield AudioChunk(bytes(3_200), AudioFormat("pcm_s16le", 16_000, 1), 100.0)


def singing(choir, *, cached=False):
    """Return what makes a hub speak by a choir, as somebody whose own voice is the tenor."""
    voice = scripted("tts", choir, name="a_choir", cached=cached)
    robin = PersonaSpec(name="robin", title="Robin", prompt="You are a robin.", voice=Voice("tenor"))
    config = {"engines": {"tts": [{"engine": "a_choir"}]}, "speech_cache": {"stock_phrases": False}}
    return {"specs": [voice, robin], "config": config, "dialects": {"speech_console": {"persona": "robin"}}}


@pytest.mark.parametrize("cached", [False, True])
async def test_the_voice_that_is_asked_for_speaks_if_it_is_known_and_else_the_personas(house, cached):
    choir, llm = Choir(), ScriptedLanguageModel(rounds=[[f"Reply {n}."] for n in range(4)])
    async with house(llm=llm, **singing(choir, cached=cached)) as home, home.connect(PATH) as client:
        await client.next()
        for voice in ({"voice": "alto"}, {"voice": "amber"}, {"voice": None}, {"voice": "alto"}):
            await ask(client, **voice)
            await client.until("chunked_streaming_complete")
    assert choir.said == [("alto", "Reply 0."), ("tenor", "Reply 1."), ("tenor", "Reply 2."), ("alto", "Reply 3.")]


async def test_a_voice_that_cannot_tell_its_names_is_asked_for_none(house):
    async with house() as home, home.connect(PATH) as client:
        await client.next()
        await ask(client, voice="amber")
        assert (await client.until("chunked_streaming_complete"))[-1]["success"] is True


async def test_a_prompt_is_told_after_the_personas_for_that_request_alone(house):
    llm = ScriptedLanguageModel(("Yes.",))
    async with house(llm=llm, **singing(Choir())) as home, home.connect(PATH) as client:
        await client.next()
        for prompt in ("Answer in rhymes.", None):
            await ask(client, prompt=prompt)
            await client.until("chunked_streaming_complete")
    told = {messages[0].content for messages in llm.asked}
    assert told == {"You are a robin.\n\nAnswer in rhymes.", "You are a robin."}
    assert llm.asked[-1][0].content == "You are a robin."


async def test_requests_that_wait_keep_their_own_voice_and_prompt(house):
    choir, llm = Choir(), ScriptedLanguageModel(rounds=[["One."], ["Two."], ["Three."]], first_s=0.1)
    async with house(llm=llm, **singing(choir)) as home, home.connect(PATH) as client:
        await client.next()
        for voice, prompt in (("alto", "A"), ("tenor", "B"), ("alto", "C")):
            await ask(client, voice=voice, prompt=prompt)
        for _ in range(3):
            await client.until("chunked_streaming_complete")
    assert choir.said == [("alto", "One."), ("tenor", "Two."), ("alto", "Three.")]
    assert [messages[0].content[-1] for messages in llm.asked] == ["A", "B", "C"]


async def test_too_long_a_prompt_is_an_error(house):
    async with house() as home, home.connect(PATH) as client:
        await client.next()
        await ask(client, prompt="x" * 10_001)
        error = await client.next()
        assert (error["type"], error["conversation_id"]) == ("error", "c1")
        assert "`prompt`" in error["message"]
