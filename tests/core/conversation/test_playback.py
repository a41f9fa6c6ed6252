from __future__ import annotations

import pytest

from mynah.conversation import playback as module
from mynah.conversation.playback import Pacer, Playback, VoicedPhrase, heard_text
from mynah.values import WordMark


class Clock:
    def __init__(self):
        self.at = 1000.0

    def __call__(self):
        return self.at

    def pass_ms(self, ms):
        self.at += ms / 1000


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "now", clock)
    return clock


# ---------------------------------------------------------------- pacing


def test_audio_goes_out_until_the_buffer_is_full_and_then_as_it_plays(clock):
    pacer = Pacer(200)
    for _ in range(2):
        assert pacer.wait_s(100) == 0
        pacer.sent(100)
    assert pacer.wait_s(100) == pytest.approx(0.1)
    clock.pass_ms(60)
    assert pacer.wait_s(100) == pytest.approx(0.04)
    clock.pass_ms(40)
    assert pacer.wait_s(100) == 0


def test_a_report_is_the_truth(clock):
    pacer = Pacer(200)
    pacer.sent(200)
    clock.pass_ms(100)
    pacer.correct(150)
    assert pacer.level == pytest.approx(150)
    clock.pass_ms(400)
    assert pacer.level == 0
    pacer.correct(-20)
    assert pacer.level == 0


def test_what_never_fits_goes_out_into_an_empty_buffer(clock):
    pacer = Pacer(50)
    assert pacer.wait_s(500) == 0
    pacer.sent(500)
    assert pacer.wait_s(500) == pytest.approx(0.5)
    clock.pass_ms(500)
    assert pacer.wait_s(500) == 0


def test_without_a_size_nothing_waits(clock):
    pacer = Pacer(None)
    pacer.sent(100_000)
    assert pacer.wait_s(1000) == 0


# ---------------------------------------------------------------- what was heard


def send(playback, ms, held_ms):
    playback.join(playback.made_ms(playback.sent_ms))
    playback.sent(ms, held_ms)


def test_by_the_clock_what_was_sent_sounds_one_after_the_other(clock):
    playback = Playback()
    send(playback, 100, 300)  # 200 ms of an earlier reply are before it
    clock.pass_ms(200)
    assert playback.heard_ms == pytest.approx(0, abs=1e-6)
    clock.pass_ms(60)
    assert playback.heard_ms == pytest.approx(60)
    clock.pass_ms(500)
    assert playback.heard_ms == 100


def test_a_gap_is_not_heard(clock):
    playback = Playback()
    send(playback, 100, 100)
    clock.pass_ms(5000)
    send(playback, 100, 100)
    assert playback.heard_ms == pytest.approx(100)
    clock.pass_ms(30)
    assert playback.heard_ms == pytest.approx(130)


def test_a_report_beats_the_clock_and_never_goes_back_or_beyond_what_was_sent(clock):
    playback = Playback()
    send(playback, 1000, 1000)
    clock.pass_ms(500)
    playback.acknowledge(300)
    assert playback.heard_ms == 300
    playback.acknowledge(200)
    assert playback.heard_ms == 300
    playback.acknowledge(10**9)
    assert playback.heard_ms == 1000
    send(playback, 500, 500)
    assert playback.heard_ms == 1000


def test_it_has_ended_when_all_has_sounded(clock):
    playback = Playback()
    assert playback.ended
    send(playback, 100, 100)
    assert not playback.ended
    clock.pass_ms(100)
    assert playback.ended


def test_a_last_report_that_is_missing_is_waited_for_a_second(clock):
    playback = Playback()
    send(playback, 100, 100)
    playback.acknowledge(60)
    clock.pass_ms(500)
    assert not playback.ended
    clock.pass_ms(600)
    assert playback.ended
    playback.acknowledge(100)
    assert playback.heard_ms == 100


def test_what_was_surely_heard_is_well_behind_the_clock_and_comes_to_the_end(clock):
    playback = Playback()
    for _ in range(200):
        send(playback, 100, 100)
        clock.pass_ms(100)
    assert playback.surely_heard_ms == pytest.approx(10_000)
    playback.acknowledge(15_000)
    assert playback.surely_heard_ms == 15_000
    clock.pass_ms(20_000)
    assert playback.surely_heard_ms == 20_000


