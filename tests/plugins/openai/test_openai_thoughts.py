from __future__ import annotations

import random

import pytest

from mynah_openai.thoughts import Thoughts


def said(*pieces):
    thoughts = Thoughts()
    return "".join([*map(thoughts.feed, pieces), thoughts.end()])


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Lions eat meat.", "Lions eat meat."),
        ("<think>hm</think>\n\nMeat.", "Meat."),
        ("<THINKING>hm</THINKING>Meat.", "Meat."),
        ("Meat.<think>or grass?</think> Yes.", "Meat. Yes."),
        ("<think>a<think>b</think>c</think>Meat.", "Meat."),
        ("</think>\nMeat.", "Meat."),
        ("<think>never closed", ""),
        ("2 < 3 and <b>bold</b> <thin", "2 < 3 and <b>bold</b> <thin"),
        ("  Meat. ", "Meat. "),
    ],
)
def test_thoughts_are_left_out_wherever_the_stream_is_cut(text, spoken):
    assert said(text) == spoken
    assert said(*text) == spoken
    rng = random.Random(7)
    for _ in range(20):
        cuts = sorted(rng.sample(range(len(text) + 1), 3))
        assert said(text[: cuts[0]], text[cuts[0] : cuts[1]], text[cuts[1] : cuts[2]], text[cuts[2] :]) == spoken


def test_words_that_begin_no_tag_are_not_held_back():
    thoughts = Thoughts()
    assert thoughts.feed("Lions <") == "Lions "
    assert thoughts.feed(" tigers") == "< tigers"
