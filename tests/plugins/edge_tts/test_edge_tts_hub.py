"""The voice in a hub, heard at the client's socket."""

import random
import time

import edge_tts
import pytest

from counterparts.edge import LEAD_MS, Script, word_ends
from mynah import AudioFormat
from mynah.testing import FakeSpeaker, scripted_engines
from mynah_edge_tts import mynah_engines

MP3 = AudioFormat("mp3", 24_000, 1)
PCM = AudioFormat("pcm_s16le", 24_000, 1)
THREE = "Lions are awake. Seven zebras eat green grass. Old owls sleep all day long."


@pytest.fixture
async def hub(run_hub, edge):
    specs = [spec for spec in scripted_engines() if getattr(spec, "kind", "") != "tts"]
    config = {"engines": {"tts": [{"engine": "edge_tts"}]}}
    async with run_hub(specs=(*specs, *mynah_engines()), config=config, installed=("http", "websocket")) as running:
        await running.warm(10)
        yield running


def speaker_of(hub, **hello):
    return FakeSpeaker(hub.addresses["http"], **{"plays": [MP3], **hello})


def by_phrase(turn):
    phrases = dict.fromkeys(piece.phrase for piece in turn.audio)
    return [b"".join(piece.data for piece in turn.audio if piece.phrase == phrase) for phrase in phrases]


async def test_what_plays_mp3_gets_the_service_s_own_bytes_phrase_by_phrase(hub, edge):
    async with speaker_of(hub) as speaker:
        turn = await speaker.say(THREE)

    assert len(turn.phrases) >= 3
    assert by_phrase(turn) == [edge.audio(text) for text in turn.phrases]
    assert {piece.format for piece in turn.audio} == {MP3}


async def test_what_plays_pcm_gets_it_decoded(hub, edge):
    async with speaker_of(hub, plays=[PCM]) as speaker:
        turn = await speaker.say("The lions are awake.")

    sent_ms = len(b"".join(edge.audio(text) for text in turn.phrases)) / 6
    assert PCM.pcm_ms(len(turn.audio_bytes())) == pytest.approx(sent_ms, abs=150)


async def test_phrases_are_made_side_by_side_and_heard_in_order(hub, edge):
    edge.script = Script(first_s=0.05, total_s=1.5)
    async with speaker_of(hub) as speaker:
        began = time.monotonic()
        turn = await speaker.say(THREE)
        took = turn.audio[-1].at - began

    places = [piece.phrase for piece in turn.audio]
    assert places == sorted(places)
    asked = [request.at for request in edge.requests if request.text in turn.phrases]
    assert len(asked) == len(turn.phrases) == 3
    assert max(asked) - began < 1.4  # all of them before the first is through
    assert took < 4


@pytest.mark.long
async def test_three_phrases_of_three_seconds_take_little_more_than_three(hub, edge):
    edge.script = Script(first_s=0.5, total_s=3.0)
    async with speaker_of(hub) as speaker:
        began = time.monotonic()
        turn = await speaker.say(THREE, timeout_s=15)

    places = [piece.phrase for piece in turn.audio]
    added_ms = (turn.audio[0].at - edge.first_sent[turn.phrases[0]]) * 1000
    took_s = turn.audio[-1].at - began
    print(f"three phrases: {took_s:.3f} s, the hub added {added_ms:.1f} ms to the first byte")
    assert len(turn.phrases) == 3
    assert by_phrase(turn) == [edge.audio(text) for text in turn.phrases]
    assert places == sorted(places)
    assert took_s <= 3.15
    assert added_ms <= 10


@pytest.mark.parametrize("words", [1, 2, 5, 8])
async def test_what_was_heard_at_an_interruption_is_known_to_the_word(hub, edge, words):
    text = "Old grey elephants, so they say, never forget a friend"
    async with speaker_of(hub, playback="silent") as speaker:
        turn = await speaker.say(text)
        first, lasts_ms = len(turn.phrases[0].split()), turn.all("speech_ended")[0].data["ms"]
        before_ms, number = (0.0, words) if words <= first else (lasts_ms, words - first)
        # A word is over at 90 % of its 300 ms, and the next one at 270 ms more.
        await speaker.played(turn.id, before_ms + LEAD_MS + number * 300)
        await speaker.interrupt()
        told = await speaker.expect("interrupted")

    assert told.data["heard"].split() == text.split()[:words]


async def test_what_was_heard_is_known_to_the_word_at_forty_random_moments(hub, edge):
    chance = random.Random(7)
    async with speaker_of(hub, playback="silent") as speaker:
        for number in range(40):
            text = f"Well no. Old grey elephants, say {number} keepers (or more), never forget."
            turn = await speaker.say(text)
            ends, start_ms = [], 0.0
            for phrase, ended in zip(turn.phrases, turn.all("speech_ended"), strict=True):
                ends += [start_ms + end for end in word_ends(phrase)]
                start_ms += ended.data["ms"]
            heard_ms = chance.uniform(0, start_ms - 200)
            await speaker.played(turn.id, heard_ms)
            await speaker.interrupt()
            told = await speaker.expect("interrupted")

            words = sum(end <= round(heard_ms, 1) for end in ends)
            assert told.data["heard"].split() == text.split()[:words], f"moment {number}: {heard_ms:.1f} ms"


async def test_an_interruption_cuts_every_connection_at_once(hub, edge):
    edge.script = Script(first_s=0.02, total_s=5.0)
    async with speaker_of(hub) as speaker:
        await speaker.send("say", text=THREE)
        await speaker.until(lambda: any(turn.audio for turn in speaker.turns.values()))
        began = time.monotonic()
        await speaker.interrupt()
        await edge.all_closed()

    assert time.monotonic() - began < 2  # and not the five seconds of the phrases


async def test_a_voice_that_is_refused_is_replaced_at_once(run_hub, edge):
    specs = [spec for spec in scripted_engines() if getattr(spec, "kind", "") != "tts"]
    config = {"engines": {"tts": [{"engine": "edge_tts"}, {"engine": "espeak"}]}}
    installed = ("http", "websocket", "espeak")
    edge.script = Script(status=403)
    async with (
        run_hub(specs=(*specs, *mynah_engines()), config=config, installed=installed) as hub,
        speaker_of(hub, plays=[PCM]) as speaker,
    ):
        began = time.monotonic()
        turn = await speaker.say("The lions are awake.")

    assert edge.connects > 0
    assert turn.first_audio_at - began < 3
    assert turn.outcome == "answered"


async def test_without_the_service_the_hub_is_up_at_once_and_speaks_all_the_same(run_hub, edge, monkeypatch, caplog):
    monkeypatch.setattr(edge_tts.communicate, "WSS_URL", "ws://127.0.0.1:9/x?")
    monkeypatch.setattr(edge_tts.voices, "VOICE_LIST", "http://127.0.0.1:9/x?")
    specs = [spec for spec in scripted_engines() if getattr(spec, "kind", "") != "tts"]
    config = {"engines": {"tts": [{"engine": "edge_tts"}, {"engine": "espeak"}]}}
    installed = ("http", "websocket", "espeak")
    began = time.monotonic()
    async with (
        run_hub(specs=(*specs, *mynah_engines()), config=config, installed=installed) as hub,
        speaker_of(hub, plays=[PCM]) as speaker,
    ):
        assert time.monotonic() - began < 10
        turn = await speaker.say("The lions are awake.")

    assert turn.audio
    assert "Edge's voices cannot be reached (" in caplog.text
