"""The window logic with a scripted recogniser that knows the words' times."""

from __future__ import annotations

import itertools
import random

import pytest

from mynah_whisper.config import Options
from mynah_whisper.course import Course
from mynah_whisper.gates import Decoded
from mynah_whisper.pace import Speech
from mynah_whisper.settling import REACH_S, Settling, Window, Word, confidence, joined

TICK_S = 0.1
TALK = [
    *(
        "so",
        "that",
        "is",
        "very",
        "very",
        "good",
        "no",
        "no",
        "no",
        "I",
        "said",
        "ask",
        "not",
        "what",
        "your",
        "country",
    ),
    *("can", "do", "for", "you", "ask", "what", "you", "can", "do", "for", "your", "country", "and", "the", "the"),
    *("lions", "ate", "ate", "a", "a", "horse", "horse", "had", "had", "enough", "of", "that", "that", "it", "was"),
    *("what", "it", "was"),
]


def spoken(words, random, *, offset=0.0, pauses=0.1, pause_s=(0.7, 6.0)):
    """Return words at times: of 0.08 to 0.6 s, with some pauses between them."""
    at, said = offset, []
    for text in words:
        at += random.uniform(*pause_s) if random.random() < pauses else random.choice((0.0, 0.0, 0.03, 0.1))
        lasts = random.uniform(0.08, 0.6)
        said.append(Word(f" {text}", at, at + lasts))
        at += lasts
    return said


class Scripted:
    """Knows what is said when; hears the words inside a window, and garbles those that its edges cut."""

    def __init__(self, said, jitter=0.0, seed=0):
        self.said = said
        self.jitter = jitter
        self.random = random.Random(seed)
        self.windows = []

    def decode(self, window):
        self.windows.append(window)
        assert window.end - window.begin <= REACH_S + 1e-6
        heard = [self._heard(word, window) for word in self.said if window.begin < word.end and word.start < window.end]
        return Decoded(tuple(heard), -0.1, 0.0)

    def _heard(self, word, window):
        cut = word.start < window.begin or word.end > window.end
        shift = self.random.uniform(-self.jitter, self.jitter)
        start = max(word.start, window.begin) - window.begin + shift
        end = min(word.end, window.end) - window.begin + shift
        letters = word.text.strip()
        text = f" {letters[: len(letters) // 2]}{self.random.choice('xyz')}" if cut else self._written(word.text)
        return Word(text, start, end)

    def _written(self, text):
        # With capitals and full stops that come and go, as Whisper has them.
        return self.random.choice((text, text, text.title(), f"{text}.", f"{text},"))

    def speech(self, now):
        begun = [word for word in self.said if word.start < now]
        return Speech(begun[0].start, min(now, begun[-1].end)) if begun else Speech()


def follow(scripted, options=None, lag=0.0, silence=0.6):
    """Go through all that is said as the engine does; return the course. A decode takes `lag` seconds."""
    course = Course(options or Options())
    end = scripted.said[-1].end + silence
    now = scripted.said[0].start % TICK_S
    while now < end:
        if course.due(now, scripted.speech(now)):
            step(scripted, course, now)
            now += lag
        course.rest(now, scripted.speech(now))
        now += TICK_S
    decodes = len(scripted.windows)
    while not course.covers(scripted.speech(end)) and (not scripted.windows or scripted.windows[-1].end < end):
        step(scripted, course, end, last=True)
    return course, len(scripted.windows) - decodes


def step(scripted, course, now, *, last=False):
    window = course.window(max(0.0, scripted.speech(now).first - 0.3), now)
    course.take(scripted.decode(window), window, last=last and not window.full)


def plain(text):
    return text.lower().replace(".", "").replace(",", "").split()


def test_merged_text_equals_the_truth_at_a_thousand_random_offsets():
    for seed in range(1000):
        chance = random.Random(seed)
        words = TALK[: chance.randrange(1, len(TALK))]
        scripted = Scripted(spoken(words, chance, offset=chance.uniform(0, 3)), seed=seed)
        course, afterwards = follow(scripted)
        assert plain(course.text) == plain(" ".join(words)), seed
        assert afterwards <= 1, seed


@pytest.mark.parametrize(("jitter", "repeated"), [(0.02, True), (0.04, True), (0.1, False), (0.2, False)])
def test_times_that_differ_from_decode_to_decode_change_nothing(jitter, repeated):
    words = TALK if repeated else [text for before, text in itertools.pairwise(TALK) if text != before]
    for seed in range(150):
        chance = random.Random(seed)
        scripted = Scripted(spoken(words, chance, offset=chance.uniform(0, 3)), jitter, seed)
        assert plain(follow(scripted)[0].text) == plain(" ".join(words)), seed


def test_speech_of_minutes_loses_nothing_where_windows_are_full():
    for seed in range(40):
        chance = random.Random(seed)
        words = (TALK * 8)[: chance.randrange(200, 8 * len(TALK))]
        scripted = Scripted(spoken(words, chance, offset=chance.uniform(0, 3)), seed=seed)
        course, afterwards = follow(scripted)
        assert plain(course.text) == plain(" ".join(words)), seed
        assert afterwards <= 1


def test_a_decoder_slower_than_the_speech_loses_nothing_either():
    for seed in range(40):
        chance = random.Random(seed)
        scripted = Scripted(spoken(TALK * 6, chance, pauses=0.02), seed=seed)
        course, _ = follow(scripted, lag=chance.uniform(2, 25))
        assert plain(course.text) == plain(" ".join(TALK * 6)), seed


