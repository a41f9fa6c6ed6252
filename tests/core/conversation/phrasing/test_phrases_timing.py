"""When a phrase is released: by the very token that completes it."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from mynah.conversation.phrasing.phrases import PhraseSplitter

# Tokens, the number of the token (from 0) that must release the first phrase, the phrase.
FIRST = [
    ("en", ["Hello", ",", " I"], 1, "Hello,"),
    ("en", ["Hello,"], 0, "Hello,"),
    ("en", ["The", " lions", ".", " They"], 2, "The lions."),
    ("en", ["The lions."], 0, "The lions."),
    ("en", ["Yes", "!", " They"], 1, "Yes!"),
    ("en", ["Why", "?"], 1, "Why?"),
    ("en", ["Listen", ":"], 1, "Listen:"),
    ("en", ["Cats", " —", " all"], 1, "Cats —"),
    ("en", ["Hm", "…", " so"], 1, "Hm…"),
    ("en", ["Well", "...", " so"], 2, "Well..."),
    ("en", ["The", " lion", " is", " a", " cat"], 4, "The lion is a"),
    ("en", ["The ", "lion ", "is ", "a ", "cat"], 3, "The lion is a"),
    ("en", ["The lion is", " afr", "aid", " of"], 3, "The lion is afraid"),
    ("en", ["Meet", " Dr", ".", " Lee", " now", " or"], 5, "Meet Dr. Lee now"),
    ("en", ["About 1", ",", "000", " lions", ","], 4, "About 1,000 lions,"),
    ("en", ["In 2024", ",", " lions"], 2, "In 2024,"),
    ("en", ["At 10", ":", "30", ",", " go"], 4, "At 10:30,"),
    ("en", ["I have 3", ".", " So"], 2, "I have 3."),
    ("en", ["It is 3", ".", "5", " m", " tall"], 4, "It is 3.5 m"),
    ("en", ["The lion weighs 190", " kilo", "grams", " now"], 3, "The lion weighs 190"),
    ("en", ["The", " U", ".", "S", ".", " is", " big", "."], 7, "The U.S. is big."),
    ("en", ["No", ".", " They"], 2, "No."),
    ("en", ["**", "Yes", "**", ",", " so"], 3, "Yes,"),
    ("en", ["**Yes", "!", "**"], 1, "Yes!"),
    ("en", ["<th", "ink>a, b.</thi", "nk>", "Yes,"], 3, "Yes,"),
    ("en", ["How", " high", "?"], 2, "How high?"),
    ("en", ["Cats", "\n\n", "Lion"], 1, "Cats"),
    ("en", ["- Lion", "\n", "- Tiger"], 1, "Lion"),
    ("en", ["See", " https://zoo.org/a,b", " now", ","], 3, "See zoo.org now,"),
    ("es", ["¡", "Hola", "!"], 2, "¡Hola!"),
    ("de", ["Ja", ",", " am"], 1, "Ja,"),
    ("de", ["Am 3", ".", " Mai", ",", " ja"], 3, "Am 3. Mai,"),
    ("zh", ["你好", "，", "我"], 1, "你好，"),
    ("zh", ["好", "。"], 1, "好。"),
    ("zh", ["狮子是一", "种大型猫", "科"], 2, "狮子是一种大型猫"),
    ("hi", ["मैं शेर", " हूँ", "।", " हाँ"], 2, "मैं शेर हूँ।"),
    ("ar", ["نعم", "،", " أنا"], 1, "نعم،"),
]


@pytest.mark.parametrize(("language", "tokens", "index", "text"), FIRST)
def test_first_phrase_is_released_by_the_token_that_completes_it(language, tokens, index, text):
    splitter = PhraseSplitter(language=language)
    released = [splitter.feed(token) for token in tokens]
    assert [phrase.text for phrase in released[index]][:1] == [text]
    assert not any(released[:index])


@pytest.mark.parametrize("word", ["lions", "cats", "sleep", "Africa", "leones", "Löwen", "lion’s", "well-known"])
def test_ordinary_word_releases_at_its_full_stop(word):
    splitter = PhraseSplitter()
    splitter.feed(f"My {word}")
    assert splitter.feed(".")


@pytest.mark.parametrize("text", ["3", "Dr", "e", "J", "www", "a@b", "v2", "README", "p.m", "my_file", "etc", "Well"])
def test_full_stop_waits_where_it_could_be_inside_something(text):
    splitter = PhraseSplitter()
    assert not splitter.feed(f"{text}.")


def test_later_sentence_is_released_by_the_character_after_its_mark():
    splitter = PhraseSplitter()
    splitter.feed("Hi! They roar")
    assert not splitter.feed(".")
    assert [phrase.text for phrase in splitter.feed(" ")] == ["They roar."]


def test_flush_releases_the_rest_and_the_text_may_go_on_after_a_pause():
    splitter = PhraseSplitter()
    splitter.feed("Sure, let me look.")
    assert [phrase.text for phrase in splitter.flush()] == ["let me look."]
    splitter.feed("There are now five big lions, or six.")
    assert [phrase.text for phrase in splitter.flush()] == ["There are now five big lions, or six."]
    assert splitter.flush() == []


ONE_MB = 1_000_000
SLOW_TEXTS = {
    "prose": "The lion sleeps for 20 hours a day, and **hunts** at night. ",
    "one word": "a",
    "full stops": ".",
    "stars": "*",
    "openers": "(",
    "angles": "<a ",
    "brackets": "[1",
    "backticks": "`",
    "address": "www.",
    "initials": "J. ",
    "han": "狮",
    "signs": "\u0301",
    "numbers": "3,",
    "unclosed tag": "<a b=",
    "pipes": "\n|-",
    "thought": "<think>",
    "units": "5 k",
}


@pytest.mark.parametrize("name", SLOW_TEXTS)
def test_time_stays_linear_for(name):
    piece = SLOW_TEXTS[name]
    text = (piece * (ONE_MB // len(piece) + 1))[: ONE_MB // 10]
    splitter = PhraseSplitter()
    started = time.process_time()
    for char in text:
        splitter.feed(char)
    splitter.flush()
    # A generous bound: a tenth of a megabyte takes about 0.1 s; quadratic work would take minutes.
    assert time.process_time() - started < 4


@pytest.mark.parametrize("name", SLOW_TEXTS)
def test_memory_stays_bounded_for(name):
    text = SLOW_TEXTS[name] * 2000
    splitter = PhraseSplitter()
    tracemalloc.start()
    try:
        for char in text:
            splitter.feed(char)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 60_000
