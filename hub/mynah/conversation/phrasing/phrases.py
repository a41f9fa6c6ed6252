"""Text into phrases for the voice: the first as early as can be, the others whole sentences."""

from __future__ import annotations

from dataclasses import dataclass

from mynah.conversation.phrasing.abbreviations import Stop, weigh_stop
from mynah.conversation.phrasing.doubts import Ask, Doubt, Verdict
from mynah.conversation.phrasing.marks import (
    BETWEEN_DIGITS,
    BREAK,
    CLAUSE_MARKS,
    CLOSERS,
    ELLIPSES,
    FIRM,
    GAP,
    MARKS,
    SENTENCE_MARKS,
    STOPS,
    add_mark,
    is_speakable,
    is_unspaced,
    joins_previous,
    soften,
)
from mynah.conversation.phrasing.spoken import SpokenText
from mynah.outputs import Boundary
from mynah.values import primary_language

_LONGEST = 250  # characters of a phrase
_WIDE_AS = 250 / 80  # a character of an unspaced script takes the room of so many others
_TAIL = 48  # characters that tell what a full stop is
_UNSPOKEN = 16  # characters without a sound that a phrase may begin with
_SCHEMES = frozenset(("http", "https", "ftp", "mailto", "tel", "file"))


@dataclass(frozen=True, slots=True)
class SplitPhrase:
    """Text ready to be spoken, stripped and without markup, and what ended it.

    The end of the text, of a paragraph, list item, heading or table row counts as the end of a sentence.
    """

    text: str
    boundary: Boundary


