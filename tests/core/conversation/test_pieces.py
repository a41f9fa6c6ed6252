from __future__ import annotations

import pytest

from mynah.audio import LISTENING, AudioChunk, AudioFormat, converter
from mynah.audio.mp3 import FrameReader
from mynah.conversation.pieces import beginning

MP3 = AudioFormat("mp3", 24_000, 1)
FRAME_MS = 24.0


def mp3(ms):
    """Return frames of MP3 in one piece."""
    encode = converter(LISTENING, MP3)
    noise = bytes((at * 7919) % 251 for at in range(LISTENING.pcm_bytes(ms)))
    return b"".join(chunk.data for chunk in [*encode.feed(noise), *encode.flush()])


def frames(data):
    return len(FrameReader().feed(data))


def test_pcm_is_cut_to_the_sample():
    for format in (LISTENING, AudioFormat("pcm_s16le", 44_100, 2)):
        audio = AudioChunk(bytes(range(200)) * 441 * 2, format)
        cut = beginning(audio, 33.3)
        assert cut.data == audio.data[: format.pcm_bytes(33.3)]
        assert cut.ms == pytest.approx(33.3, abs=0.1)
    assert beginning(audio, -5).data == b""


@pytest.mark.parametrize("ms", [0, 10, 13, 100, 239, 10_000])
def test_mp3_is_cut_to_the_frame(ms):
    data = mp3(480)
    cut = beginning(AudioChunk(data, MP3, 480), ms)
    assert data.startswith(cut.data)
    assert cut.ms == pytest.approx(min(ms, frames(data) * FRAME_MS), abs=FRAME_MS / 2)
    assert cut.ms == frames(cut.data) * FRAME_MS


def test_a_frame_of_mp3_that_began_in_the_piece_before_is_left_whole():
    data = mp3(480)
    for at in range(1, 700, 23):
        before, rest = data[:at], AudioChunk(data[at:], MP3, 400)
        for ms in (0, 50, 200):
            cut = beginning(rest, ms)
            whole = FrameReader()
            assert len(whole.feed(before + cut.data)) * FRAME_MS == pytest.approx((frames(before) * FRAME_MS) + cut.ms)
            whole.flush()
            assert whole.junk == 0
            assert cut.ms <= ms + FRAME_MS


def test_a_packet_of_opus_stays_or_goes():
    packet = AudioChunk(b"packet", AudioFormat("opus", 48_000, 1), 20.0)
    assert beginning(packet, 12) is packet
    assert beginning(packet, 8).data == b""


@pytest.mark.parametrize("codec", ["wav", "ogg_opus", "webm_opus", "ima_adpcm"])
def test_what_has_a_beginning_of_its_own_is_not_cut(codec):
    assert beginning(AudioChunk(b"12345678", AudioFormat(codec, 16_000, 1), 100.0), 50) is None