@pytest.mark.parametrize(("window_s", "overlap_s"), [(1.0, 0.5), (3.0, 1.0), (2.0, 0.1), (10.0, 2.0)])
def test_other_windows_give_the_same_text(window_s, overlap_s):
    for seed in range(50):
        scripted = Scripted(spoken(TALK, random.Random(seed)), seed=seed)
        course, _ = follow(scripted, Options(window_s=window_s, overlap_s=overlap_s))
        assert plain(course.text) == plain(" ".join(TALK)), seed


def test_pauses_of_a_minute_cost_no_decodes_and_no_words():
    chance = random.Random(1)
    scripted = Scripted(spoken(TALK[:20], chance, pauses=0.3, pause_s=(20, 60)))
    course, _ = follow(scripted)
    assert plain(course.text) == plain(" ".join(TALK[:20]))
    assert len(scripted.windows) < 40


def test_there_is_a_decode_for_each_second_and_a_half_of_speech():
    scripted = Scripted(spoken(TALK, random.Random(0), pauses=0))
    follow(scripted)
    ends = [window.end for window in scripted.windows[:-1]]
    steps = [after - before for before, after in itertools.pairwise(ends)]
    assert all(step == pytest.approx(1.5, abs=TICK_S + 0.01) for step in steps[:-1])
    assert ends[0] - scripted.said[0].start == pytest.approx(2.0, abs=TICK_S + 0.01)


def test_each_window_reaches_back_to_before_the_last_settled_word():
    settling = Settling(overlap_s=0.5)
    words = [Word(" one", 0.5, 0.9), Word(" two", 1.0, 1.4), Word(" three", 1.5, 1.9)]
    settling.take(words, Window(0, 2.0))
    assert settling.begin == 0
    settling.take([*words, Word(" four", 3.0, 3.4)], Window(0, 3.5))
    assert joined(settling.settled) == "one two three"
    assert settling.begin == pytest.approx(1.5 - 0.5)


def test_a_word_on_which_two_decodes_differ_is_not_settled():
    settling = Settling()
    settling.take([Word(" two", 0, 0.4), Word(" hens", 0.5, 0.9)], Window(0, 2))
    settling.take([Word(" two", 0, 0.4), Word(" pens", 0.5, 0.9), Word(" sit", 1, 1.2)], Window(0, 3.5))
    assert joined(settling.settled) == "two"
    assert joined(settling.words) == "two pens sit"


def test_a_word_that_touches_the_end_of_the_window_is_not_settled():
    settling = Settling()
    for _ in range(2):
        settling.take([Word(" under", 1.5, 2.0)], Window(0, 2))
    assert not settling.settled


def test_words_that_differ_in_a_vowel_sign_are_different_words():
    settling = Settling()
    settling.take([Word(" की", 0.5, 0.9)], Window(0, 2))
    settling.take([Word(" कु", 0.5, 0.9)], Window(0, 3.5))
    assert not settling.settled


@pytest.mark.parametrize("decoded", [Decoded((), -0.1, 0.0), Decoded((Word(" la" * 40, 0, 3),), -0.1, 0.0)])
def test_a_decode_that_tells_nothing_leaves_what_was_heard_before(decoded):
    course = Course(Options())
    course.take(Decoded((Word(" two", 0.5, 0.9), Word(" hens", 1, 1.4)), -0.1, 0.0), course.window(0, 2))
    course.take(decoded, course.window(0, 3.5), last=True)
    assert course.text == "two hens"


def test_a_decode_that_finds_that_nobody_spoke_takes_back_what_was_not_settled():
    course = Course(Options())
    course.take(Decoded((Word(" thanks", 0.5, 0.9),), -0.1, 0.0), course.window(0, 2))
    course.take(Decoded((), -0.1, 0.9), course.window(0, 3.5), last=True)
    assert course.text == ""


def test_a_full_window_that_tells_nothing_loses_no_word_of_the_one_before():
    course = Course(Options())
    words = tuple(Word(f" {text}", at, at + 0.5) for at, text in enumerate(TALK[:29]))
    course.take(Decoded((*words, Word(" fiel", 28.8, 29)), -0.1, 0.0), course.window(0, 29))
    course.take(Decoded((), -0.1, 0.0), course.window(0, 31))
    rest = course.window(0, 33)
    assert rest.begin < 28
    course.take(Decoded((Word(" fields", 28.8 - rest.begin, 29.3 - rest.begin),), -0.1, 0.0), rest, last=True)
    assert course.text == " ".join([*TALK[:29], "fields"])


def test_segments_without_words_are_taken_once():
    settling = Settling()
    for end in (2.5, 4.0, 5.5, 7.0):
        settling.take([Word(" what do lions eat", 0, 2.0)], Window(settling.begin, end))
    settling.take([Word(" what do lions eat", 0, 2.0)], Window(settling.begin, 7.5), last=True)
    assert joined(settling.words) == "what do lions eat"


def test_a_segment_as_long_as_the_window_does_not_hold_up_the_next():
    settling = Settling()
    settling.take([Word(" on and on", 0, 29)], settling.window(40))
    assert settling.window(40) == Window(29.5, 40)
    settling.take([], settling.window(70))
    assert settling.window(70).begin == pytest.approx(59.0)


def test_languages_without_spaces_are_joined_without_them():
    settling = Settling()
    settling.take([Word("狮子", 0, 0.5), Word("吃", 0.5, 0.7), Word("什么", 0.7, 1)], Window(0, 2), last=True)
    assert joined(settling.words) == "狮子吃什么"


def test_confidence_is_that_of_the_words_by_their_length():
    assert confidence([]) == 0
    assert confidence([Word(" a", 0, 1, 1.0), Word(" elephants", 0, 1, 0.5)]) == pytest.approx((1 + 9 * 0.5) / 10)