def test_what_is_held_is_what_was_sent_and_has_not_sounded(clock):
    playback = Playback()
    send(playback, 300, 800)
    assert playback.held_ms == 300
    clock.pass_ms(600)
    assert playback.held_ms == pytest.approx(200)
    playback.acknowledge(50)
    assert playback.held_ms == pytest.approx(250)
    clock.pass_ms(1000)
    assert playback.held_ms == 0


def test_a_client_that_came_back_goes_on_from_there(clock):
    playback = Playback()
    send(playback, 500, 500)
    playback.resume(120)
    assert (playback.sent_ms, playback.heard_ms, playback.held_ms) == (120, 120, 0)
    playback.resume(10**6)
    assert playback.sent_ms == 120
    send(playback, 100, 100)
    clock.pass_ms(40)
    assert playback.heard_ms == pytest.approx(160)


@pytest.mark.parametrize("ms", [-50.0, float("nan"), float("-inf")])
def test_a_report_of_nonsense_is_one_of_nothing(clock, ms):
    playback = Playback()
    send(playback, 500, 500)
    playback.acknowledge(ms)
    assert playback.heard_ms == 0
    playback.resume(ms)
    assert playback.sent_ms == 0


def test_places_in_what_was_sent_are_places_in_what_was_made(clock):
    playback = Playback()
    playback.join(0)
    playback.sent(1050, 1050)  # 1000 ms, and what an encoder adds
    playback.join(1000)
    playback.sent(500, 1550)
    playback.join(2000)  # a phrase between could not be converted
    playback.sent(100, 1650)
    assert playback.made_ms(500) == 500
    assert playback.made_ms(1050) == 1000
    assert playback.made_ms(1250) == 1200
    assert playback.made_ms(1550) == 2000
    assert playback.made_ms(1650) == 2100
    playback.resume(1300)
    assert playback.made_ms(1300) == 1250
    playback.join(1250)
    playback.sent(250, 250)
    assert playback.made_ms(1550) == 1500


def test_a_client_that_came_back_in_the_middle_of_a_sample_is_put_at_its_beginning(clock):
    playback = Playback()
    send(playback, 500, 500)
    playback.resume(100.03)
    playback.join(100.0)
    assert playback.sent_ms == playback.heard_ms == 100.0


# ---------------------------------------------------------------- in words


TWO = [
    VoicedPhrase("Lions eat meat.", 0.0, 300.0, complete=True),
    VoicedPhrase("They hunt at night.", 300.0, 400.0, complete=True),
]


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, ""),
        (99, ""),
        (150, "Lions"),
        (300 - 1e-9, "Lions eat meat."),
        (500, "Lions eat meat. They hunt"),
        (700, "Lions eat meat. They hunt at night."),
        (float("inf"), "Lions eat meat. They hunt at night."),
    ],
)
def test_words_are_heard_whole_and_in_proportion(ms, words):
    assert heard_text(TWO, ms) == words


def test_words_are_heard_by_their_marks_where_there_are_any():
    marks = [WordMark(5, 250.0), WordMark(9, 260.0), WordMark(15, 290.0)]
    phrase = VoicedPhrase("Lions eat meat.", 0.0, 300.0, marks, complete=True)
    assert heard_text([phrase], 249) == ""
    assert heard_text([phrase], 262) == "Lions eat"
    assert heard_text([phrase], 300) == "Lions eat meat."


def test_a_phrase_that_was_cut_was_not_heard_to_its_end():
    phrase = VoicedPhrase("Lions eat meat, and they hunt at night in groups.", 0.0, 1000.0)
    assert heard_text([phrase], 1000) == "Lions eat meat,"
    marked = VoicedPhrase("Lions eat meat.", 0.0, 1000.0, [WordMark(5, 400.0)])
    assert heard_text([marked], 5000) == "Lions"


def test_a_phrase_without_length_is_not_heard():
    assert heard_text([VoicedPhrase("Lions")], 100) == ""
    assert heard_text([VoicedPhrase("Lions", complete=True)], 100) == "Lions"


def test_a_script_without_spaces_is_heard_character_by_character():
    assert heard_text([VoicedPhrase("狮子吃肉", 0.0, 400.0, complete=True)], 250) == "狮子"
