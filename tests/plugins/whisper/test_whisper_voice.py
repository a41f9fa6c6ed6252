from __future__ import annotations

import pytest

from mynah import LISTENING
from mynah_whisper.voice import VoiceTrack, load_detector


@pytest.fixture(scope="module")
def model():
    return load_detector()


def track(model, audio, piece):
    voice = VoiceTrack(model, 0.5)
    for at in range(0, len(audio), piece):
        voice.feed(audio[at : at + piece])
    return voice


def test_a_voice_is_heard_where_it_is(model, recording):
    silence = bytes(LISTENING.pcm_bytes(1500))
    speech = track(model, silence + recording("austen-0880.wav") + silence, 1280).speech
    length = LISTENING.pcm_ms(len(recording("austen-0880.wav"))) / 1000
    assert 1.3 < speech.first < 2.2
    assert length + 0.5 < speech.last < length + 1.9


def test_the_size_of_the_chunks_makes_no_difference(model, recording):
    audio = recording("goforward.wav")
    assert track(model, audio, 334).speech == track(model, audio, 40_000).speech


def test_silence_is_no_speech(model):
    voice = track(model, bytes(LISTENING.pcm_bytes(2000)), 1280)
    assert voice.speech.first is None
    assert voice.peak < 0.3
