import random
from itertools import pairwise

import pytest

from mynah_edge_tts.marks import WordMarks


def marked(text, *words):
    """Return what of the text each mark adds, and by when."""
    marks = WordMarks(text)
    given = [mark for number, word in enumerate(words, 1) for mark in marks.take(word, number * 100)] + marks.finish()
    ends = [0, *(mark.char_end for mark in given)]
    assert ends == sorted(ends)
    return [(text[start:end].strip(), mark.end_ms) for (start, end), mark in zip(pairwise(ends), given, strict=True)]


def said(text, *words):
    return [part for part, _ in marked(text, *words)]


def test_each_word_is_marked_with_the_punctuation_behind_it():
    assert marked("Hello there, my friend.", "Hello", "there", "my", "friend") == [
        ("Hello", 100),
        ("there,", 200),
        ("my", 300),
        ("friend.", 400),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("that that is is not", "that that is is not"),
        ("a cat and a car", "a cat and a car"),
        ("“Who's there?” – nobody’s…", "Who's there nobody's"),
        ("GROSSE Größe", "grosse größe"),
        ("a < b & c > d", "a < b c > d"),
        ("3.5 m, 20%", "3.5 m 20"),
        ("e.g. lions", "e.g. lions"),
    ],
)
def test_words_are_found_in_their_order_whatever_the_punctuation(text, words):
    parts = said(text, *words.split())

    assert len(parts) == len(words.split())
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")


def test_a_word_is_not_found_inside_another():
    assert said("another an a", "another", "an", "a") == ["another", "an", "a"]
    assert said("lions are in cages", "lions", "in", "cages") == ["lions", "are in", "cages"]


@pytest.mark.parametrize("escaped", ["it&apos;s", "it&#39;s", "it’s", "IT'S"])
def test_escapes_and_other_apostrophes_are_the_same_word(escaped):
    assert said("Well, it's late.", "Well", escaped, "late") == ["Well,", "it's", "late."]
    assert said("Write &amp; here", "Write", "&amp;", "here") == ["Write", "&amp;", "here"]


def test_composed_and_decomposed_letters_are_the_same():
    assert said("un cafe\u0301 noir", "un", "caf\u00e9", "noir") == ["un", "cafe\u0301", "noir"]


def test_what_the_service_words_differently_is_marked_when_the_next_word_is_found():
    text = "It costs $1,234 today."

    assert marked(text, "It", "costs", "one thousand", "dollars", "today") == [
        ("It", 100),
        ("costs", 200),
        ("$1,234", 400),
        ("today.", 500),
    ]


def test_what_it_words_differently_at_the_end_is_marked_at_the_end():
    assert marked("He was born in 1984.", "He", "was", "born", "in", "nineteen", "eighty-four")[-1] == ("1984.", 600)


def test_a_word_far_ahead_is_not_taken_for_another_wording():
    text = "Dr. Lee is our very best doctor."

    assert said(text, "Doctor", "Lee", "is") == ["Dr.", "Lee", "is"]


def test_a_boundary_that_is_missing_costs_one_mark_only():
    assert said("one two three four", "one", "three", "four") == ["one", "two three", "four"]


def test_several_words_in_one_boundary_are_marked_together():
    assert said("in  the zoo", "in the", "zoo") == ["in  the", "zoo"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("狮子吃肉，也吃鱼。", ["狮子", "吃", "肉", "也", "吃", "鱼"]),
        ("ライオンは肉を食べます。", ["ライオン", "は", "肉", "を", "食べ", "ます"]),
        ("สิงโตกินเนื้อ", ["สิงโต", "กิน", "เนื้อ"]),
        ("शेर मांस खाता है।", ["शेर", "मांस", "खाता", "है"]),
    ],
)
def test_marks_count_characters_in_every_script(text, words):
    parts = said(text, *words)

    assert [part.rstrip("，。।") for part in parts] == words
    assert "".join(parts) == text.replace(" ", "")


def test_marks_never_go_back():
    marks = WordMarks("one two")

    assert [mark.end_ms for mark in marks.take("one", 300) + marks.take("two", 200)] == [300, 300]
    assert marks.take("two", 400) == []


@pytest.mark.parametrize("word", ["", " ", ".", "—"])
def test_a_boundary_of_punctuation_marks_nothing(word):
    assert said("one.", word, "one") == ["one."]


def test_whatever_the_service_says_marks_go_forward_within_the_text():
    chance = random.Random(3)
    vocabulary = ["a", "is", "it's", "3.5", "Dr.", "狮子", "(so)", "—", "<b>", "Größe", "€5", "😀", "ﬁre", "İ"]
    for _ in range(500):
        written = chance.choices(vocabulary, k=chance.randrange(12))
        spoken = chance.sample([*written, *chance.choices(vocabulary, k=3)], k=len(written))
        text = chance.choice([" ", "", "  "]).join(written)
        marks = WordMarks(text)
        given = [mark for at, word in enumerate(spoken) for mark in marks.take(word, at)] + marks.finish()

        ends = [mark.char_end for mark in given]
        assert ends == sorted(set(ends))
        assert all(0 < end <= len(text) for end in ends)
        assert [mark.end_ms for mark in given] == sorted(mark.end_ms for mark in given)
