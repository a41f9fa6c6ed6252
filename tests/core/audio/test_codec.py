from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import tracemalloc
import wave
from pathlib import Path

import numpy as np
import pytest

from mynah.audio import LISTENING, AudioFormat, converter
from mynah.errors import AudioError

AUDIO = Path(__file__).parents[2] / "audio"

SOURCES = [
    AudioFormat("pcm_s16le", 16_000, 1),
    AudioFormat("pcm_s16le", 22_050, 2),
    AudioFormat("wav", 44_100, 2),
    AudioFormat("mp3", 24_000, 1),
    AudioFormat("mp3", 44_100, 2),
    AudioFormat("opus", 48_000, 1),
    AudioFormat("opus", 16_000, 2),
    AudioFormat("ogg_opus", 48_000, 1),
    AudioFormat("webm_opus", 48_000, 2),
    AudioFormat("ima_adpcm", 16_000, 1),
]
TARGETS = [
    AudioFormat("pcm_s16le", 16_000, 1),
    AudioFormat("pcm_s16le", 48_000, 2),
    AudioFormat("wav", 24_000, 1),
    AudioFormat("mp3", 24_000, 1),
    AudioFormat("mp3", 44_100, 2),
    AudioFormat("opus", 24_000, 1),
    AudioFormat("opus", 48_000, 2),
    AudioFormat("ogg_opus", 16_000, 1),
    AudioFormat("ima_adpcm", 22_050, 1),
]
# How many milliseconds a codec may add in front and behind: MP3 two frames and its filters, Opus a packet.
PADDING_MS = {"mp3": 130.0, "opus": 30.0}
# Sound that must have gone in before some comes out: resampling and a frame, block or packet of each side.
FIRST_MS = {"mp3": 100, "opus": 60, "ogg_opus": 60, "webm_opus": 60, "ima_adpcm": 70, "pcm_s16le": 20, "wav": 20}


def padding(*formats):
    return 1.0 + sum(PADDING_MS.get(format.codec, 0.0) for format in formats)


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_a_tone_keeps_its_pitch_level_and_length_through_every_pair(lab, source, target):
    data = lab.source_of(source, lab.sine(source.rate, source.channels))
    chunks = lab.convert(source, target, lab.cut(data))
    assert {chunk.format for chunk in chunks} == {target}
    plain = AudioFormat("pcm_s16le", target.rate, target.channels)
    pieces = [chunk.data for chunk in chunks]
    heard = lab.joined(lab.convert(target, plain, pieces))
    hertz, level = lab.peak(heard, target.rate, target.channels)
    assert hertz == pytest.approx(440, abs=2)
    assert level == pytest.approx(0.4, rel=0.15)
    assert plain.pcm_ms(len(heard)) == pytest.approx(1000, abs=padding(source, target))
    assert sum(chunk.ms for chunk in chunks) == pytest.approx(plain.pcm_ms(len(heard)), abs=1.0)


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_first_output_comes_after_little_input(lab, source, target):
    data = lab.source_of(source, lab.sine(source.rate, source.channels))
    pieces = lab.cut(data, 200)
    stream = converter(source, target)
    needed = next(count for count, piece in enumerate(pieces, 1) if stream.feed(piece))
    limit = FIRST_MS[source.codec] + FIRST_MS[target.codec]
    assert needed / len(pieces) * 1000 <= limit + 20


@pytest.mark.parametrize("source", [source for source in SOURCES if source.codec != "opus"], ids=str)
def test_the_result_does_not_depend_on_where_the_stream_is_cut(lab, source):
    data = lab.source_of(source, lab.sine(source.rate, source.channels, seconds=0.5))
    whole = lab.joined(lab.convert(source, LISTENING, [data]))
    for seed in range(4):
        assert lab.joined(lab.convert(source, LISTENING, lab.cut_at_random(data, seed))) == whole


@pytest.mark.parametrize("target", [target for target in TARGETS if target.codec != "ogg_opus"], ids=str)
def test_the_encoded_result_does_not_depend_on_where_the_stream_is_cut(lab, target):
    data = lab.sine(16_000, seconds=0.5)
    whole = lab.joined(lab.convert(LISTENING, target, [data]))
    # Chunks differ in size, never in what they add up to. (Ogg's serial numbers are drawn anew.)
    assert lab.joined(lab.convert(LISTENING, target, lab.cut_at_random(data, 1))) == whole


