"""The phrasebook's data: whole in all five languages, and the same there and back."""

from __future__ import annotations

from collections import defaultdict
from itertools import permutations

import pytest

from mynah_phrasebook.book import Book, Match
from mynah_phrasebook.normal import LANGUAGES, normal
from mynah_phrasebook.persona import _expected
from mynah_phrasebook.templates import Gap
from mynah_phrasebook.times import Time

BOOK = Book.load()
OTHERS = [language for language in LANGUAGES if language != "en"]
# English with each of the others, both ways, and those once around: a phrase means the same whichever way it came.
PAIRS = [
    *((one, other) for one, other in permutations(LANGUAGES, 2) if "en" in (one, other)),
    *zip(OTHERS, [*OTHERS[1:], OTHERS[0]], strict=True),
]


def gaps(phrase, language):
    return {(part.slot, part.place) for part in phrase.ways[language][0].parts() if isinstance(part, Gap)}


def filled(meaning, number, ways):
    """Return fillings for all slots of a phrase or row, the `number`-th of each."""
    fillings = {}
    for slot, place in sorted({(part.slot, part.place) for part in ways.parts() if isinstance(part, Gap)}):
        if slot == "number":
            value = str(number + place)
        elif slot == "time":
            value = [Time(9, 30, "am"), Time(15, 0, "pm"), Time(4, 45), Time(1, 0)][number % 4]
        elif slot == "name":
            value = ["Anna", "Li Wei", "García Márquez"][number % 3]
        else:
            row = BOOK.slots[slot][number % len(BOOK.slots[slot])]
            value = filled(row, number, row.said("en", ""))
        fillings[slot, place] = value
    return Match(meaning, fillings)


def samples():
    """Every phrase, with every value of its slots."""
    for phrase in BOOK.phrases:
        slots = {slot for slot, _ in gaps(phrase, "en")}
        most = max((len(BOOK.slots.get(slot, range(4))) for slot in slots), default=1)
        for number in range(most):
            yield filled(phrase, number, phrase.ways["en"][0])


def test_there_are_a_few_hundred_phrases():
    assert len(BOOK.phrases) >= 250


def test_every_phrase_is_there_in_every_language():
    for phrase in BOOK.phrases:
        assert set(phrase.ways) == set(LANGUAGES)
        assert all(way.text.strip() for ways in phrase.ways.values() for way in ways)


def test_every_way_of_saying_a_phrase_has_all_of_its_slots_and_no_other():
    for phrase in BOOK.phrases:
        wanted = gaps(phrase, "en")
        for ways in phrase.ways.values():
            for way in ways:
                found = {(part.slot, part.place) for part in way.parts() if isinstance(part, Gap)}
                assert found == wanted, way.text


def test_every_slot_is_known():
    for phrase in BOOK.phrases:
        for slot, _ in gaps(phrase, "en"):
            assert slot in BOOK.slots or slot in ("number", "time", "name"), slot


def test_every_value_of_a_slot_is_there_in_every_language():
    rows = [row for rows in BOOK.slots.values() for row in rows]
    assert len(rows) > 150
    for row in rows:
        assert set(row.words) == set(LANGUAGES)


def test_every_slot_is_used():
    used = {slot for phrase in BOOK.phrases for slot, _ in gaps(phrase, "en")}
    assert set(BOOK.slots) | {"number", "time", "name"} == used


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_phrases_sound_alike_unless_they_are_said_alike(language):
    """Where two phrases are the same in a language, it has one word for both; never one by accident."""
    heard = defaultdict(set)
    for phrase in BOOK.phrases:
        for way in phrase.ways[language]:
            heard[normal(way.text, language), way.text.endswith(("?", "？"))].add(
                normal(phrase.ways[language][0].text, language)
            )
    assert {text: says for text, says in heard.items() if len(says) > 1} == {}


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_every_phrase_goes_there_and_back(source, target):
    for match in samples():
        said = BOOK.say(match, source)
        there = BOOK.find(said, source)
        assert there is not None, f"not found: {said!r} ({source})"
        put = BOOK.say(there, target)
        back = BOOK.find(put, target)
        assert back is not None, f"not found: {put!r} ({target})"
        assert BOOK.say(back, target) == put
        again = BOOK.say(back, source)
        if normal(again, source) != normal(said, source):
            # Two phrases of the source that are one in the target, as hello and good morning are in French.
            assert BOOK.say(BOOK.find(again, source), target) == put, (said, put, again)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_other_way_of_saying_a_phrase_is_understood(language):
    for phrase in BOOK.phrases:
        for way in phrase.ways[language]:
            match = filled(phrase, 1, way)
            said = BOOK._rendered(way, match.fillings, language)
            found = BOOK.find(said, language)
            assert found is not None, said
            assert BOOK.say(found, language) == BOOK.say(match, language) or found.meaning is not phrase, said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_way_of_saying_a_value_is_understood(language):
    for slot, rows in BOOK.slots.items():
        for row in rows:
            for form, ways in row.words[language].items():
                for way in ways:
                    said = BOOK._rendered(way, filled(row, 1, way).fillings, language)
                    found = BOOK._filling(Gap(slot, form, 1), normal(said, language), said, language)
                    assert isinstance(found, Match), (slot, said)
                    assert found.meaning is row, (slot, said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_a_recogniser_is_told_to_expect_is_understood(language):
    sayings = list(BOOK.sayings(language))
    assert len(sayings) > 800
    assert [saying for saying in sayings if BOOK.find(saying, language) is None] == []


@pytest.mark.parametrize("language", ["en", "es", "de", "fr"])
def test_recognisers_expect_numbers_in_words(language):
    expected = _expected(language)
    assert not any(char.isdigit() for saying in expected for char in saying)
    assert [saying for saying in expected if BOOK.find(saying, language) is None] == []


def test_in_a_language_that_is_not_in_the_book_nothing_is_expected():
    assert _expected("ja") == []
