from __future__ import annotations

from mynah import Hints
from mynah_whisper.vocabulary import PROMPT_TOKENS, WORDS, tokens_of, vocabulary_of


def test_configured_words_come_first_and_none_comes_twice():
    assert vocabulary_of(["okapi", " "], Hints(words=("lion", "okapi", "tapir"))) == ("okapi", "lion", "tapir")


def test_the_vocabulary_of_a_large_knowledge_is_bounded():
    assert len(vocabulary_of([], Hints(words=tuple(map(str, range(5000)))))) == WORDS


def test_a_prompt_has_whole_words_and_its_sentence_last_and_is_bounded():
    def spelled(text):
        return [ord(letter) for letter in text]

    def said(*arguments):
        return "".join(map(chr, tokens_of(*arguments, spelled)))

    assert said(["lion", "okapi"], "Meet Dr. Lee.") == " lion, okapi. Meet Dr. Lee."
    assert said([], "") == ""
    long = said(["giraffe"] * 100, "At the zoo.")
    assert long.endswith(", giraffe. At the zoo.")
    assert len(long) <= PROMPT_TOKENS
    assert len(said(["lion"], "x" * 500)) == PROMPT_TOKENS
