from __future__ import annotations

import pytest

from mynah_pocketsphinx.models import Model
from mynah_pocketsphinx.utterance import HeardWord, bare, text_of
from mynah_pocketsphinx.verdict import belongs, verdict

PAIRS = frozenset(["<s> where", "where is", "is the", "the red", "red panda", "the panda", "panda </s>"])
MODEL = Model(None, frozenset([("panda",), ("red", "panda")]), PAIRS)


def heard(text):
    """Read "lion/0.3": a word and how sure it is, 1 where nothing is said."""
    parts = [word.partition("/") for word in text.split()]
    return [HeardWord(word, float(sure or 1)) for word, _, sure in parts]


def test_words_heard_well_are_the_transcript():
    final = verdict(heard("where is/0.8 the panda"), MODEL, 0.5)
    assert (final.text, final.understood, final.final, final.confidence) == ("where is the panda", True, True, 0.95)


def test_no_words_are_silence_and_not_a_failure_to_understand():
    final = verdict([], MODEL, 0.5)
    assert (final.text, final.understood, final.final) == ("", True, True)


@pytest.mark.parametrize("text", ["where is the panda/0.4", "where is the red/0.4 panda"])
def test_a_doubtful_name_is_not_understood(text):
    final = verdict(heard(text), MODEL, 0.5)
    assert (final.text, final.understood) == ("", False)


def test_a_doubtful_small_word_is_understood():
    assert verdict(heard("where is/0.1 the panda"), MODEL, 0.5).understood


def test_mumbling_is_not_understood():
    assert not verdict(heard("where/0.3 is/0.3 the/0.3"), MODEL, 0.5).understood


@pytest.mark.parametrize(("sure", "understood"), [("0.55", False), ("0.65", True)])
def test_other_talk_must_be_heard_better(sure, understood):
    assert verdict(heard(f"my/{sure} fellow/{sure} americans/{sure}"), MODEL, 0.5).understood is understood


def test_the_gate_can_be_opened():
    assert verdict(heard("panda/0.01"), MODEL, 0.0).text == "panda"


def test_without_a_domain_everything_belongs_to_it():
    assert belongs(["anything"], Model(None, frozenset(), frozenset())) == 1
    assert belongs(["where", "is", "the", "car"], MODEL) == pytest.approx(3 / 5)


@pytest.mark.parametrize(("word", "plain"), [("a(2)", "a"), ("<sil>", ""), ("[NOISE]", ""), ("++UH++", ""), ("x", "x")])
def test_marks_of_the_decoder_are_no_part_of_a_word(word, plain):
    assert bare(word) == plain


def test_pauses_are_told_by_their_places_in_the_text():
    words = [HeardWord("where", 1.0, after_pause=True), HeardWord("is", 1.0), HeardWord("it", 1.0, after_pause=True)]
    assert text_of(words) == ("where is it", (len("where is"),))
    assert verdict(words, MODEL, 0.5).pauses == (len("where is"),)
