from __future__ import annotations

import random

import pytest

from mynah.audio import AudioFormat, sniff

FORMATS = [
    AudioFormat("wav", 22_050, 2),
    AudioFormat("mp3", 24_000, 1),
    AudioFormat("mp3", 44_100, 2),
    AudioFormat("ogg_opus", 48_000, 2),
    AudioFormat("webm_opus", 48_000, 1),
]


@pytest.mark.parametrize("size", [300, 2000])
@pytest.mark.parametrize("format", FORMATS, ids=str)
def test_each_format_is_told_with_its_rate_and_channels(lab, format, size):
    data = lab.source_of(format, lab.sine(format.rate, format.channels))
    assert sniff(data[:size]) == format


@pytest.mark.parametrize("format", FORMATS, ids=str)
def test_sixty_four_bytes_tell_the_codec(lab, format):
    data = lab.source_of(format, lab.sine(format.rate, format.channels))
    assert sniff(data[:64]).codec == format.codec


def test_an_mp3_behind_a_tag_is_told(lab):
    data = lab.source_of(AudioFormat("mp3", 24_000), lab.sine(24_000))
    tag = b"ID3\4\0\0\0\0\1\0" + bytes(128)
    assert sniff(tag + data[:400]) == AudioFormat("mp3", 24_000)
    assert sniff(tag).codec == "mp3"


def test_a_frame_header_by_chance_is_no_mp3(lab):
    data = lab.source_of(AudioFormat("mp3", 24_000), lab.sine(24_000))
    assert sniff(data[:4] + bytes(1000)) is None


def test_raw_samples_text_and_other_codecs_are_unknown(lab):
    assert sniff(b"") is None
    assert sniff(b"what do lions eat") is None
    assert sniff(lab.sine(16_000)) is None
    assert sniff(b"OggS\0\2" + bytes(21) + b"\x1e\x01vorbis" + bytes(200)) is None
    assert sniff(lab.container_of("matroska", "aac", lab.sine(44_100), AudioFormat("wav", 44_100))) is None
    assert sniff(lab.container_of("flac", "flac", lab.sine(16_000), AudioFormat("wav"))) is None


def test_random_bytes_are_hardly_ever_taken_for_sound():
    dice = random.Random(1)
    assert sum(sniff(dice.randbytes(3000)) is not None for _ in range(3000)) == 0
