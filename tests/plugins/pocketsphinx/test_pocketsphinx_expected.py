from __future__ import annotations

from mynah import Hints
from mynah_pocketsphinx.expected import names_of, sentences, thinned


def joined(items):
    return [" ".join(item) for item in items]


def test_questions_and_names_are_expected_as_words():
    expected = joined(sentences(Hints(("How tall is a giraffe?",), ("giraffe", "giraffes"))))
    assert expected == ["how tall is a giraffe", "giraffe", "giraffes"]


def test_a_name_without_a_plural_gets_one_and_is_asked_what_other_plurals_are():
    hints = Hints(("What do parrots eat?", "Is a parrot a bird?"), ("parrot", "parrots", "scarlet macaw"))
    assert joined(names_of(hints)) == ["parrot", "parrots", "scarlet macaw", "scarlet macaws"]
    assert "what do scarlet macaws eat" in joined(sentences(hints))


def test_irregular_plurals_are_left_alone():
    assert joined(names_of(Hints((), ("wolf", "wolves", "lion", "lions")))) == ["wolf", "wolves", "lion", "lions"]


def test_too_many_sentences_are_thinned_out_evenly():
    items = [(str(number),) for number in range(10)]
    assert thinned(items, 5) == [("0",), ("2",), ("4",), ("6",), ("8",)]
    assert thinned(items, 10) == items
