from __future__ import annotations

import logging

import pytest

from mynah_pocketsphinx.letters import PHONES, Letters, to_cmu
from mynah_pocketsphinx.pronunciation import pronounce, with_s

DICTIONARY = """a AH
a(2) EY
cat K AE T
fox F AA K S
lion L AY AH N
"""


@pytest.fixture
def dictionary(tmp_path):
    file = tmp_path / "words.dict"
    file.write_text(DICTIONARY)
    return file


@pytest.fixture(scope="module")
def letters():
    return Letters()


def test_the_dictionary_comes_first_with_all_its_pronunciations(dictionary, letters):
    assert pronounce(["a", "lion"], dictionary, {}, letters) == {"a": ("AH", "EY"), "lion": ("L AY AH N",)}


def test_endings_are_added_to_words_of_the_dictionary(dictionary):
    said = pronounce(["cats", "cat's", "foxes", "lion's"], dictionary, {}, None)
    assert said == {
        "cats": ("K AE T S",),
        "cat's": ("K AE T S",),
        "foxes": ("F AA K S IH Z",),
        "lion's": ("L AY AH N Z",),
    }


def test_unknown_words_are_read_by_letters_and_logged(dictionary, letters, caplog):
    with caplog.at_level(logging.DEBUG):
        assert pronounce(["meerkat's"], dictionary, {}, letters) == {"meerkat's": ("M IH R K AE T S",)}
    assert "meerkat's is said as M IH R K AE T S, by letter-to-sound rules" in caplog.messages


def test_given_pronunciations_override_the_dictionary(dictionary, letters):
    assert pronounce(["cat"], dictionary, {"Cat": "k ah t"}, letters) == {"cat": ("K AH T",)}


def test_a_given_pronunciation_in_no_known_phones_is_ignored_with_a_warning(dictionary, letters, caplog):
    assert pronounce(["cat"], dictionary, {"cat": "miaow"}, letters) == {"cat": ("K AE T",)}
    assert "the pronunciation 'miaow' of 'cat' is not understood" in caplog.text


def test_a_word_that_nobody_can_say_is_left_out_with_a_warning(dictionary, caplog):
    assert pronounce(["zyzzyva"], dictionary, {}, None) == {}
    assert "no idea how 'zyzzyva' is pronounced" in caplog.text


@pytest.mark.parametrize(
    ("word", "phones"),
    [("toucan", "T UW K AH N"), ("warthog", "W AO R T HH AA G"), ("anteater", "AE N T IY T ER"), ("", "")],
)
def test_letters_become_phones(letters, word, phones):
    assert letters.phones(word) == phones


def test_every_letter_to_sound_rule_ends_in_phones_of_the_model(letters):
    for word in ("quokka", "thyme", "judge", "vision", "singer", "rhythm", "bird", "poor", "fire", "away"):
        assert PHONES.issuperset(letters.phones(word).split())


def test_a_vowel_that_holds_its_r_has_no_second_one():
    assert to_cmu("k_,a_p_I2_b_'A@_r_@") == "K AE P IH B AA R AH"


def test_the_ending_s_is_voiced_as_the_sound_before_it():
    assert [with_s(phones) for phones in ("B AE T", "D AO G", "HH AO R S")] == [
        "B AE T S",
        "D AO G Z",
        "HH AO R S IH Z",
    ]
