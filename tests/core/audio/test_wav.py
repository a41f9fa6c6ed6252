from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest

from mynah.audio import LISTENING, AudioFormat, WavReader, converter, wav_header
from mynah.errors import AudioError


def chunk(kind, data):
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def wav(bits, data, *, tag=1, rate=8_000, channels=1, before=b"", extensible=False, size=None):
    fmt = struct.pack("<HHIIHH", 0xFFFE if extensible else tag, channels, rate, 0, bits // 8 * channels, bits)
    if extensible:
        fmt += struct.pack("<HHI", 22, bits, 0) + struct.pack("<H", tag) + bytes(14)
    size = len(data) if size is None else size
    return b"RIFF\0\0\0\0WAVE" + before + chunk(b"fmt ", fmt) + b"data" + struct.pack("<I", size) + data


def read(*pieces):
    reader = WavReader()
    out = [pcm for piece in pieces for pcm in reader.feed(piece)] + reader.flush()
    return np.frombuffer(b"".join(pcm.data for pcm in out), "<i2").tolist(), reader.info


VARIANTS = {
    "8-bit": (8, bytes([0, 64, 128, 255]), 1, [-32768, -16384, 0, 32512]),
    "16-bit": (16, struct.pack("<4h", -32768, -1, 0, 32767), 1, [-32768, -1, 0, 32767]),
    "24-bit": (24, b"\0\0\x80" + b"\xff\xff\xff" + b"\0\0\0" + b"\xff\xff\x7f", 1, [-32768, -1, 0, 32767]),
    "32-bit": (32, struct.pack("<4i", -(2**31), -1, 0, 2**31 - 1), 1, [-32768, -1, 0, 32767]),
    "float": (32, struct.pack("<5f", -2.0, -0.5, 0, 1.0, float("nan")), 3, [-32768, -16384, 0, 32767, 0]),
    "double": (64, struct.pack("<2d", 0.25, -1.0), 3, [8192, -32768]),
}


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_kind_of_sample_becomes_16_bit(name, extensible):
    bits, data, tag, expected = VARIANTS[name]
    assert read(wav(bits, data, tag=tag, extensible=extensible))[0] == expected


@pytest.mark.parametrize("name", VARIANTS)
def test_any_cut_gives_the_same(lab, name):
    bits, data, tag, expected = VARIANTS[name]
    file = wav(bits, data, tag=tag, before=chunk(b"LIST", b"odd") + chunk(b"junk", bytes(3000)))
    assert read(*(file[at : at + 1] for at in range(len(file))))[0] == expected


def test_the_rate_and_channels_of_the_header_win(lab):
    data = lab.wav_of(lab.sine(44_100, 2), AudioFormat("wav", 44_100, 2))
    chunks = lab.convert(AudioFormat("wav", 8_000, 1), LISTENING, lab.cut(data))
    assert sum(chunk.ms for chunk in chunks) == pytest.approx(1000, abs=1)
    assert lab.peak(lab.joined(chunks), 16_000)[0] == pytest.approx(440, abs=2)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_sizes_of_a_streaming_writer_mean_until_the_end(size):
    assert read(wav(16, bytes(200), size=size), bytes(100))[0] == [0] * 150


def test_chunks_behind_the_data_are_not_sound():
    assert read(wav(16, b"\1\0\2\0") + chunk(b"LIST", b"INFOISFT"))[0] == [1, 2]


def test_a_wav_cut_short_gives_its_whole_frames():
    assert read(wav(16, bytes(7), channels=2, size=4000))[0] == [0, 0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"RIFX\0\0\0\0WAVE", "not a WAV"),
        (b"<html>", "not a WAV"),
        (b"RIFF\0\0\0\0AVI LIST", "not a WAV"),
        (wav(4, b"", tag=0x11), "kind 0x0011; use PCM"),
        (wav(8, b"", tag=7), "kind 0x0007"),
        (wav(16, b"", channels=6), "6 channels; use 1 or 2"),
        (wav(16, b"", rate=0), "sample rate of 0 Hz"),
        (b"RIFF\0\0\0\0WAVE" + chunk(b"data", b"1234"), "data comes before its format"),
        (b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", b"1234"), "format chunk is too short"),
        (b"RIFF\0\0\0\0WAVEfmt \xff\xff\xff\x7f", "claims 2147483647 bytes"),
        (b"RIFF\0\0\0\0WAVEfmt ", "ends within its header"),
        (b"RIF", "ends within its header"),
    ],
)
def test_what_is_no_wav_that_can_be_read_is_an_error_that_says_why(data, message):
    with pytest.raises(AudioError, match=message):
        read(data)


def test_a_header_with_a_size_is_what_the_wave_module_writes():
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((2, 2, 24_000, 0, "NONE", ""))
        file.writeframes(bytes(400))
    assert wav_header(AudioFormat("wav", 24_000, 2), 400) + bytes(400) == buffer.getvalue()


def test_a_header_without_a_size_says_unknown():
    header = wav_header(LISTENING, None)
    assert (header[4:8], header[40:44]) == (b"\xff" * 4, b"\xff" * 4)
    assert read(header, bytes(20))[0] == [0] * 10


def test_a_header_for_more_than_a_wav_can_hold_is_refused():
    with pytest.raises(AudioError, match="4 GiB"):
        wav_header(LISTENING, 2**32)


def test_a_wav_target_begins_with_one_header(lab):
    stream = converter(AudioFormat("pcm_s16le"), AudioFormat("wav"))
    first, second = stream.feed(bytes(640)), stream.feed(bytes(640))
    assert first[0].data == wav_header(LISTENING, None) + bytes(640)
    assert (first[0].ms, second[0].ms, second[0].data, stream.flush()) == (20.0, 20.0, bytes(640), [])
