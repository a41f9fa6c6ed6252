import re
from collections import Counter

import pytest

from mynah.conversation.persona import Persona
from mynah_zoo_guide import mynah_personas

ANIMAL_FACTS = {"diet", "size", "weight", "lifespan", "speed", "sleep", "home", "young", "status", "surprise"}
VISIT_FACTS = {"feeding_time", "place"}
NOT_ANIMALS = {"zoo", "guide"}


@pytest.fixture(scope="module")
def guide():
    [spec] = mynah_personas()
    return Persona(spec)


@pytest.fixture(scope="module")
def knowledge(guide):
    return guide.knowledge


def test_it_greets_with_what_stands_there(guide):
    assert guide.greeting({"exhibit": "lion"}) == "Hello! Ask me anything about the lions."


def test_its_prompt_cares_for_children_safety_and_honesty(guide):
    prompt = " ".join(guide.spec.prompt.lower().split())
    for care in ("short sentences", "child", "no lists", "do not know", "first aid", "frighten", "names, ages"):
        assert care in prompt


def test_every_animal_has_every_kind_of_fact(knowledge):
    for id, subject in knowledge.subjects.items():
        if id not in NOT_ANIMALS:
            assert set(subject.facts) >= ANIMAL_FACTS | VISIT_FACTS, id


def test_every_kind_of_fact_can_be_asked_for_in_many_ways(knowledge):
    known = {attribute for subject in knowledge.subjects.values() for attribute in subject.facts}
    assert known <= set(knowledge.attributes)
    for attribute in ANIMAL_FACTS | VISIT_FACTS:
        assert len(knowledge.attributes[attribute].questions) >= 30, attribute


def test_topics_without_facts_have_no_facts(knowledge):
    known = {attribute for subject in knowledge.subjects.values() for attribute in subject.facts}
    assert {"staff", "history", "stories", "elsewhere"} == {"staff", "history", "stories", "elsewhere"} - known


def test_questions_are_written_as_they_are_said(knowledge):
    for attribute in knowledge.attributes.values():
        for question in (*attribute.questions, *attribute.also):
            assert re.fullmatch(r"[a-z'{}_]+( [a-z'{}_]+)*", question), question


def test_no_question_stands_twice(knowledge):
    counts = Counter(q for attribute in knowledge.attributes.values() for q in (*attribute.questions, *attribute.also))
    assert [question for question, count in counts.items() if count > 1] == []


def test_comparisons_have_values_to_compare(knowledge):
    for attribute in knowledge.attributes.values():
        if attribute.more:
            values = [s.facts[attribute.id][0].value for s in knowledge.subjects.values() if attribute.id in s.facts]
            assert sum(value is not None for value in values) >= 20, attribute.id
            assert attribute.less
            assert attribute.most
            assert attribute.least


def test_what_it_says_can_be_spoken(knowledge):
    for subject in knowledge.subjects.values():
        for fact in (fact for facts in subject.facts.values() for fact in facts):
            assert fact.say.endswith((".", "!", "?")), fact.say
            assert not re.search(r"[()\[\]*/%_]|\bkm\b|\bkg\b", fact.say), fact.say


def test_a_recogniser_gets_its_questions_and_names(guide):
    hints = guide.hints()
    assert "what do lions eat" in hints.questions
    assert "where are the toilets" in hints.questions
    assert "red panda" in hints.words
    assert 10_000 < len(hints.questions) < 80_000
