"""What translators of any kind get besides: translations that are remembered, and terms that are put as given."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from mynah.engines.limits import closing
from mynah.engines.protocols import Translator, Warmable
from mynah.errors import EngineError, InputError
from mynah.specs import EngineSpec
from mynah.values import Grounding, Hints, primary_language

LONGEST: Final = 1_000
"""Characters of a text whose translation is remembered."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term that occurs in a text, and how it is to be put."""

    said: re.Pattern[str]
    put: str


class Glossary:
    """Terms in several languages: language → text, each."""

    def __init__(self, entries: Sequence[Mapping[str, str]] = ()) -> None:
        self._entries = [{primary_language(tag): text.strip() for tag, text in entry.items()} for entry in entries]

    def terms(self, text: str, source: str, target: str) -> list[Term]:
        """Return the terms that occur in a text and have a given word in the target language, the longest first."""
        one, other = primary_language(source), primary_language(target)
        known = [(entry[one], entry[other]) for entry in self._entries if one in entry and other in entry]
        known.sort(key=lambda pair: len(pair[0]), reverse=True)
        return [Term(pattern, put) for said, put in known if (pattern := _pattern(said)).search(text)]


def _pattern(term: str) -> re.Pattern[str]:
    """Return what finds a term as a whole word; in a script without spaces, anywhere."""
    begin = r"\b" if term[0].isascii() and term[0].isalnum() else ""
    end = r"\b" if term[-1].isascii() and term[-1].isalnum() else ""
    return re.compile(begin + re.escape(term) + end, re.IGNORECASE)


class Translations:
    """What the translators of one hub share: how much is remembered of each, and the glossary."""

    def __init__(self, most: int = 0, glossary: Sequence[Mapping[str, str]] = ()) -> None:
        self.most = most
        self.glossary = Glossary(glossary)
        self._open: set[KeptTranslator] = set()

    def forget(self) -> None:
        """Forget every translation."""
        for translator in self._open:
            translator.forget()

    def keeping(self, spec: EngineSpec) -> EngineSpec:
        """Return a translator's spec with all this; one of another kind as it is."""
        if spec.kind != "translator":
            return spec

        def open_kept(options: Mapping[str, Any], folder: Path) -> AbstractAsyncContextManager[KeptTranslator]:
            return self._wrapped(spec, options, folder)

        return replace(spec, open=open_kept)

    @asynccontextmanager
    async def _wrapped(
        self, spec: EngineSpec, options: Mapping[str, Any], folder: Path
    ) -> AsyncIterator[KeptTranslator]:
        async with spec.open(options, folder) as engine:
            kind = WarmableKeptTranslator if isinstance(engine, Warmable) else KeptTranslator
            translator = kind(engine, self.glossary, self.most if spec.cached else 0)
            self._open.add(translator)
            try:
                yield translator
            finally:
                self._open.discard(translator)


class KeptTranslator:
    """A translator whose complete translations are remembered, the last `most`, and that keeps to the glossary."""

    def __init__(self, engine: Any, glossary: Glossary, most: int) -> None:
        self.engine: Translator = engine
        self._glossary = glossary
        self._most = most
        self._kept: OrderedDict[tuple[str, str, str], str] = OrderedDict()

    async def translate(self, text: str, *, source: str, target: str) -> AsyncIterator[str]:
        """Yield the translation. Raises `EngineError` where the engine cannot be brought to put a term as given."""
        key = (source, target, text)
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            yield kept
            return
        terms = self._glossary.terms(text, source, target)
        stream = self._with_terms(text, source, target, terms) if terms else self._plain(text, source, target)
        given = []
        async with closing(stream) as pieces:
            async for piece in pieces:
                given.append(piece)
                yield piece
        self._remember(key, "".join(given))

    def forget(self) -> None:
        """Forget every translation."""
        self._kept.clear()

    def _plain(self, text: str, source: str, target: str) -> AsyncIterator[str]:
        return self.engine.translate(text, source=source, target=target)

    def _remember(self, key: tuple[str, str, str], translation: str) -> None:
        if self._most and translation.strip() and len(key[2]) <= LONGEST:
            self._kept[key] = translation
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    async def _with_terms(self, text: str, source: str, target: str, terms: Sequence[Term]) -> AsyncIterator[str]:
        """Yield a translation in which every term stands as given.

        An engine may put it so by itself. Else the term is put into its text, which most leave alone; or else a sign
        for it, which is put back. Raises `EngineError`, or `InputError` where the engine has no words for the text.
        """
        refusal: InputError | None = None
        for way in (_as_it_is, _given, _signed):
            asked, back = way(text, terms)
            try:
                async with closing(self._plain(asked, source, target)) as pieces:
                    whole = "".join([piece async for piece in pieces])
            except InputError as error:
                refusal = refusal or error
                continue
            if (put := back(whole)) is not None:
                yield put
                return
        if refusal is not None:
            raise refusal
        raise EngineError(f"did not put {', '.join(repr(term.put) for term in terms)} as the glossary says")


class WarmableKeptTranslator(KeptTranslator):
    """The same for an engine that can make ready for a persona."""

    async def warm_up(self, grounding: Grounding, hints: Hints) -> None:
        """Have the engine make ready."""
        engine: Any = self.engine
        await engine.warm_up(grounding, hints)


Back = Callable[[str], str | None]
"""Makes a translation with the terms in it of what an engine gave; None where they are not all there."""


def _as_it_is(text: str, terms: Sequence[Term]) -> tuple[str, Back]:
    return text, lambda whole: _exactly(whole, terms)


def _given(text: str, terms: Sequence[Term]) -> tuple[str, Back]:
    marked, signs = _marked(text, terms)
    for sign, term in zip(signs, terms, strict=True):
        marked = marked.replace(sign, term.put)
    return marked, lambda whole: _exactly(whole, terms)


def _signed(text: str, terms: Sequence[Term]) -> tuple[str, Back]:
    marked, signs = _marked(text, terms)

    def back(whole: str) -> str | None:
        for sign, term in zip(signs, terms, strict=True):
            found = re.compile(re.escape(sign), re.IGNORECASE)
            if not found.search(whole):
                return None
            whole = found.sub(lambda _, put=term.put: put, whole)  # type: ignore[misc]  # mypy knows no default of a lambda
        return whole

    return marked, back


def _marked(text: str, terms: Sequence[Term]) -> tuple[str, list[str]]:
    """Return the text with a sign in the place of each term: letters and a digit, which translators take for a name."""
    signs = [f"QX{number}Z" for number in range(1, len(terms) + 1)]
    for sign, term in zip(signs, terms, strict=True):
        text = term.said.sub(sign, text)
    return text, signs


def _exactly(whole: str, terms: Sequence[Term]) -> str | None:
    for term in terms:
        found = re.compile(re.escape(term.put), re.IGNORECASE)
        if not found.search(whole):
            return None
        whole = found.sub(lambda _, put=term.put: put, whole)  # type: ignore[misc]  # mypy knows no default of a lambda
    return whole
