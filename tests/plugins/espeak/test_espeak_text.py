import pytest

from mynah_espeak.library import EVENT_CLAUSE_END, EVENT_WORD, SpeechEvent
from mynah_espeak.text import WordMarks, clean, pauses_after, pieces


def test_commands_are_blanked_at_the_same_length():
    text = "a\x01b [[c]] \x00\ud800d\n\x85"

    assert clean(text) == "a b   c     d  "
    assert len(clean(text)) == len(text)


def test_ordinary_text_stays_as_it_is():
    text = "It's 3.5 m – [really] <b>schön</b> 狮子 😀"

    assert clean(text) == text


def test_a_phrase_is_one_piece():
    assert list(pieces("Hello there. How are you?")) == [(0, "Hello there. How are you?")]


@pytest.mark.parametrize(
    "text", ["The lion sleeps. It is 3.5 m long! " * 20, "zebra " * 200, "x" * 700, "狮子吃肉。" * 99]
)
def test_pieces_join_to_the_text_and_are_bounded(text):
    found = list(pieces(text))

    assert "".join(piece for _, piece in found) == text
    assert all(text[offset:].startswith(piece) and len(piece) <= 250 for offset, piece in found)


def test_a_long_text_is_cut_after_sentences_if_possible_else_between_words():
    assert all(piece.endswith(". ") for _, piece in list(pieces("The lion is 3.5 m long. " * 20))[:-1])
    assert all(piece.endswith("zebra ") for _, piece in pieces("zebra " * 200))


def test_pieces_without_words_are_left_out():
    assert list(pieces("   ")) == []
    assert [offset for offset, _ in pieces("a. " + " " * 600 + "b.")] == [0, 500]


@pytest.mark.parametrize("text", ["Yes.", "Yes,", 'He said "yes."', "(so it is.) ", "好。", "क्या?", "well —"])
def test_a_mark_at_the_end_asks_for_a_pause(text):
    assert pauses_after(text)


@pytest.mark.parametrize("text", ["Yes", "the lion is 3.5", "", "a, b"])
def test_without_a_mark_there_is_no_pause(text):
    assert not pauses_after(text)


def marked(text, *events, **options):
    marks = WordMarks(text, 1000, **options)
    return [(mark.char_end, mark.end_ms) for event in events if (mark := marks.take(SpeechEvent(*event)))]


def test_a_word_has_been_said_when_the_next_begins_or_the_clause_ends():
    assert marked("one two", (EVENT_WORD, 1, 0), (EVENT_WORD, 5, 300), (EVENT_CLAUSE_END, 7, 600)) == [
        (3, 300),
        (7, 600),
    ]


def test_a_number_is_one_word_however_many_are_spoken():
    events = [(EVENT_WORD, 1, 0), (EVENT_WORD, 2, 100), (EVENT_WORD, 2, 200), (EVENT_WORD, 6, 300)]

    assert marked("1234 m", *events) == [(4, 300)]


def test_words_that_were_passed_over_are_marked_with_those_before_the_next():
    assert marked("one – two", (EVENT_WORD, 1, 0), (EVENT_WORD, 7, 300)) == [(5, 300)]


def test_the_end_of_a_clause_and_the_next_word_give_one_mark():
    assert marked("a, b", (EVENT_WORD, 1, 0), (EVENT_CLAUSE_END, 3, 200), (EVENT_WORD, 4, 200)) == [(2, 200)]


def test_nothing_is_marked_before_a_word_was_spoken():
    assert marked("... a", (EVENT_CLAUSE_END, 4, 50), (EVENT_WORD, 5, 60)) == []
    assert marked("", (EVENT_CLAUSE_END, 0, 5)) == []


def test_a_later_piece_counts_on():
    assert marked("one", (EVENT_WORD, 1, 0), (EVENT_CLAUSE_END, 3, 100), offset=10, start_ms=500) == [(13, 600)]
