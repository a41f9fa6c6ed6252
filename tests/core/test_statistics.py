"""Counting turns and their times."""

from __future__ import annotations

import pytest

from mynah.errors import Refusal
from mynah.statistics import BUCKETS_MS, RECENT, Statistics, Times, percentile
from mynah.timeline import StageTimes, Timeline, stages


def timeline(**marks):
    made = Timeline()
    for name, at in {"opened": 1.0, "speech_end": 3.0, **marks}.items():
        made.mark(name, at)
    return made


SPOKEN = {
    "transcript": 3.1, "first_token": 3.3, "first_phrase": 3.4, "first_audio": 3.45, "last_token": 3.9,
    "last_audio": 4.5, "finished": 4.5,
}  # fmt: skip


def test_the_percentile_is_the_smallest_value_that_so_many_do_not_exceed():
    assert percentile([3, 1, 2, 4], 0.5) == 2
    assert percentile(range(1, 101), 0.95) == 95
    assert percentile([7], 0.5) == percentile([7], 0.95) == 7


def test_times_are_counted_up_to_each_bound_and_in_all():
    times = Times()
    for ms in (5, 6, 99_999):
        times.note(ms)
    told = times.describe()
    buckets = dict(told["buckets"])
    assert (buckets[5], buckets[10], buckets[BUCKETS_MS[-1]], buckets[None]) == (1, 2, 2, 3)
    assert (told["count"], told["sum"], told["p50"], told["p95"]) == (3, 100_010, 6, 99_999)


def test_times_of_which_there_are_none_have_no_percentiles():
    told = Times().describe()
    assert (told["count"], told["sum"], told["p50"], told["p95"]) == (0, 0, None, None)


def test_percentiles_are_those_of_the_last_ones_and_counts_those_of_all():
    times = Times()
    for _ in range(RECENT):
        times.note(1_000)
    for _ in range(RECENT):
        times.note(20)
    told = times.describe()
    assert (told["count"], told["p50"], told["p95"]) == (2 * RECENT, 20, 20)


def test_a_spoken_turn_has_every_stage():
    assert stages(timeline(**SPOKEN).ms()) == {
        "listening": StageTimes(-2000, 0, 0),
        "transcribing": StageTimes(0, 100, 100),
        "thinking": StageTimes(100, 300, 900),
        "speaking": StageTimes(400, 450, 1500),
    }


def test_a_written_turn_begins_with_thinking():
    written = {name: at for name, at in SPOKEN.items() if name != "transcript"}
    assert list(stages(timeline(**written).ms())) == ["thinking", "speaking"]
    assert stages(timeline(**written).ms())["thinking"] == StageTimes(0, 300, 900)


def test_a_turn_that_was_put_into_another_language_has_translating_in_the_place_of_thinking():
    assert list(stages(timeline(**SPOKEN).ms(), {"translate": "phrasebook"})) == [
        "listening", "transcribing", "translating", "speaking",
    ]  # fmt: skip


def test_a_turn_that_broke_off_has_the_stages_that_gave_something():
    assert list(stages(timeline(transcript=3.1).ms())) == ["listening", "transcribing"]
    assert stages({}) == {}


def test_turns_are_counted_by_how_they_ended_with_the_waits_of_their_stages():
    statistics = Statistics()
    statistics.note_turn("answered", timeline(**SPOKEN))
    statistics.note_turn("failed", timeline(transcript=3.2))
    told = statistics.describe()
    assert told["turns"] == {"answered": 1, "failed": 1}
    assert (told["first_audio_ms"]["count"], told["first_audio_ms"]["p50"]) == (1, 450)
    waits = {stage: (times["count"], times["p95"]) for stage, times in told["stages_ms"].items()}
    assert waits == {"transcribing": (2, 200), "thinking": (1, 200), "speaking": (1, 50)}


def test_engines_are_told_apart_and_failovers_counted_by_stage():
    statistics = Statistics()
    for engine, troubles in (("one", ()), ("two", ("one: it is down",))):
        turn = timeline(**SPOKEN)
        turn.engine("llm", engine, 150.0, troubles)
        statistics.note_turn("answered", turn)
    told = statistics.describe()
    assert [(each["stage"], each["engine"], each["count"]) for each in told["engines_ms"]] == [
        ("llm", "one", 1),
        ("llm", "two", 1),
    ]
    assert told["failovers"] == {"llm": 1}


def test_an_engine_that_refuses_its_input_has_not_failed():
    statistics = Statistics()
    turn = timeline(**SPOKEN)
    turn.engine("translate", "two", 150.0, (Refusal("one: no words for this"),))
    turn.engine("tts", "two", 150.0, (Refusal("one: no such voice"), "other: it is down"))
    statistics.note_turn("answered", turn)
    assert statistics.describe()["failovers"] == {"tts": 1}


@pytest.mark.parametrize("note", ["note_said", "note_interruption"])
def test_what_a_session_counts_the_whole_counts_too(note):
    whole = Statistics()
    one, other = Statistics(whole), Statistics(whole)
    for each in (one, other):
        each.note_turn("answered", timeline(**SPOKEN))
        getattr(each, note)()
    assert one.describe()["turns"] == {"answered": 1}
    assert whole.describe()["turns"] == {"answered": 2}
    assert whole.describe()["said"] + whole.describe()["interruptions"] == 2
