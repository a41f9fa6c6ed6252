import subprocess
import sys

import pytest

from mynah_facts.ranking import Ranking

TEMPLATES = [
    ("diet", "what do # eat"),
    ("diet", "which food do # like"),
    ("age", "how long do # live"),
    ("age", "how old do # get"),
    ("home", "where do # live"),
    ("home", "which country are # from"),
]


@pytest.fixture
def ranking():
    return Ranking([(attribute, text.split()) for attribute, text in TEMPLATES])


def best(ranking, text):
    scores = ranking.scores(text.split())
    return max(scores, key=lambda attribute: scores[attribute])


@pytest.mark.parametrize(
    ("text", "attribute"), [*((text, attribute) for attribute, text in TEMPLATES), ("how long would # live", "age")]
)
def test_ranks_the_attribute_first_that_is_asked_for(ranking, text, attribute):
    assert best(ranking, text) == attribute


def test_words_that_no_template_has_lower_every_score(ranking):
    assert (
        ranking.scores(["what", "do", "#", "eat"])["diet"]
        > ranking.scores(["what", "do", "#", "eat", "yesterday"])["diet"]
    )


def test_a_question_of_strange_words_has_no_score(ranking):
    assert set(ranking.scores(["bank", "account"]).values()) == {0.0}


def test_rare_words_weigh_more_than_common_ones(ranking):
    assert ranking.rarity("unheard") >= ranking.rarity("food") > ranking.rarity("do")


def test_nothing_to_learn_from_is_no_mistake():
    assert Ranking([]).scores(["what"]) == {}


def test_the_scores_are_the_same_in_every_process():
    code = (
        "from mynah_facts.ranking import Ranking\n"
        f"r = Ranking([(a, t.split()) for a, t in {TEMPLATES!r}])\n"
        "print(sorted(r.scores('how old is # when they eat'.split()).items()))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
