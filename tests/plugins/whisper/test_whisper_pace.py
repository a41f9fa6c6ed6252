from __future__ import annotations

from mynah_whisper.pace import Pace, Speech


def test_without_speech_nothing_is_due():
    assert not Pace(2, 1.5).due(100, Speech())


def test_the_first_decode_is_due_after_a_window_of_speech_and_each_further_after_a_step():
    pace = Pace(2, 1.5)
    assert not pace.due(2.9, Speech(1.0, 2.9))
    assert pace.due(3.0, Speech(1.0, 3.0))
    pace.decoded(3.0)
    assert not pace.due(4.4, Speech(1.0, 4.4))
    assert pace.due(4.5, Speech(1.0, 4.5))


def test_a_short_pause_is_decoded_at_once_and_only_once():
    pace = Pace(2, 1.5)
    assert not pace.due(1.7, Speech(1.0, 1.5))
    assert pace.due(1.75, Speech(1.0, 1.5))
    pace.decoded(1.75)
    assert not pace.due(9, Speech(1.0, 1.5))
    assert pace.covers(Speech(1.0, 1.5))


def test_what_was_said_before_a_long_pause_is_complete():
    pace = Pace(2, 1.5)
    assert not pace.paused(10, Speech(1.0, 1.5))
    pace.decoded(2)
    assert not pace.paused(4, Speech(1.0, 1.5))
    assert pace.paused(4.5, Speech(1.0, 1.5))
