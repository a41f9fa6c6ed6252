"""The marks of a turn and what is read from them."""

from __future__ import annotations

import pytest

from mynah.timeline import MARKS, Timeline


def test_the_first_mark_of_a_name_counts():
    timeline = Timeline()
    timeline.mark("first_audio", 10.0)
    timeline.mark("first_audio", 11.0)
    assert timeline.marks == {"first_audio": 10.0}


def test_a_last_mark_moves():
    timeline = Timeline()
    timeline.mark("last_token", 10.0)
    timeline.mark("last_token", 11.0)
    assert timeline.marks == {"last_token": 11.0}


def test_a_mark_at_zero_counts_as_one():
    timeline = Timeline()
    timeline.mark("opened", 0.0)
    timeline.mark("opened", 5.0)
    assert timeline.marks == {"opened": 0.0}


def test_a_mark_without_a_time_is_now(monkeypatch):
    monkeypatch.setattr("mynah.timeline.time.monotonic", lambda: 42.0)
    timeline = Timeline()
    timeline.mark("opened")
    assert timeline.marks == {"opened": 42.0}


def test_an_unknown_mark_is_a_defect():
    with pytest.raises(ValueError, match="no such mark: lunch"):
        Timeline().mark("lunch")


def test_milliseconds_count_from_the_end_of_speech():
    timeline = Timeline()
    timeline.mark("first_audio", 10.5)
    timeline.mark("opened", 8.0)
    timeline.mark("speech_end", 10.0)
    timeline.mark("transcript", 10.1234)
    assert list(timeline.ms().items()) == [
        ("opened", -2000.0),
        ("speech_end", 0.0),
        ("transcript", 123.4),
        ("first_audio", 500.0),
    ]


def test_before_the_end_of_speech_milliseconds_count_from_the_opening():
    timeline = Timeline()
    timeline.mark("opened", 8.0)
    timeline.mark("first_token", 8.25)
    assert timeline.ms() == {"opened": 0.0, "first_token": 250.0}


def test_nothing_has_happened_in_a_fresh_timeline():
    assert Timeline().ms() == {}
    assert Timeline().own_ms is None
    assert str(Timeline()) == "ms: ; engines: none"


def test_an_engine_counts_once_a_stage():
    timeline = Timeline()
    timeline.engine("tts", "espeak", 12.0)
    timeline.engine("tts", "edge_tts", 99.0)
    assert (timeline.engines, timeline.engine_ms) == ({"tts": "espeak"}, {"tts": 12.0})


def test_what_no_engine_took_is_the_hubs_own():
    timeline = Timeline()
    timeline.mark("speech_end", 1.0)
    timeline.mark("first_audio", 1.1)
    timeline.engine("llm", "facts", 60.0)
    timeline.engine("tts", "espeak", 30.04)
    assert timeline.own_ms == 10.0


def test_the_log_line_names_marks_and_engines():
    timeline = Timeline()
    timeline.mark("opened", 0.5)
    timeline.mark("speech_end", 1.0)
    timeline.mark("first_audio", 1.1)
    timeline.mark("finished", 2.0)
    timeline.engine("llm", "facts", 6.04)
    assert str(timeline) == "ms: first_audio 100, finished 1000; engines: facts 6.0"


def test_every_mark_can_be_set():
    timeline = Timeline()
    for number, name in enumerate(MARKS):
        timeline.mark(name, float(number))
    assert tuple(timeline.ms()) == MARKS


def test_two_timelines_share_nothing():
    Timeline().mark("opened", 1.0)
    assert Timeline().marks == {}


def test_a_stage_is_kept_where_its_first_answer_was():
    timeline = Timeline()
    timeline.engine("llm", "facts", 6.0)
    timeline.engine("tts", "espeak", 0.1, kept=True)
    timeline.engine("llm", "facts", 1.0, kept=True)
    assert timeline.kept == {"tts"}
