from __future__ import annotations

import io
import struct

import av
import numpy as np
import pytest

from mynah.audio import AudioFormat, converter
from mynah.audio.webm import DamagedElement, WebmReader, read_vint
from mynah.errors import AudioError

WEBM = AudioFormat("webm_opus", 48_000)
PLAIN = AudioFormat("pcm_s16le", 48_000)


def element(name: bytes, data: bytes, *, unknown: bool = False) -> bytes:
    return name + (b"\x01" + b"\xff" * 7 if unknown else b"\x08" + struct.pack(">I", len(data))) + data


def track(codec=b"A_OPUS", number=1, private=b""):
    fields = element(b"\xd7", bytes([number])) + element(b"\x86", codec)
    fields += element(b"\xe1", element(b"\x9f", b"\x01"))
    return element(b"\xae", fields + (element(b"\x63\xa2", private) if private else b""))


def recorded(packets, *, tracks=None, blocks=None):
    """As a browser's recorder writes it: a segment and clusters of unknown size, simple blocks."""
    head = element(b"\x1a\x45\xdf\xa3", element(b"\x42\x82", b"webm"))
    head += element(b"\x18\x53\x80\x67", b"", unknown=True)
    head += element(b"\x16\x54\xae\x6b", track() if tracks is None else tracks)
    blocks = [element(b"\xa3", b"\x81\0\0\x80" + packet) for packet in packets] if blocks is None else blocks
    clusters = []
    for at in range(0, len(blocks), 10):
        cluster = element(b"\xe7", b"\0") + b"".join(blocks[at : at + 10])
        clusters.append(element(b"\x1f\x43\xb6\x75", cluster, unknown=True).replace(cluster, b"") + cluster)
    return head + b"".join(clusters)


def packets_in(data):
    return [packet.data for packet in WebmReader().feed(data)]


@pytest.fixture(scope="module")
def packets(lab):
    return lab.packets_of("libopus", lab.sine(48_000), AudioFormat("opus", 48_000))


def test_a_recording_of_unknown_sizes_gives_its_packets_however_it_is_cut(lab, packets):
    data = recorded(packets)
    assert packets_in(data) == packets
    for seed in range(5):
        reader = WebmReader()
        pieces = lab.cut_at_random(data, seed)
        assert [packet.data for piece in pieces for packet in reader.feed(piece)] == packets


def test_a_packet_comes_with_its_last_byte(packets):
    data = recorded(packets[:3])
    reader = WebmReader()
    assert len(reader.feed(data[:-1])) == 2
    assert [packet.data for packet in reader.feed(data[-1:])] == packets[2:3]


@pytest.mark.parametrize("live", ["0", "1"])
def test_webm_from_ffmpeg_decodes_to_what_ffmpeg_decodes(lab, live):
    data = lab.container_of("webm", "libopus", lab.sine(48_000), WEBM, live=live)
    with av.open(io.BytesIO(data)) as container:
        resampler = av.AudioResampler("s16", "mono", 48_000)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    theirs = np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(float)
    ours = np.frombuffer(lab.joined(lab.convert(WEBM, PLAIN, lab.cut(data, 100))), "<i2").astype(float)
    size = min(len(ours), len(theirs))
    assert size == pytest.approx(48_000, abs=1000)
    # FFmpeg's own Opus decoder differs from libopus in the last bits.
    assert np.abs(ours[:size] - theirs[:size]).max() < 200


def test_block_groups_and_their_padding_are_honoured(lab, packets):
    ten_ms = struct.pack(">I", 10_000_000)
    blocks = [element(b"\xa0", element(b"\xa1", b"\x81\0\0\0" + packet)) for packet in packets[:-1]]
    blocks.append(element(b"\xa0", element(b"\xa1", b"\x81\0\0\0" + packets[-1]) + element(b"\x75\xa2", ten_ms)))
    data = recorded(packets, blocks=blocks)
    for target in (PLAIN, WEBM):
        chunks = lab.convert(WEBM, target, lab.cut(data, 100))
        assert sum(chunk.ms for chunk in chunks) == pytest.approx(len(packets) * 20 - 10)


def test_the_blocks_of_other_tracks_are_passed_over(packets):
    blocks = []
    for packet in packets:
        blocks += [element(b"\xa3", b"\x82\0\0\x80" + bytes(300_000)), element(b"\xa3", b"\x81\0\0\x80" + packet)]
    data = recorded(packets, tracks=track(b"V_VP8", 2) + track(), blocks=blocks)
    assert packets_in(data) == packets


def test_large_elements_are_skipped_and_not_held(lab, packets):
    reader = WebmReader()
    reader.feed(recorded(packets[:10]))
    for piece in lab.cut(element(b"\xec", bytes(3_000_000)), 8192):
        reader.feed(piece)
        assert len(reader._buffer) <= 8192 + 16


def test_a_second_recording_in_the_same_stream_begins_anew(lab, packets):
    second = recorded(
        packets, tracks=track(number=1, private=b"OpusHead\1\1" + struct.pack("<HIHB", 312, 48_000, 0, 0))
    )
    chunks = lab.convert(WEBM, PLAIN, lab.cut(recorded(packets) + second, 500))
    assert sum(chunk.ms for chunk in chunks) == pytest.approx(2 * len(packets) * 20 - 6.5)


def test_after_damage_it_goes_on_at_the_next_cluster(packets):
    data = bytearray(recorded(packets))
    at = data.index(packets[12]) - 9
    data[at : at + 9] = bytes(9)
    found = packets_in(bytes(data))
    assert found[:12] == packets[:12]
    assert found[-20:] == packets[-20:]


def test_a_file_without_opus_is_an_error_that_says_what_to_do(packets):
    stream = converter(WEBM, PLAIN)
    with pytest.raises(AudioError, match="no Opus track; record sound as audio/webm;codecs=opus"):
        stream.feed(recorded(packets, tracks=track(b"A_VORBIS")))


def test_laced_blocks_are_an_error(packets):
    stream = converter(WEBM, PLAIN)
    with pytest.raises(AudioError, match="packs several packets into a block"):
        stream.feed(recorded(packets, blocks=[element(b"\xa3", b"\x81\0\0\x86" + packets[0])]))


def test_numbers_are_read_as_ebml_has_them():
    assert read_vint(b"\x81", 0) == (1, 1)
    assert read_vint(b"\x40\x02", 0) == (2, 2)
    assert read_vint(b"\xff", 0) == (-1, 1)
    assert read_vint(b"\x1a\x45\xdf\xa3", 0, keep_marker=True) == (0x1A45DFA3, 4)
    assert read_vint(b"\x40", 0) is None
    with pytest.raises(DamagedElement):
        read_vint(b"\x00", 0)
