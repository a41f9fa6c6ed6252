from __future__ import annotations

import io
import random
import struct

import av
import numpy as np
import pytest

from mynah.audio import AudioFormat, converter
from mynah.audio.ogg import OggReader, checksum, make_page
from mynah.audio.opus import packet_samples, parse_head
from mynah.errors import AudioError

OGG = AudioFormat("ogg_opus", 48_000)
PLAIN = AudioFormat("pcm_s16le", 48_000)


@pytest.fixture(scope="module")
def ogg(lab):
    return lab.source_of(OGG, lab.sine(48_000))


def samples(pcm):
    return np.frombuffer(pcm, "<i2").astype(float)


def decoded_by_ffmpeg(data):
    with av.open(io.BytesIO(data)) as container:
        resampler = av.AudioResampler("s16", "mono", 48_000)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return b"".join(frame.to_ndarray().tobytes() for frame in frames)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (b"", 0),
        (b"\x00", 480),  # SILK, 10 ms
        (b"\x18", 2880),  # SILK, 60 ms
        (b"\x60", 480),  # hybrid, 10 ms
        (b"\x80", 120),  # CELT, 2.5 ms
        (b"\xf8", 960),  # CELT, 20 ms
        (b"\xf9", 1920),  # two frames
        (b"\xfb\x03", 2880),  # three frames
        (b"\xfb", 0),
        (b"\xfb\x3f", 0),  # more than 120 ms
    ],
)
def test_the_first_bytes_of_a_packet_tell_how_long_it_sounds(packet, expected):
    assert packet_samples(packet) == expected


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"OpusHead\1\1", "header cannot be read"),
        (b"OpusHead\xf0\1" + bytes(9), "header cannot be read"),
        (b"OpusHead\1\6" + bytes(9), "6 channels; use 1 or 2"),
    ],
)
def test_a_header_that_cannot_be_read_is_an_error(head, message):
    with pytest.raises(AudioError, match=message):
        parse_head(head)


def test_the_checksum_is_that_of_ffmpegs_pages(ogg):
    at = 0
    while at < len(ogg):
        body = at + 27 + ogg[at + 26]
        size = body + sum(ogg[at + 27 : body]) - at
        page = ogg[at : at + size]
        assert checksum(page[:22] + bytes(4) + page[26:]) == struct.unpack_from("<I", page, 22)[0]
        at += size


