from __future__ import annotations

import random
import time
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from mynah.audio.adpcm import BLOCK_BYTES, BLOCK_SAMPLES, Decoder, Encoder, samples_in

AUDIO = Path(__file__).parents[2] / "audio"


def encoded(pcm, size=640):
    encoder = Encoder(16_000)
    return b"".join(encoder.feed(pcm[at : at + size]) for at in range(0, len(pcm), size)) + encoder.flush()


def decoded(data, size=100):
    decoder = Decoder(16_000)
    return b"".join(decoder.feed(data[at : at + size]) for at in range(0, len(data), size)) + decoder.flush()


@pytest.fixture(scope="module")
def speech():
    with wave.open(str(AUDIO / "goforward.wav")) as file:
        return file.readframes(file.getnframes())


@pytest.fixture(scope="module")
def noise():
    return random.Random(3).randbytes(2 * 5000)


def samples(pcm):
    return np.frombuffer(pcm, "<i2").astype(float)


def test_a_decoder_written_from_the_recommendation_hears_what_was_encoded(lab, speech):
    original, heard = samples(speech), samples(lab.adpcm_decoded(encoded(speech)))[: len(speech) // 2]
    best = samples(lab.adpcm_decoded(lab.adpcm_of(speech)))[: len(speech) // 2]
    noise, least = ((original - heard) ** 2).sum(), ((original - best) ** 2).sum()
    assert noise < least * 1.1
    assert 10 * np.log10((original**2).sum() / noise) > 25


@pytest.mark.parametrize("sound", ["speech", "noise"])
def test_what_an_encoder_written_from_the_recommendation_makes_is_decoded(lab, request, sound):
    data = lab.adpcm_of(request.getfixturevalue(sound))
    # FFmpeg's versions differ in the last bits, as the module says.
    limit = 64 if sound == "speech" else 2000
    assert np.abs(samples(decoded(data)) - samples(lab.adpcm_decoded(data))).max() <= limit


def test_a_wav_file_of_ima_adpcm_by_ffmpeg_holds_the_same_blocks(lab, tmp_path, speech):
    pcm = speech[: 2 * BLOCK_SAMPLES * 40]
    path = tmp_path / "speech.wav"
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("adpcm_ima_wav", rate=16_000, layout="mono", options={"block_size": "256"})
        frame = av.AudioFrame("s16", "mono", len(pcm) // 2)
        frame.planes[0].update(pcm)
        frame.sample_rate = 16_000
        for part in (frame, None):
            container.mux(stream.encode(part))
    assert encoded(pcm) in path.read_bytes()
    with av.open(str(path)) as container:
        theirs = b"".join(frame.to_ndarray().tobytes() for frame in container.decode(audio=0))
    assert decoded(encoded(pcm)) == theirs


@pytest.mark.parametrize("count", [0, 1, 2, 8, 9, 10, 504, 505, 506, 1010, 1500])
def test_a_stream_of_any_length_comes_back_with_at_most_seven_samples_more(count):
    data = encoded(b"\x10\x00" * count)
    size = len(decoded(data)) // 2
    assert count <= size <= count + 7
    assert samples_in(len(data)) == size
    assert len(data) % 4 == 0


def test_each_block_stands_alone(speech):
    data = encoded(speech)
    assert decoded(data)[2 * BLOCK_SAMPLES * 3 :] == decoded(data[BLOCK_BYTES * 3 :])


def test_a_damaged_block_is_left_out_and_counted(speech):
    data = bytearray(encoded(speech)[: BLOCK_BYTES * 3])
    data[BLOCK_BYTES + 2] = 200
    decoder = Decoder(16_000)
    assert len(decoder.feed(bytes(data))) == 2 * 2 * BLOCK_SAMPLES
    assert decoder.junk == BLOCK_BYTES


def test_both_ways_are_at_least_fifty_times_faster_than_real_time(speech):
    seconds = len(speech) / 32_000
    start = time.process_time()
    decoded(encoded(speech))
    assert seconds / (time.process_time() - start) > 50
