"""Possible ends of a phrase that only the text to come can decide on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mynah.conversation.phrasing.abbreviations import Stop, is_first_word, is_unit
from mynah.conversation.phrasing.marks import (
    BREAK,
    CLAUSE_MARKS,
    ELLIPSES,
    FIRM,
    FIRM_SPACE,
    GAP,
    OPENERS,
    SENTENCE_MARKS,
    STOPS,
    add_mark,
    closes,
    is_unspaced,
)
from mynah.outputs import Boundary

_LONGEST_WORD = 20
_SPACES = frozenset((" ", FIRM_SPACE, GAP, BREAK))
_INSIDE_NAMES = frozenset(("_", "/", "\\", "@", "-", *FIRM.values()))
_UNIT_SIGNS = frozenset("%°²³/€£$")
_OF_NEXT_WORD = (Stop.NEXT_DIGIT, Stop.NEXT_CAPITAL, Stop.NEXT_WORD)


class Ask(Enum):
    """What the text to come is asked, besides a full stop's questions (`Stop`)."""

    MORE_MARKS = "it is an end: do further marks or closing quotes follow?"
    DIGIT = "does a digit follow at once?"
    UNIT = "is the next word the unit of the number before it?"


class Verdict(Enum):
    """What a character said about a doubt."""

    ENDS = "the phrase ended where the doubt was"
    GOES_ON = "that was no end"
    WAIT = "the character was taken into the phrase and the doubt remains"


@dataclass(slots=True)
class Doubt:
    """A possible end of the phrase, before the character `at`.

    `early`: the phrase is a first one, in which an ellipsis counts as a clause mark. `word_from` is where the next
    word begins, once white space has come.
    """

    at: int
    boundary: Boundary
    ask: Stop | Ask
    language: str
    early: bool = False
    word_from: int = 0

    def __post_init__(self) -> None:
        if self.ask is Ask.UNIT:
            # This doubt comes with the white space itself.
            self.word_from = self.at + 1

    def decide(self, chars: list[str], char: str) -> Verdict:
        """Ask the next character; where more has to be read, it is added to the phrase's `chars`."""
        if self.word_from:
            return self._by_word(chars, char)
        if char in SENTENCE_MARKS or char in STOPS or char in ELLIPSES or closes(char, chars):
            return self._extend(chars, char)
        certain = self.ask is Ask.MORE_MARKS
        if char in _SPACES:
            if char != BREAK and self.ask in _OF_NEXT_WORD:
                chars.append(" ")
                self.word_from = len(chars)
                return Verdict.WAIT
            return Verdict.ENDS
        if self.ask is Ask.DIGIT:
            return _ended(not char.isdecimal())
        if is_unspaced(char):
            return _ended(certain or self.ask is Stop.NEXT_CHARACTER)
        return _ended(certain or not (char.isalnum() or char in _INSIDE_NAMES or char in CLAUSE_MARKS))

    def _extend(self, chars: list[str], mark: str) -> Verdict:
        """Take further end marks and closing quotes into the phrase; full stops in a row make an ellipsis."""
        if self.ask is Ask.DIGIT:
            return Verdict.ENDS
        if not add_mark(chars, mark):
            return Verdict.WAIT
        self.at = len(chars)
        if mark in SENTENCE_MARKS:
            self.ask, self.boundary = Ask.MORE_MARKS, "sentence"
        elif mark in STOPS or mark in ELLIPSES:
            self.ask = Ask.MORE_MARKS
            self.boundary = "clause" if self.early else "sentence"
        return Verdict.WAIT

    def _by_word(self, chars: list[str], char: str) -> Verdict:
        """Let the next word decide, or as much of it as is needed."""
        at_start = len(chars) == self.word_from
        if at_start and char in _SPACES and char != BREAK:
            return Verdict.WAIT
        if self.ask is Stop.NEXT_DIGIT:
            return _ended(not char.isdecimal())
        if self.ask is Stop.NEXT_CAPITAL:
            return _ended(not char.islower())
        unit = self.ask is Ask.UNIT
        if at_start and not unit and not char.isupper():
            return _ended(char == BREAK or char in OPENERS or char == '"')
        if len(chars) - self.word_from < _LONGEST_WORD and (char.isalpha() or (unit and char in _UNIT_SIGNS)):
            chars.append(char)
            return Verdict.WAIT
        word = "".join(chars[self.word_from :])
        return _ended(not is_unit(word) if unit else is_first_word(word, self.language))


def _ended(ended: bool) -> Verdict:
    return Verdict.ENDS if ended else Verdict.GOES_ON