class PhraseSplitter:
    """Cuts streamed text into phrases.

    The first phrase ends at the first clause mark, or at the word boundary after `first_words` words if none has come
    (in scripts without spaces, two characters count as one word). The token that brings the boundary completes the
    phrase: white space after the last word, or the character after the last one where words are not spaced. A mark
    releases the phrase at once unless it could be inside a number, an abbreviation, a name or an ellipsis; then the
    next character decides, and for few abbreviations the next word. A number keeps its unit, a title its name.

    Later phrases are whole sentences with their closing quotes and brackets, cut where they grow too long for a
    voice. They are released by the character after the end mark.

    The phrases do not depend on how the text was cut into tokens. `language` is a BCP 47 tag; it chooses the
    abbreviations. Without `early` the first phrase is a whole sentence too. Raises ValueError where `first_words` is
    less than 1.
    """

    def __init__(self, first_words: int = 4, language: str = "en", *, early: bool = True) -> None:
        if first_words < 1:
            raise ValueError(f"the first phrase needs at least one word, not {first_words}")
        self._first_halves = 2 * first_words
        self._language = primary_language(language)
        self._spoken = SpokenText()
        self._first = early
        self._again = ""  # characters to be read once more, after a phrase was cut before them
        self._phrases: list[SplitPhrase] = []
        self._clear()

    def feed(self, token: str) -> list[SplitPhrase]:
        """Take a piece of the text; return the phrases that it completes, mostly none."""
        for char in self._spoken.feed(token):
            self._put(char)
            if self._again:
                self._read_again()
        return self._take()

    def flush(self) -> list[SplitPhrase]:
        """Return what is left, as the text is over or pauses (a tool runs); after a pause `feed` goes on."""
        for char in (*self._spoken.flush(), BREAK):
            self._put(char)
            self._read_again()
        return self._take()

    @property
    def pending(self) -> bool:
        """Whether there is text that may become a phrase."""
        return self._speakable

    def _take(self) -> list[SplitPhrase]:
        phrases, self._phrases = self._phrases, []
        return phrases

    def _clear(self) -> None:
        self._chars: list[str] = []
        self._speakable = False
        self._halves = 0  # complete words, in halves
        self._in_word = False
        self._wide = 0  # characters of unspaced scripts
        self._clause_end = 0  # where a sentence that is too long may be cut
        self._word_end = 0
        self._gap_at = 0
        self._settled = 0  # a place where a doubt has been decided against an end
        self._doubt: Doubt | None = None
        self._after_mark = False  # nothing has come yet since a mark released the first phrase

    def _read_again(self) -> None:
        while self._again:
            again, self._again = self._again, ""
            for index, next_char in enumerate(again):
                self._put(next_char)
                if self._again:
                    self._again += again[index + 1 :]
                    break

    def _put(self, char: str) -> None:
        if self._doubt is not None and not self._settle(self._doubt, char):
            return
        if char in MARKS:
            self._mark(char)
        elif char == " ":
            self._space()
        elif char == BREAK:
            self._release(len(self._chars), "sentence")
        elif char == GAP:
            self._space()
            self._gap_at = len(self._chars)
        else:
            self._letter(char)

    def _letter(self, char: str) -> None:
        chars = self._chars
        wide = char >= "\u0e00" and is_unspaced(char)
        if wide:
            self._end_word()
        if self._first and (wide or (self._wide and char.isalnum())) and self._is_word_boundary(char, wide=wide):
            self._release(len(chars), "word", then=char)
            return
        if len(chars) >= 80 and len(chars) + self._wide * (_WIDE_AS - 1) >= _LONGEST:
            self._cut_long(char)
            return
        if not self._speakable:
            if self._is_left_over(char):
                return
            self._speakable = is_speakable(char)
        chars.append(char)
        if wide:
            self._wide += 1
            self._halves += 1
        elif not self._in_word:
            self._in_word = char.isalnum()

    def _is_left_over(self, char: str) -> bool:
        """Whether a character is what an early first phrase left behind: closing quotes, the rest of "?!"."""
        if len(self._chars) >= _UNSPOKEN:
            self._chars.clear()
        return self._after_mark and not self._chars and (char in MARKS or char in CLOSERS)

    def _is_word_boundary(self, char: str, *, wide: bool) -> bool:
        """Whether enough words are complete before this character, at a change of script or inside an unspaced one."""
        between = wide or is_unspaced(self._chars[-1])
        return between and self._halves >= self._first_halves and not joins_previous(char)

    def _end_word(self) -> None:
        if self._in_word:
            self._halves += 2
            self._in_word = False

    def _space(self) -> None:
        chars = self._chars
        if not self._speakable:
            chars.clear()
            self._after_mark = False
            return
        last = chars[-1]
        if last == " ":
            return
        self._end_word()
        # A full stop that is still here belongs to an abbreviation, which keeps the next word.
        kept = last in STOPS or last == FIRM["."] or self._settled == len(chars)
        if self._first and self._halves >= self._first_halves and not kept:
            if not last.isdecimal():
                self._release(len(chars), "word")
                return
            self._ask(Ask.UNIT, "word")
        if last in CLAUSE_MARKS:
            self._clause_end = len(chars)
        elif not kept:
            self._word_end = len(chars)
        chars.append(" ")

    def _mark(self, mark: str) -> None:
        chars = self._chars
        if chars and chars[-1] == " " and self._gap_at == len(chars):
            chars.pop()
        if not self._speakable and self._is_left_over(mark):
            return
        if not add_mark(chars, mark) or not self._speakable:
            return
        if self._first:
            self._end_first(mark, chars[-2])
        elif mark in SENTENCE_MARKS or mark in ELLIPSES:
            self._ask(Ask.MORE_MARKS)
        elif mark in STOPS:
            stop = self._weigh_stop()
            if stop is Stop.END:
                self._ask(Ask.MORE_MARKS if is_unspaced(chars[-2]) else Stop.NEXT_CHARACTER)
            elif stop is not Stop.NEVER:
                self._ask(stop)
        elif mark >= "\u2010" and not chars[-2].isdecimal():
            self._clause_end = len(chars)

    def _end_first(self, mark: str, before: str) -> None:
        """End the first phrase at a mark: at once, or once the doubt about it is gone."""
        if mark in SENTENCE_MARKS:
            self._release_at_once("sentence")
        elif mark in STOPS:
            stop = self._weigh_stop()
            if stop is Stop.END:
                self._release_at_once("sentence")
            elif stop is not Stop.NEVER:
                self._ask(stop)
        elif mark in BETWEEN_DIGITS and before.isdecimal():
            self._ask(Ask.DIGIT, "clause")
        elif mark == ":" and self._may_be_scheme():
            self._ask(Stop.NEXT_CHARACTER, "clause")
        else:
            self._release_at_once("clause")

    def _release_at_once(self, boundary: Boundary) -> None:
        self._release(len(self._chars), boundary)
        self._after_mark = True

    def _ask(self, ask: Stop | Ask, boundary: Boundary = "sentence") -> None:
        """Doubt whether the phrase ends here, until the text to come has answered."""
        self._doubt = Doubt(len(self._chars), boundary, ask, self._language, early=self._first)

    def _weigh_stop(self) -> Stop:
        return weigh_stop("".join(self._chars[-_TAIL - 1 : -1]), self._language)

    def _may_be_scheme(self) -> bool:
        word = "".join(self._chars[-_TAIL:-1]).rpartition(" ")[2]
        return (len(word) == 1 and word.isascii()) or word.lower() in _SCHEMES

    def _settle(self, doubt: Doubt, char: str) -> bool:
        """Let the next character decide the doubt; return whether it is still to be read as part of the phrase."""
        verdict = doubt.decide(self._chars, char)
        if verdict is Verdict.ENDS:
            self._release(doubt.at, doubt.boundary, then=char)
        elif verdict is Verdict.GOES_ON:
            self._doubt = None
            self._settled = doubt.at
            ahead = "".join(self._chars[doubt.at :])
            if not ahead:
                return True
            # What was read ahead is read again in the ordinary way.
            del self._chars[doubt.at :]
            self._again = ahead + char
        return False

    def _cut_long(self, char: str) -> None:
        """End a phrase that is too long for a voice at its last clause mark, else at its last word."""
        if self._clause_end:
            self._release(self._clause_end, "clause", then=char)
        elif self._word_end or not joins_previous(char) or len(self._chars) >= 2 * _LONGEST:
            self._release(self._word_end or len(self._chars), "word", then=char)
        else:
            self._chars.append(char)

    def _release(self, at: int, boundary: Boundary, then: str = "") -> None:
        """End the phrase at `at`; what follows it, and `then`, is read again as the beginning of the next one."""
        text = soften("".join(self._chars[:at])).strip()
        self._again = "".join(self._chars[at:]) + then
        if any(map(is_speakable, text)):
            self._phrases.append(SplitPhrase(text, boundary))
            self._first = False
        self._clear()


def split_text(text: str, first_words: int = 4, language: str = "en") -> list[SplitPhrase]:
    """Cut a text that is known beforehand, by the same rule."""
    splitter = PhraseSplitter(first_words, language)
    return splitter.feed(text) + splitter.flush()
