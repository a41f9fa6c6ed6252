from __future__ import annotations

import pytest

from mynah_pocketsphinx.wording import number, plural, spoken


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("How tall is a giraffe?", "how tall is a giraffe"),
        ("Ring-tailed lemurs' don’t…", "ring tailed lemurs' don't"),
        ("It's 9 o'clock", "it's nine o'clock"),
        ("A café & 21%", "a cafe and twenty one percent"),
        ("1,250.5 kg", "one thousand two hundred fifty point five kg"),
        ("？！", ""),
    ],
)
def test_text_becomes_what_is_said(text, words):
    assert spoken(text) == words.split()


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("0", "zero"),
        ("13", "thirteen"),
        ("40", "forty"),
        ("1000000", "one million"),
        ("1999", "one thousand nine hundred ninety nine"),
        ("1234567890123", "one two three four five six seven eight nine zero one two three"),
    ],
)
def test_numbers_are_read_out(digits, words):
    assert number(digits) == words.split()


@pytest.mark.parametrize(
    ("noun", "nouns"), [("macaw", "macaws"), ("grizzly", "grizzlies"), ("monkey", "monkeys"), ("fox", "foxes")]
)
def test_plurals_are_regular(noun, nouns):
    assert plural(noun) == nouns
