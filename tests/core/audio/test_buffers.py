from __future__ import annotations

import pytest

from mynah.audio import LISTENING, AudioFormat, AudioRing
from mynah.errors import AudioError


def numbered(count, start=0):
    return b"".join(value.to_bytes(2, "little") for value in range(start, start + count))


def test_keeps_the_newest_and_counts_what_it_dropped():
    ring = AudioRing(LISTENING, 100)
    for start in range(0, 3200, 320):
        ring.push(numbered(320, start))
    assert (ring.ms, ring.dropped_ms, len(ring)) == (100.0, 100.0, 3200)
    assert ring.peek() == numbered(1600, 1600)


def test_drops_to_the_sample():
    ring = AudioRing(LISTENING, 1)
    ring.push(numbered(10))
    ring.push(numbered(9, 10))
    assert ring.drain() == numbered(16, 3)
    assert ring.dropped_ms == 3 / 16


def test_a_push_larger_than_the_ring_keeps_its_end():
    ring = AudioRing(LISTENING, 1)
    ring.push(numbered(100))
    assert ring.drain() == numbered(16, 84)


def test_pop_gives_the_oldest_piece_and_empties_in_order():
    ring = AudioRing(LISTENING, 100)
    ring.push(b"aa")
    ring.push(b"")
    ring.push(b"bb")
    assert [ring.pop(), ring.pop(), ring.pop()] == [b"aa", b"bb", b""]
    assert (ring.ms, ring.dropped_ms) == (0.0, 0.0)


def test_draining_and_clearing_are_not_dropping():
    ring = AudioRing(LISTENING, 100)
    ring.push(bytes(320))
    ring.clear()
    ring.push(bytes(320))
    assert ring.drain() == bytes(320)
    assert (len(ring), ring.dropped_ms) == (0, 0.0)


def test_stereo_is_cut_between_frames():
    ring = AudioRing(AudioFormat("pcm_s16le", 8_000, 2), 1)
    ring.push(bytes(100))
    assert len(ring) == 32


@pytest.mark.parametrize(("format", "ms"), [(AudioFormat("mp3"), 100), (LISTENING, 0), (LISTENING, 0.01)])
def test_a_ring_of_nothing_or_of_anything_but_pcm_is_refused(format, ms):
    with pytest.raises(AudioError):
        AudioRing(format, ms)
