from __future__ import annotations

import math
from array import array

import pytest

from mynah import LISTENING
from mynah_pocketsphinx.opening import BEFORE, ENOUGH, FRAME, LONGEST, Opening, loudness, onset


def tone(ms, level=3000, offset=0):
    samples = LISTENING.pcm_bytes(ms) // 2
    return array("h", [round(offset + level * math.sin(0.3 * number)) for number in range(samples)]).tobytes()


def silence(ms):
    return bytes(LISTENING.pcm_bytes(ms))


def collect(*parts, piece=1000):
    opening = Opening()
    audio = b"".join(parts)
    for at in range(0, len(audio), piece):
        opening.add(audio[at : at + piece])
    return opening


def test_loudness_is_the_root_mean_square_around_the_mean():
    assert loudness(tone(200, 1000, offset=5000)) == pytest.approx(1000 / math.sqrt(2), rel=0.02)
    assert loudness(silence(20)) == 0


def test_it_is_complete_a_second_after_the_first_sound():
    assert not collect(silence(3000)).complete
    assert not collect(silence(3000), tone(20 * (ENOUGH - 2))).complete
    assert collect(silence(3000), tone(20 * (ENOUGH + 1))).complete


def test_the_silence_before_the_first_sound_is_cut_off():
    opening = collect(silence(3000), tone(1200))
    assert len(opening.audio) == LISTENING.pcm_bytes(1200) + BEFORE * FRAME


def test_sound_from_the_first_sample_on_is_kept_whole():
    opening = collect(tone(1200), silence(200))
    assert len(opening.audio) == LISTENING.pcm_bytes(1400)
    assert opening.complete


def test_a_click_is_not_the_first_sound():
    opening = collect(silence(500), tone(20), silence(500), tone(1200))
    assert len(opening.audio) == LISTENING.pcm_bytes(1200) + BEFORE * FRAME


def test_a_steady_noise_is_no_sound_but_may_hold_a_quiet_voice():
    opening = collect(tone(2000, 200))
    assert not opening.complete
    assert not opening.silent
    assert len(opening.audio) == LISTENING.pcm_bytes(2000)


def test_silence_and_no_audio_at_all_are_silent():
    assert Opening().silent
    assert collect(silence(500)).silent
    assert collect(tone(500, 20)).silent


def test_hours_of_silence_are_not_kept():
    opening = collect(silence(60_000))
    assert len(opening.audio) <= (LONGEST + 2 * BEFORE) * FRAME


def test_a_voice_must_stand_out_from_the_quietest_frame():
    assert onset([100, 100, 200, 200, 200, 200]) is None
    assert onset([100, 100, 300, 300, 300, 300]) == 2
    assert onset([]) is None
