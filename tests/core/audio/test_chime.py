from __future__ import annotations

import itertools
from array import array

import pytest

from mynah.audio import LISTENING, AudioFormat
from mynah.audio.chime import CHIME_FORMAT, chime


def samples(chunk):
    return array("h", chunk.data)


def pitch(values, rate):
    """Return the frequency in Hz by counting where the sound rises through zero."""
    crossings = sum(1 for one, two in itertools.pairwise(values) if one < 0 <= two)
    return crossings * rate / len(values)


@pytest.mark.parametrize("kind", ["attention", "failure"])
@pytest.mark.parametrize("format", [CHIME_FORMAT, LISTENING, AudioFormat("pcm_s16le", 48_000, 2)])
def test_a_chime_is_short_and_says_how_long_it_is(kind, format):
    chunk = chime(kind, format)
    assert chunk.format == format
    assert 300 < chunk.ms < 600
    assert chunk.ms == pytest.approx(format.pcm_ms(len(chunk.data)))


@pytest.mark.parametrize("kind", ["attention", "failure"])
def test_a_chime_is_heard_and_neither_clips_nor_clicks(kind):
    values = samples(chime(kind))
    assert 3_000 < max(map(abs, values)) < 16_000
    assert (values[0], values[-1]) == (0, 0)
    # A click is a step: no two samples differ by more than a sine of the highest overtone could.
    assert max(abs(two - one) for one, two in itertools.pairwise(values)) < 4_000


@pytest.mark.parametrize(("kind", "rises"), [("attention", True), ("failure", False)])
def test_attention_rises_and_failure_falls(kind, rises):
    values, rate = samples(chime(kind)), CHIME_FORMAT.rate
    first = pitch(values[: int(0.15 * rate)], rate)
    second = pitch(values[int(0.30 * rate) : int(0.45 * rate)], rate)
    assert (second > first * 1.2) is rises
    assert (second < first / 1.2) is not rises


def test_both_channels_sound_the_same():
    values = samples(chime("failure", AudioFormat("pcm_s16le", 16_000, 2)))
    assert values[::2] == values[1::2]


def test_a_chime_is_made_as_pcm_only():
    with pytest.raises(ValueError, match="convert it"):
        chime("failure", AudioFormat("mp3", 24_000))
