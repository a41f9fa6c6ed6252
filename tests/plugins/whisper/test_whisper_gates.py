from __future__ import annotations

from pathlib import Path

import pytest

from mynah import EngineError
from mynah_whisper.config import Options
from mynah_whisper.gates import Decoded, compression, doubt, probability, timed
from mynah_whisper.languages import asked, code, tag
from mynah_whisper.recognizer import runs
from mynah_whisper.settling import Word
from mynah_whisper.trouble import trouble

FIRST, END = 1000, 900
"""The first timestamp token and the token that ends a text."""


def test_short_words_said_again_and_again_are_no_loop_but_a_sentence_is():
    assert compression("no, no, no, no") == 1
    assert compression("Thank you for watching. " * 12) > 2.4
    assert compression("And so, my fellow Americans, ask not what your country can do for you.") < 2.4


@pytest.mark.parametrize(
    "text",
    [
        "शेर मांस खाता है और सर्दियों में वह गर्मियों से ज़्यादा सोता है क्योंकि बाहर ठंड होती है और रखवाले खाना घर के अंदर लाते हैं",
        "சிங்கம் இறைச்சி உண்கிறது மற்றும் குளிர்காலத்தில் அது கோடையை விட அதிகமாக தூங்குகிறது ஏனெனில் வெளியே குளிராக இருக்கிறது",
        "ლომი ჭამს ხორცს და ზამთარში ის უფრო მეტს სძინავს ვიდრე ზაფხულში რადგან გარეთ ცივა და მომვლელები",
        "狮子吃肉，冬天它睡得比夏天多，因为外面很冷，饲养员把食物带到温暖干燥的屋子里，给住在这里的所有动物",
    ],
)
def test_an_ordinary_sentence_is_no_loop_in_any_script(text):
    assert compression(text) < 1.8
    assert compression(text[:20] * 8) > 2.4


def test_an_unsure_text_where_nobody_seems_to_speak_is_doubted():
    gates = {"no_speech": 0.6, "repetition": 2.4}
    assert doubt(Decoded((), -1.2, 0.7), **gates) == "no speech"
    assert doubt(Decoded((), -0.8, 0.7), **gates) == ""
    assert doubt(Decoded((Word("la la " * 30, 0, 1),), -0.1, 0.0), **gates) == "repetition"


def test_probabilities_stay_within_0_and_1():
    assert probability(0.1) == 1
    assert 0 < probability(-5) < 0.01


def test_words_that_all_have_one_time_are_left_as_their_segments():
    segments = [Word(" one two", 0, 2)]
    assert timed([Word(" one", 0, 0), Word(" two", 0, 0)], segments) == tuple(segments)
    words = [Word(" one", 0, 0.4), Word(" two", 0.5, 0.8)]
    assert timed(words, segments) == tuple(words)
    assert timed([], segments) == tuple(segments)


def test_tokens_are_cut_into_segments_at_timestamps():
    tokens = [FIRST, 1, 2, FIRST + 100, FIRST + 120, 3, FIRST + 150, END]
    assert list(runs(tokens, FIRST, END, 5)) == [([1, 2], 0, 2.0), ([3], 2.4, 3.0)]


def test_a_segment_that_was_cut_off_ends_with_the_window():
    assert list(runs([FIRST + 50, 1, 2], FIRST, END, 4)) == [([1, 2], 1.0, 4)]
    assert list(runs([1, 2], FIRST, END, 4)) == [([1, 2], 0, 4)]


def test_the_language_is_the_persona_s_unless_another_is_configured():
    assert asked("persona", "de-AT") == "de-AT"
    assert asked("persona", None) is None
    assert asked("auto", "de") is None
    assert asked("fr", "de") == "fr"


def test_tags_become_whisper_s_codes_and_back():
    def knows(language):
        return language in ("en", "de", "no", "jw", "zh")

    assert [code(name, knows, "base") for name in ("de_AT", "nb-NO", "jv", "zh-Hant", None)] == [
        "de", "no", "jw", "zh", "",
    ]  # fmt: skip
    assert (tag("jw"), tag("de")) == ("jv", "de")
    with pytest.raises(EngineError, match="does not know the language 'tlh'"):
        code("tlh", knows, "base")
    with pytest.raises(EngineError, match="take one for all languages, such as `model: small`"):
        code("de", lambda language: language == "en", "small.en")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("CUDA failed with error out of memory", "not enough memory"),
        ("Library libcublas.so.12 is not found or cannot be loaded", "device: CUDA does not work here"),
        ("Requested float16 compute type, but the target\n device", "Set `compute_type: auto`"),
        ("something else", "cannot be decoded (something else)"),
    ],
)
def test_troubles_are_told_in_one_line(said, told):
    assert told in trouble(RuntimeError(said), Options())
    assert "\n" not in trouble(RuntimeError(said), Options())
    assert "/m cannot be loaded" in trouble(RuntimeError("x"), Options(), Path("/m"))