@pytest.mark.parametrize("format", [*SOURCES, AudioFormat("mp3", 8_000, 1)], ids=str)
def test_equal_formats_pass_the_very_same_objects_with_the_right_length(lab, format):
    data = lab.source_of(format, lab.sine(format.rate, format.channels))
    pieces = lab.cut(data, 777)
    chunks = lab.convert(format, format, pieces)
    assert all(chunk.data is piece for chunk, piece in zip(chunks, pieces, strict=True))
    assert {chunk.format for chunk in chunks} == {format}
    pcm = AudioFormat("pcm_s16le", format.rate, format.channels)
    decoded = lab.convert(format, pcm, pieces)
    assert sum(chunk.ms for chunk in chunks) == pytest.approx(sum(chunk.ms for chunk in decoded), abs=0.5)


@pytest.mark.parametrize("format", SOURCES, ids=str)
def test_garbage_passes_through_untouched_too(format):
    stream = converter(format, format)
    pieces = [random.Random(5).randbytes(5000), b"RIFF", b"", b"hello"]
    assert [chunk.data for piece in pieces for chunk in stream.feed(piece)] == [piece for piece in pieces if piece]
    assert stream.flush() == []


@pytest.mark.parametrize("source", [source for source in SOURCES if source.codec != "opus"], ids=str)
def test_a_stream_cut_in_half_gives_what_is_there(lab, source):
    data = lab.source_of(source, lab.sine(source.rate, source.channels))
    chunks = lab.convert(source, LISTENING, lab.cut(data[: len(data) // 2]))
    assert sum(chunk.ms for chunk in chunks) == pytest.approx(500, abs=padding(source) + 50)
    assert lab.peak(lab.joined(chunks), 16_000)[0] == pytest.approx(440, abs=4)


@pytest.mark.parametrize("source", [source for source in SOURCES if source.codec not in ("pcm_s16le", "wav")], ids=str)
def test_what_cannot_be_decoded_at_all_is_an_error_at_the_end(source):
    stream = converter(source, LISTENING)
    # Opus takes almost any bytes for a packet; these announce more frames than one can hold.
    assert stream.feed(b"\xff\xff\xff\xff" * 100) == []
    with pytest.raises(AudioError, match="no sound in it can be decoded"):
        stream.flush()


@pytest.mark.parametrize("codec", ["mp3", "ogg_opus", "webm_opus"])
def test_endless_junk_is_an_error_long_before_the_end(lab, codec):
    stream = converter(AudioFormat(codec, 48_000), LISTENING)
    text = b"What do lions eat? " * 50
    for _ in range(65):
        assert stream.feed(text) == []
    with pytest.raises(AudioError, match="no sound in it can be decoded"):
        lab.joined(chunk for _ in range(10) for chunk in stream.feed(text))


@pytest.mark.parametrize("source", SOURCES, ids=str)
@pytest.mark.parametrize("target", [LISTENING, AudioFormat("mp3", 16_000), AudioFormat("opus", 16_000)], ids=str)
def test_an_empty_stream_is_silence_and_no_error(lab, source, target):
    chunks = lab.convert(source, target, [b"", b""])
    assert sum(chunk.ms for chunk in chunks) < 150


def test_an_empty_stream_as_wav_and_ogg_is_still_a_file(lab):
    assert lab.joined(lab.convert(LISTENING, AudioFormat("wav"), []))[:4] == b"RIFF"
    assert lab.joined(lab.convert(LISTENING, AudioFormat("ogg_opus"), []))[:4] == b"OggS"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (AudioFormat("opus", 22_050), "Opus cannot be made at 22050 Hz; use one of 8000, 12000, 16000, 24000, 48000"),
        (AudioFormat("ogg_opus", 44_100), "Opus cannot be made at 44100 Hz"),
        (AudioFormat("mp3", 96_000), "MP3 cannot be made at 96000 Hz; use one of 8000, 11025"),
        (AudioFormat("webm_opus", 48_000), "only read, never written"),
        (AudioFormat("ima_adpcm", 16_000, 2), "mono"),
    ],
    ids=str,
)
def test_targets_that_cannot_be_made_are_refused_at_once(target, message):
    with pytest.raises(AudioError, match=message):
        converter(LISTENING, target)


@pytest.mark.parametrize("target", [LISTENING, None], ids=["decoded", "passed"])
@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_damaged_streams_raise_nothing_but_audio_errors(lab, source, target):
    data = lab.source_of(source, lab.sine(source.rate, source.channels, seconds=0.5))
    for seed in range(20):
        dice = random.Random(seed)
        pieces = [bytearray(piece) for piece in lab.cut(data, 300)]
        for _ in range(dice.randint(1, 40)):
            piece = dice.choice(pieces)
            piece[dice.randrange(len(piece))] = dice.randrange(256)
        with contextlib.suppress(AudioError):
            lab.convert(source, target or source, [bytes(piece) for piece in pieces])


def test_a_converter_serves_one_stream():
    stream = converter(LISTENING, AudioFormat("wav"))
    stream.flush()
    assert stream.flush() == []
    with pytest.raises(AudioError, match="make a new one"):
        stream.feed(b"\0\0")


def test_mono_becomes_stereo_at_the_same_level_on_both_sides(lab):
    pcm = lab.sine(16_000)
    both = lab.joined(lab.convert(LISTENING, AudioFormat("pcm_s16le", 16_000, 2), lab.cut(pcm, 999)))
    assert both == np.repeat(np.frombuffer(pcm, "<i2"), 2).tobytes()


def test_stereo_becomes_the_mean_of_both_sides(lab):
    left = np.frombuffer(lab.sine(16_000, hertz=440), "<i2")
    stereo = np.stack([left, np.zeros_like(left)], axis=1).tobytes()
    mono = lab.joined(lab.convert(AudioFormat("pcm_s16le", 16_000, 2), LISTENING, [stereo]))
    assert lab.peak(mono, 16_000)[1] == pytest.approx(0.2, rel=0.05)


def test_an_mp3_whose_rate_changes_goes_on(lab):
    first, second = AudioFormat("mp3", 24_000), AudioFormat("mp3", 16_000)
    data = lab.source_of(first, lab.sine(24_000)) + lab.source_of(second, lab.sine(16_000))
    chunks = lab.convert(first, LISTENING, lab.cut(data, 100))
    assert sum(chunk.ms for chunk in chunks) == pytest.approx(2000, abs=2 * padding(first))
    assert lab.peak(lab.joined(chunks), 16_000)[0] == pytest.approx(440, abs=2)


@pytest.mark.parametrize("target", [AudioFormat("mp3", 24_000), AudioFormat("opus", 48_000), AudioFormat("ima_adpcm")])
def test_speech_survives_a_round_trip(lab, target):
    with wave.open(str(AUDIO / "jfk.wav")) as file:
        original = file.readframes(file.getnframes())
    there = lab.convert(LISTENING, target, lab.cut(original, 640))
    back = lab.joined(lab.convert(target, LISTENING, [chunk.data for chunk in there]))
    a, b = np.frombuffer(original, "<i2").astype(float), np.frombuffer(back, "<i2").astype(float)
    size = 1 << 19
    correlation = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)))
    assert correlation.max() / np.sqrt((a @ a) * (b @ b)) > 0.95
    assert int(correlation.argmax()) < 0.1 * 16_000


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (AudioFormat("wav", 24_000), AudioFormat("mp3", 24_000)),
        (AudioFormat("mp3", 24_000), LISTENING),
        (AudioFormat("webm_opus", 48_000), LISTENING),
        (AudioFormat("ogg_opus", 48_000), AudioFormat("ima_adpcm")),
        (AudioFormat("ima_adpcm"), AudioFormat("ogg_opus", 48_000)),
    ],
    ids=str,
)
def test_a_long_stream_needs_no_more_memory_than_a_short_one(lab, source, target):
    data = lab.source_of(source, lab.sine(source.rate, seconds=30))
    stream = converter(source, target)
    pieces = lab.cut(data)
    for piece in pieces[:20]:
        stream.feed(piece)
    tracemalloc.start()
    for piece in pieces[20:]:
        stream.feed(piece)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100_000


def test_importing_the_package_imports_neither_pyav_nor_numpy():
    code = "import sys, mynah.audio as a; a.converter(a.LISTENING, a.LISTENING).feed(b'..')"
    code += "; a.converter(a.LISTENING, a.AudioFormat('wav')).feed(b'..')"
    code += "; sys.exit('av' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
