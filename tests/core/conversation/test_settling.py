"""Which sentences of an utterance are settled while it is being spoken."""

from __future__ import annotations

import pytest

from mynah.conversation.settling import Settling, sentences_of
from mynah.values import Transcript


def follow(*partials):
    settling, given = Settling(), []
    for partial in partials:
        for sentence in settling.settled(Transcript(partial), "en"):
            settling.give(sentence)
            given.append(sentence)
    return settling, given


def test_a_sentence_is_settled_when_it_came_alike_twice_with_something_after_it():
    assert follow("I am ill.", "I am ill.")[1] == []
    assert follow("I am ill. My", "I am ill. My head")[1] == ["I am ill."]


def test_a_sentence_that_changed_waits():
    assert follow("I am ill. My", "I am still. My", "I am still. My head")[1] == ["I am still."]


def test_every_sentence_is_given_once():
    assert follow("I eat. You", "I eat. You go.", "I eat. You go. We", "I eat. You go. We sit")[1] == [
        "I eat.",
        "You go.",
    ]


@pytest.mark.parametrize(
    ("partials", "final", "rest"),
    [
        (("I am ill. My", "I am ill. My head"), "I am ill. My head hurts.", "My head hurts."),
        (("I am ill. My", "I am ill. My head"), "I am ill, my head hurts.", "my head hurts."),
        (("I am ill. My", "I am ill. My head"), "I was ill. My head hurts.", "My head hurts."),
        (("I am ill. My", "I am ill. My head"), "I am ill.", ""),
        ((), "Just this.", "Just this."),
        (("我病了。我", "我病了。我的"), "我病了，我的头疼。", "我的头疼。"),
        (("Hola. ¿Qué", "Hola. ¿Qué"), "Hola. ¿Qué tal?", "¿Qué tal?"),
    ],
)
def test_the_rest_is_what_comes_after_what_was_given(partials, final, rest):
    assert " ".join(follow(*partials)[0].rest(Transcript(final, final=True), "en")) == rest


def test_abbreviations_and_numbers_end_no_sentence():
    assert sentences_of("Dr. Lee gave me 2.5 mg. It helps.", "en") == ["Dr. Lee gave me 2.5 mg.", "It helps."]


def test_words_without_marks_settle_nothing_and_are_all_left_for_the_end():
    settling = Settling()
    said = [
        "where does it hurt",
        "where does it hurt my knee hurts",
        "where does it hurt my knee hurts since yesterday",
    ]
    assert [settling.settled(Transcript(text), "en") for text in said for _ in range(2)] == [[]] * 6
    assert settling.rest(Transcript(said[-1]), "en") == [said[-1]]


def test_a_sentence_that_the_recogniser_has_settled_need_not_come_twice():
    settling = Settling()
    said = "I am ill. My head"
    assert settling.settled(Transcript(said, settled=len("I am ill")), "en") == ["I am ill."]
    assert settling.settled(Transcript(said, settled=len("I am")), "en") == ["I am ill."]  # it came alike twice


def test_of_what_is_settled_only_whole_sentences_are_given():
    assert Settling().settled(Transcript("I am ill. My head", settled=17), "en") == ["I am ill."]
    assert Settling().settled(Transcript("I am ill. My head", settled=4), "en") == []


def test_a_pause_ends_a_sentence_without_marks():
    settling, said = Settling(), "where does it hurt do you"
    partial = Transcript(said, pauses=(len("where does it hurt"),))
    assert settling.settled(partial, "en") == []
    assert settling.settled(partial, "en") == ["where does it hurt"]
    settling.give("where does it hurt")
    final = Transcript("where does it hurt do you smoke do you drink", final=True, pauses=(18, 31))
    assert settling.rest(final, "en") == ["do you smoke", "do you drink"]


def test_a_pause_at_the_end_waits_for_what_follows():
    settling, said = Settling(), "my knee"
    assert [settling.settled(Transcript(said, pauses=(len(said),)), "en") for _ in range(3)] == [[], [], []]
