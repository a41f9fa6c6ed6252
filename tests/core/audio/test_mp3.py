from __future__ import annotations

import random

import pytest

from mynah.audio import LISTENING, AudioFormat, converter
from mynah.audio.mp3 import FrameReader, id3_size, parse_header
from mynah.errors import AudioError

MP3 = AudioFormat("mp3", 24_000)


@pytest.fixture(scope="module")
def frames(lab):
    return lab.packets_of("libmp3lame", lab.sine(24_000), MP3)


def tag(size):
    seven = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\0\0" + seven + bytes(size)


def frames_in(*pieces):
    reader = FrameReader()
    return [frame.data for piece in pieces for frame in reader.feed(piece)]


def test_a_header_says_rate_channels_and_size(frames):
    header = parse_header(frames[0])
    assert (header.rate, header.channels, header.samples, header.size) == (24_000, 1, 576, len(frames[0]))


@pytest.mark.parametrize("data", [b"\xff\xfb", b"\xff\xff\xff\xff", b"\xff\xfb\x00\xc4", b"\xff\xfb\xfc\xc4", b"abcd"])
def test_what_is_no_header_of_layer_three_is_none(data):
    assert parse_header(data) is None


def test_frames_come_out_whole_however_they_are_cut(lab, frames):
    data = b"".join(frames)
    for seed in range(5):
        assert frames_in(*lab.cut_at_random(data, seed)) == frames


def test_a_frame_comes_with_its_last_byte(frames):
    reader = FrameReader()
    assert reader.feed(frames[0][:-1]) == []
    assert [frame.data for frame in reader.feed(frames[0][-1:])] == frames[:1]


def test_tags_are_skipped_wherever_they_stand(lab, frames):
    middle = len(frames) // 2
    pieces = [tag(5000), *frames[:middle], tag(300), *frames[middle:], b"TAG" + bytes(125)]
    data = b"".join(pieces)
    assert frames_in(data) == frames
    assert frames_in(*lab.cut_at_random(data, 1)) == frames


def test_a_tag_with_a_footer_is_longer():
    assert id3_size(b"ID3\x04\0\x10\0\0\x02\x01") == 10 + 257 + 10
    assert id3_size(b"ID3\x04\0\0\xff\0\0\0") is None
    assert id3_size(b"ID3") is None


def test_an_encoders_first_frame_of_notes_is_no_sound(lab, frames):
    written = lab.container_of("mp3", "libmp3lame", lab.sine(24_000), MP3)
    assert b"Info" in written[:200] or b"Xing" in written[:200]
    found = frames_in(written)
    assert len(found) == len(frames)
    assert not any(b"Info" in frame or b"Xing" in frame for frame in found)


def test_after_damage_frames_go_on(frames):
    noise = random.Random(2).randbytes(700)
    found = frames_in(b"".join([*frames[:10], frames[10][:50], noise, *frames[11:]]))
    assert found[:10] == frames[:10]
    assert found[-20:] == frames[-20:]
    assert len(found) >= len(frames) - 3


def test_a_stream_taken_up_in_mid_frame_is_read_from_the_next(lab, frames):
    assert frames_in(b"".join(frames)[70:])[-30:] == frames[-30:]


def test_first_sound_comes_with_the_first_frame(frames):
    stream = converter(MP3, AudioFormat("pcm_s16le", 24_000))
    (chunk,) = stream.feed(frames[0])
    assert chunk.ms == 24.0


def test_a_tag_of_megabytes_is_skipped_and_not_held(lab, frames):
    stream = converter(MP3, LISTENING)
    big = tag(2_000_000)
    for piece in lab.cut(big, 8192):
        assert stream.feed(piece) == []
    assert stream.feed(b"".join(frames))


def test_a_tag_alone_is_an_error_that_says_so():
    stream = converter(MP3, LISTENING)
    stream.feed(tag(100))
    with pytest.raises(AudioError, match="this is not MP3, or it is damaged"):
        stream.flush()


def test_random_bytes_yield_no_frames():
    assert frames_in(b"\0" + random.Random(4).randbytes(200_000)) == []
