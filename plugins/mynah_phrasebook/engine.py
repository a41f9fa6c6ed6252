"""The engine: text in, the book's words out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from mynah import InputError, primary_language
from mynah_phrasebook.book import Book
from mynah_phrasebook.normal import LANGUAGES

_SENTENCES: Final = re.compile(r"[^.!?。！？\n]*(?:\.(?=\d)[^.!?。！？\n]*)*[.!?。！？\n]*\s*")
_CLAUSES: Final = re.compile(r"[^,;，；]*(?:[,](?=\d)[^,;，；]*)*[,;，；]?\s*")
MOST_CHARS: Final = 4_000


@asynccontextmanager
async def open_phrasebook(config: Mapping[str, Any], folder: Path) -> AsyncIterator[Phrasebook]:
    """Open the engine; it has no options and keeps nothing in `folder`."""
    yield await asyncio.to_thread(Phrasebook)


class Phrasebook:
    """Translates what stands in the book, and nothing else."""

    def __init__(self) -> None:
        self._book = Book.load()
        for language in LANGUAGES:
            self._book.find("", language)  # what is made once is made now

    async def translate(self, text: str, *, source: str, target: str) -> AsyncIterator[str]:
        """Yield the translation, sentence by sentence.

        Raises `InputError` for a language that is not in the book, and for words that are not, before anything else.
        """
        if not text.strip():
            return
        one, other = _known(source), _known(target)
        if len(text) > MOST_CHARS:
            raise InputError(f"the phrasebook takes {MOST_CHARS} characters at most")
        if one == other:
            yield text
            return
        for piece in self._sentences(text, one, other):
            yield piece

    def _sentences(self, text: str, source: str, target: str) -> list[str]:
        if (whole := self._said(text, source, target)) is not None:
            return [whole]
        told: list[str] = []
        for sentence in filter(str.strip, _SENTENCES.findall(text)):
            if (said := self._said(sentence, source, target)) is None:
                said = self._clauses(sentence, source, target)
            told.append(said if not told or target == "zh" else f" {said}")
        return told

    def _clauses(self, sentence: str, source: str, target: str) -> str:
        """Return a sentence of which every clause is a phrase of the book."""
        clauses = [clause for clause in _CLAUSES.findall(sentence) if clause.strip()]
        said = [self._said(clause, source, target) for clause in clauses]
        if None in said or len(said) < 2:
            # Without the words: this goes to the log, which has none of a conversation.
            raise InputError(f"the phrasebook has no words for this in {LANGUAGES[target]}")
        return ("" if target == "zh" else " ").join(filter(None, said))

    def _said(self, text: str, source: str, target: str) -> str | None:
        found = self._book.find(text, source)
        return None if found is None else self._book.say(found, target)


def _known(tag: str) -> str:
    language = primary_language(tag)
    language = "zh" if language in ("cmn", "zho") else language
    if language not in LANGUAGES:
        raise InputError(f"the phrasebook knows {', '.join(LANGUAGES)}, not {tag!r}")
    return language