def test_ogg_from_ffmpeg_decodes_to_what_ffmpeg_decodes(lab, ogg):
    ours, theirs = lab.joined(lab.convert(OGG, PLAIN, lab.cut(ogg, 100))), decoded_by_ffmpeg(ogg)
    assert len(ours) == 2 * 48_000
    # FFmpeg's own Opus decoder differs from libopus in the last bits.
    assert np.abs(samples(ours) - samples(theirs)[: len(ours) // 2]).max() < 200


def test_our_ogg_is_read_by_ffmpeg_to_the_sample(lab):
    pcm = lab.sine(48_000, seconds=0.5)
    written = lab.joined(lab.convert(PLAIN, OGG, lab.cut(pcm, 1000)))
    heard = decoded_by_ffmpeg(written)
    assert len(heard) == len(pcm)
    assert lab.peak(heard, 48_000)[0] == pytest.approx(440, abs=2)
    with av.open(io.BytesIO(written)) as container:
        assert container.streams.audio[0].codec_context.name in ("opus", "libopus")


def test_every_page_of_ours_holds_20_ms_and_the_last_is_marked(lab):
    written = lab.joined(lab.convert(PLAIN, OGG, [lab.sine(48_000, seconds=0.5)]))
    pages = OggReader().feed(written)
    assert [len(page.packets) for page in pages] == [1] * len(pages)
    assert [page.last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert {packet_samples(page.packets[0]) for page in pages[2:]} == {960}
    assert pages[-1].granule == 312 + 24_000


def test_two_streams_of_ours_differ_in_their_serial_number_and_may_be_put_in_a_row(lab):
    first, second = (lab.joined(lab.convert(PLAIN, OGG, [lab.sine(48_000, seconds=0.3)])) for _ in range(2))
    assert first[14:18] != second[14:18]
    chunks = lab.convert(OGG, PLAIN, lab.cut(first + second, 333))
    assert sum(chunk.ms for chunk in chunks) == pytest.approx(600)
    passed = lab.convert(OGG, OGG, lab.cut(first + second, 333))
    assert sum(chunk.ms for chunk in passed) == pytest.approx(600)


def test_a_damaged_page_is_left_out_and_the_rest_goes_on(lab, ogg):
    damaged = bytearray(ogg)
    damaged[len(ogg) // 2] ^= 0xFF
    chunks = lab.convert(OGG, PLAIN, lab.cut(bytes(damaged), 100))
    assert sum(chunk.ms for chunk in chunks) == pytest.approx(980)


def test_pages_of_other_streams_are_passed_over(lab, ogg):
    other = b"".join(make_page([bytes(300)], granule=n, serial=7, sequence=n, flags=0) for n in range(3))
    at = ogg.index(b"OggS", 200)
    mixed = other + ogg[:at] + other + ogg[at:]
    assert lab.convert(OGG, PLAIN, [mixed]) == lab.convert(OGG, PLAIN, [ogg])


def test_a_packet_may_span_pages():
    long = random.Random(1).randbytes(600)
    head = make_page([b"OpusHead" + bytes(11)], granule=0, serial=1, sequence=0, flags=2)
    # 510 bytes on the first page, the rest on the next, which is marked as a continuation.
    begun = make_page([long[:510]], granule=-1, serial=1, sequence=1)
    begun = bytearray(begun[:26] + b"\2\xff\xff" + begun[30:])
    begun[22:26] = bytes(4)
    begun[22:26] = struct.pack("<I", checksum(bytes(begun)))
    rest = make_page([long[510:]], granule=960, serial=1, sequence=2, flags=1)
    pages = OggReader().feed(head + bytes(begun) + rest)
    assert [page.packets for page in pages][1:] == [(), (long,)]
    lost = OggReader().feed(head + rest)
    assert lost[-1].packets == ()


def test_tags_with_a_picture_are_not_held(lab, ogg):
    pages = OggReader()
    assert pages.feed(make_page([b"OpusHead" + bytes(11)], granule=0, serial=1, sequence=0, flags=2))
    for sequence in range(1, 100):
        page = bytearray(make_page([bytes(255 * 254)], granule=-1, serial=1, sequence=sequence, flags=1))
        assert len(page) > 60_000
        pages.feed(bytes(page))
    assert len(pages._partial) < 200_000


def test_raw_packets_come_one_a_chunk_of_20_ms(lab):
    target = AudioFormat("opus", 24_000)
    chunks = lab.convert(PLAIN, target, lab.cut(lab.sine(48_000, seconds=0.5), 5000))
    assert {chunk.ms for chunk in chunks} == {20}
    assert {packet_samples(chunk.data) for chunk in chunks} == {960}


def test_a_damaged_packet_between_good_ones_is_left_out(lab):
    source = AudioFormat("opus", 48_000)
    packets = lab.source_of(source, lab.sine(48_000))
    packets[20] = b"\xff\xff"
    chunks = lab.convert(source, PLAIN, packets)
    assert sum(chunk.ms for chunk in chunks) == (len(packets) - 1) * 20


def test_stereo_packets_in_a_stream_said_to_be_mono_are_mixed(lab):
    packets = lab.source_of(AudioFormat("opus", 48_000, 2), lab.sine(48_000, 2))
    chunks = lab.convert(AudioFormat("opus", 48_000, 1), PLAIN, packets)
    assert lab.peak(lab.joined(chunks), 48_000)[1] == pytest.approx(0.4, rel=0.1)


def test_an_ogg_of_another_codec_is_an_error(lab):
    page = make_page([b"\x01vorbis" + bytes(23)], granule=0, serial=1, sequence=0, flags=2)
    stream = converter(OGG, PLAIN)
    stream.feed(page * 20)
    with pytest.raises(AudioError, match="not Ogg Opus"):
        stream.flush()
