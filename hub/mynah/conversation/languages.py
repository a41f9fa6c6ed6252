"""Which language: the nearest of several tags, a text by its language, and what a text's letters tell."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from mynah.conversation.phrasing.marks import is_unspaced
from mynah.values import Text, primary_language

FEW_WORDS: Final = 3
"""Fewer words than this may be a word of another language in mid-conversation, and tell nothing."""

_LATIN: Final = frozenset({"LATIN"})
_SCRIPTS: Final[Mapping[str, frozenset[str]]] = {
    "zh": frozenset({"CJK"}),
    "ja": frozenset({"HIRAGANA", "KATAKANA", "CJK"}),
    "ko": frozenset({"HANGUL"}),
    "el": frozenset({"GREEK"}),
    "he": frozenset({"HEBREW"}),
    "th": frozenset({"THAI"}),
    **dict.fromkeys(("ru", "uk", "be", "bg", "sr", "mk"), frozenset({"CYRILLIC"})),
    **dict.fromkeys(("ar", "fa", "ur"), frozenset({"ARABIC"})),
    **dict.fromkeys(("hi", "mr", "ne"), frozenset({"DEVANAGARI"})),
}
"""The scripts of languages that are not written in Latin letters, by the names that Unicode gives their letters."""

_LETTERS: Final = re.compile(r"[^\W\d_]+")
_WORDS: Final = re.compile("[A-Za-z\u00c0-\u024f]+")
_COMMON: Final[Mapping[str, frozenset[str]]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": """
            the a an and or of to in on at for with from by is are was be been am i you he she it we they me him
            her us my your his this that these what where when who how why which do does did don t have has had
            can will would not no yes there here if any please thanks thank hello hi bye good sorry every day
            today need hurt hurts
        """,
        "es": """
            el la los las un una y o de del al a en con por para sin es son está están era ser estar he ha tengo
            tiene hay yo tú usted él ella nosotros ellos me te se le lo mi su este esta esto eso qué dónde
            cuándo quién cómo cuánto cuál no sí muy más pero si que necesito puede puedo favor gracias hola
            adiós buenos buenas días hoy cada desde hace estoy soy duele
        """,
        "de": """
            der die das den dem des ein eine einen einer und oder von zu zum zur in im an am auf für mit aus bei
            ist sind war bin sein habe hat haben ich du sie er es wir ihr mich mir ihnen mein meine ihre dies
            was wo wann wer wie warum welche kann können nicht kein keine ja nein hier wenn bitte danke hallo
            guten gute tag heute seit bis tut weh
        """,
        "fr": """
            le la les un une des et ou de du à au aux en dans sur avec pour par sans est sont était être suis ai
            a avez ont je tu il elle nous vous ils me te se lui mon ma mes votre vos ce cette ces ça que qui
            quoi où quand comment combien pourquoi quel quelle ne pas non oui ici si plus y j l d c qu s il n
            merci bonjour salut bon bonne cela fait depuis jours moi
        """,
    }.items()
}
"""The commonest words of languages that share their letters, and those that are said alone."""


@lru_cache(maxsize=1024)
def nearest(tags: tuple[str, ...], *wanted: str) -> str | None:
    """Return the tag that is the first of those `wanted`, or else of the same language; the next wanted after that."""
    for each in wanted:
        for tag in tags:
            if tag.lower() == each.lower():
                return tag
        for tag in tags:
            if primary_language(tag) == primary_language(each):
                return tag
    return None


def in_language(text: Text, *wanted: str) -> str:
    """Return `text` in the first language of those `wanted` that it is there in, or else in the first it has."""
    if isinstance(text, str):
        return text
    tag = nearest(tuple(text), *wanted) or next(iter(text), None)
    return text[tag] if tag else ""


def by_script(text: str, languages: Sequence[str]) -> str | None:
    """Return the first of `languages` that is written in most letters of `text`; None where none is."""
    scripts = Counter(unicodedata.name(letter, "").split(" ")[0].split("-")[0] for letter in text if letter.isalpha())
    if not scripts:
        return None
    (most, _), *_ = scripts.most_common(1)
    return next((each for each in languages if most in _SCRIPTS.get(primary_language(each), _LATIN)), None)


def told_by(text: str, languages: Sequence[str]) -> str | None:
    """Return which of `languages` a text is in, by its letters and its commonest words; None where they do not tell."""
    # A name in Latin letters makes no Chinese sentence English: it counts as one word, as each character does.
    first = by_script(_WORDS.sub("a", text), languages)
    if first is None:
        return None
    script = _SCRIPTS.get(primary_language(first), _LATIN)
    alike = [each for each in languages if _SCRIPTS.get(primary_language(each), _LATIN) == script]
    if len(alike) == 1:
        return first
    words = _LETTERS.findall(text.lower())
    found = [sum(word in _COMMON.get(primary_language(each), ()) for word in words) for each in alike]
    return alike[found.index(max(found))] if found.count(max(found)) == 1 else None


def is_short(text: str) -> bool:
    """Tell whether a text has too few words to tell its language; characters that are not spaced count as words."""
    words = text.split()
    return sum(max(1, sum(map(is_unspaced, word))) for word in words) < FEW_WORDS
