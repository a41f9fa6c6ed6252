from __future__ import annotations

import json
import random

import pytest

from mynah_openai.events import EventReader
from mynah_openai.troubles import Strange


def read(pieces):
    reader = EventReader()
    return [*(data for piece in pieces for data in reader.feed(piece)), *reader.end()]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("seed", range(5))
def test_events_cut_anywhere_are_read_whole(end, seed):
    lines = [b": ping", b"", b"event: x", b"data: one", b"", b"data:two", b"data: lines", b"id: 7", b"",
             "data: \u2028 größer".encode(), b"", b"data: [DONE]", b"", b""]  # fmt: skip
    stream = end.join(lines)
    assert read([stream]) == ["one", "two\nlines", "\u2028 größer", "[DONE]"]
    assert read([bytes([byte]) for byte in stream]) == ["one", "two\nlines", "\u2028 größer", "[DONE]"]
    rng = random.Random(seed)
    cuts = sorted(rng.sample(range(len(stream)), 6))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(pieces) == ["one", "two\nlines", "\u2028 größer", "[DONE]"]


def test_the_last_event_needs_no_empty_line():
    assert read([b'data: {"x": 1}']) == [json.dumps({"x": 1})]


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 60, b"data: " + b"x" * 60 + b"\n"])
def test_what_never_ends_is_no_event(monkeypatch, piece):
    monkeypatch.setattr("mynah_openai.events.MAX_ANSWER", 100)
    assert len(read([piece + b"\n\n"] * 2)) == 2
    with pytest.raises(Strange):
        read([piece] * 2)
