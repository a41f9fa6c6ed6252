"""What holds for any text: no word is lost or doubled, and tokens do not matter."""

from __future__ import annotations

import random
import re

import pytest

from mynah.conversation.phrasing.phrases import PhraseSplitter, split_text

WORDS = (
    *("lion", "Lions", "I", "The", "A", "no", "No", "well-known", "don't", "snake_case", "README", "a&b", "42nd", "f"),
    *("Dr", "e.g", "U.S", "z.B", "usw", "etc", "p.m", "J", "zoo.org", "v2.1", "3.5", "1,000", "10:30", "5", "km"),
    *("h", "w", "ht", "www", "http", "café", "Löwen", "Bären", "niño", "García", "शेर", "हूँ", "है", "أسد", "نعم"),
    *("狮子", "动物园", "ライオン", "สิงโต"),
)
MARKS = (*'.,;:!?…—–。，！।؟،)"”*', "...", "**", "")
SPACES = (" ", " ", " ", " ", "  ", "", "\n", "\n\n", " (", ' "', " **", " ¿", " — ", " 😀 ", "😀")
STARTS = ("\n- ", "\n* ", "\n# ", "\n1. ")
MARKUP = (
    *"ab1.,:;!? *_`~#|<>[]()/\\&-=\n\"'$😀é狮，。।क्\u200d\ufe0f",
    *("http://", "www.", "<think>", "</think>", "```", "\n\n", "- ", "1. ", "](", "&amp;", "Dr. ", "z. B. ", " The "),
)
LANGUAGES = ["en", "es", "de", "zh", "hi", "ar", "ja", "xx"]


def random_text(rng: random.Random) -> str:
    return "".join(
        rng.choice(WORDS) + rng.choice(MARKS) + rng.choice(SPACES + STARTS) for _ in range(rng.randint(1, 60))
    )


def words(text: str) -> str:
    """All letters and digits in order: what must survive, wherever the phrases are cut."""
    return "".join(re.findall(r"[^\W_]", text))


def tokens(text: str, rng: random.Random) -> list[str]:
    cuts = sorted(rng.sample(range(len(text) + 1), k=rng.randint(0, len(text))))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def fed(pieces: list[str], language: str) -> list[tuple[str, str]]:
    splitter = PhraseSplitter(4, language)
    phrases = [phrase for piece in pieces for phrase in splitter.feed(piece)] + splitter.flush()
    return [(phrase.text, phrase.boundary) for phrase in phrases]


@pytest.mark.parametrize("seed", range(300))
def test_no_speakable_word_is_lost_or_doubled(seed):
    rng = random.Random(seed)
    text = random_text(rng)
    phrases = split_text(text, rng.randint(1, 8), rng.choice(LANGUAGES))
    # Of an address that begins with "www." the rest is said.
    expected = re.sub(r"(?<![^\W_])www\.(?=[^\W_])", "", text)
    assert words("".join(phrase.text for phrase in phrases)) == words(expected)


@pytest.mark.parametrize("seed", range(300))
def test_phrases_are_stripped_speakable_and_of_bounded_length(seed):
    rng = random.Random(seed)
    for phrase in split_text(random_text(rng), language=rng.choice(LANGUAGES)):
        assert phrase.text == phrase.text.strip()
        assert any(char.isalnum() for char in phrase.text)
        assert len(phrase.text) <= 280
        assert not re.search("[\n\u200b\ue000-\uf8ff]", phrase.text)


@pytest.mark.parametrize("seed", range(300))
def test_phrases_do_not_depend_on_how_any_markup_is_cut_into_tokens(seed):
    rng = random.Random(seed)
    text = "".join(rng.choice(MARKUP) for _ in range(rng.randint(1, 150)))
    language = rng.choice(LANGUAGES)
    expected = fed(list(text), language)
    assert fed([text], language) == expected
    for _ in range(5):
        assert fed(tokens(text, rng), language) == expected


@pytest.mark.parametrize("seed", range(100))
def test_phrases_do_not_depend_on_how_prose_is_cut_into_tokens(seed):
    rng = random.Random(seed)
    text, language = random_text(rng), rng.choice(LANGUAGES)
    expected = fed(list(text), language)
    assert fed([text], language) == expected
    assert fed(tokens(text, rng), language) == expected
