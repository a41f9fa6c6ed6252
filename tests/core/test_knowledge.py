"""What a persona knows: the questions that follow from it."""

from __future__ import annotations

import pytest

from mynah.knowledge import Attribute, Fact, Knowledge, Subject, fill, with_article

LION = Subject("lion", "lion", "lions", also=("panthera leo",), facts={"diet": (Fact("Lions eat meat."),)})
OWL = Subject("owl", "owl", "owls", facts={"diet": (Fact("Owls eat mice."),), "secret": (Fact("It is secret."),)})


def test_a_template_without_a_name_is_taken_as_it_is():
    assert list(fill("when do you open", LION)) == ["when do you open"]


def test_a_template_with_a_name_is_filled_with_every_singular_name():
    assert list(fill("what does the {name} eat", LION)) == ["what does the lion eat", "what does the panthera leo eat"]


def test_a_name_can_bear_its_article():
    assert list(fill("what does {a_name} eat", OWL)) == ["what does an owl eat"]


def test_a_template_with_the_plural_is_filled_once():
    assert list(fill("what do {plural} eat", LION)) == ["what do lions eat"]


def test_a_template_may_mix_names_and_plural():
    assert list(fill("is {a_name} like other {plural}, {name}", OWL)) == ["is an owl like other owls, owl"]


@pytest.mark.parametrize(
    ("noun", "phrase"), [("lion", "a lion"), ("owl", "an owl"), ("Ape", "an Ape"), ("red panda", "a red panda")]
)
def test_nouns_have_their_article(noun, phrase):
    assert with_article(noun) == phrase


def test_questions_are_those_of_the_attributes_that_a_subject_has():
    knowledge = Knowledge(
        {"lion": LION, "owl": OWL},
        {
            "diet": Attribute("diet", "food", ("what do {plural} eat",), also=("which meals suit {plural}",)),
            "height": Attribute("height", "height", ("how tall is {a_name}",)),
        },
    )
    assert list(knowledge.questions()) == ["what do lions eat", "what do owls eat"]


def test_knowledge_of_nothing_is_false():
    assert not Knowledge()
    assert not Knowledge(attributes={"diet": Attribute("diet", "food")})
    assert Knowledge({"lion": LION})


def test_names_begin_with_the_usual_ones():
    assert LION.names == ("lion", "lions", "panthera leo")
