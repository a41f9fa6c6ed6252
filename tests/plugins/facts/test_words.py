import pytest

from mynah_facts.words import FUNCTION_STEMS, NUMBER, clauses, content, stem, unframed, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("What do LIONS eat?", ["what", "do", "lions", "eat"]),
        ("What's the lion's name?", ["what", "is", "the", "lion", "name"]),
        ("I can’t see the ring-tailed lemurs!", ["i", "can", "not", "see", "the", "ring", "tailed", "lemurs"]),
        ("They're fed, aren't they", ["they", "are", "fed", "are", "not", "they"]),
        ("Was fressen Löwen?", ["was", "fressen", "löwen"]),
        ("獅子吃什麼?", ["獅", "子", "吃", "什", "麼"]),
        ("तेंदुआ क्या खाता है?", ["तेंदुआ", "क्या", "खाता", "है"]),
        (" …?! ", []),
    ],
)
def test_text_becomes_words_in_any_script(text, found):
    assert words(text) == found


@pytest.mark.parametrize(
    "forms",
    [
        ["lion", "lions"],
        ["eat", "eats", "eating", "ate", "eaten"],
        ["feed", "feeds", "feeding", "fed"],
        ["swim", "swims", "swimming"],
        ["live", "lives", "living", "lived"],
        ["baby", "babies"],
        ["wolf", "wolves"],
        ["ostrich", "ostriches"],
        ["fox", "foxes"],
        ["mum", "mummy", "mom", "mother"],
        ["weigh", "weighs", "weighed", "weighing"],
    ],
)
def test_forms_of_a_word_share_a_stem(forms):
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("weigh", "weight"), ("bus", "bush"), ("grass", "gras"), ("rest", "rescue")]
)
def test_different_words_keep_different_stems(one, other):
    assert stem(one) != stem(other)


def test_all_numbers_are_one():
    assert stem("seven") == stem("12") == NUMBER


def test_content_leaves_out_what_only_asks_or_connects():
    assert content(["how", "much", "do", "#", "weigh", "weigh"]) == ["weigh"]
    assert "what" in FUNCTION_STEMS


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("My son wants to know how big lions are", "how big lions are"),
        ("I wonder if owls sleep at night", "owls sleep at night"),
        ("Do you know what tigers eat", "what tigers eat"),
        ("I want to know more", "I want to know more"),
        ("What do lions eat", "What do lions eat"),
    ],
)
def test_openings_are_dropped_where_a_question_follows(text, rest):
    assert unframed(text) == rest


def test_clauses_are_those_with_some_words():
    assert clauses("Look at him, mum! How tall is a giraffe?") == [
        ["look", "at", "him"],
        ["how", "tall", "is", "a", "giraffe"],
    ]
    assert clauses("How tall is a giraffe") == []
