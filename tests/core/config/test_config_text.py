from __future__ import annotations

import pickle

import pytest

from mynah.config.text import Sourced, shown, suggest


@pytest.mark.parametrize(
    ("name", "choices", "text"),
    [
        ("edge", ["espeak", "edge_tts"], "did you mean 'edge_tts'?"),
        ("Edge-TTS", ["espeak", "edge_tts"], "did you mean 'edge_tts'?"),
        ("prot", ["host", "port"], "did you mean 'port'?"),
        ("open", ["espeak", "openai_compatible"], "did you mean 'openai_compatible'?"),
        ("xyz", ["b", "a", "c"], "known are a, b, c"),
        ("xyz", [], ""),
        ("xyz", [f"n{number:02}" for number in range(14)], "known are " + ", ".join(f"n{n:02}" for n in range(12)))
    ],
)  # fmt: skip
def test_suggests_what_was_meant_or_lists_what_there_is(name, choices, text):
    assert suggest(name, choices).startswith(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        (5, "5"),
        (0.5, "0.5"),
        ("eighty", "'eighty'"),
        ("x" * 100, "'" + "x" * 39 + "…'"),
        ({}, "a mapping"),
        ([], "a list"),
        (Sourced.of("hunter2", "!secret pin"), "the value of !secret pin"),
        (Sourced("hunter2"), "a value that is not shown"),
    ],
)
def test_shows_values_as_written_and_secrets_by_their_source(value, text):
    assert shown(value) == text


def test_sourced_text_can_be_pickled_for_worker_processes():
    copy = pickle.loads(pickle.dumps(Sourced.of("x", "!secret y")))
    assert (copy, copy.source) == ("x", "!secret y")
