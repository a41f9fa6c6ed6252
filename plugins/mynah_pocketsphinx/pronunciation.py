"""How words sound, in CMU's phones: what was given, the dictionary of the wheel, a rule for endings, espeak's rules."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from mynah_pocketsphinx.letters import PHONES, Letters

_HISSES: Final = frozenset(("S", "Z", "SH", "ZH", "CH", "JH"))
_VOICELESS: Final = frozenset(("P", "T", "K", "F", "TH"))
_ENDINGS: Final = (("'s", ""), ("s'", ""), ("ies", "y"), ("es", ""), ("s", ""))

log = logging.getLogger(__name__)


def pronounce(
    words: Iterable[str], dictionary: Path, given: Mapping[str, str], letters: Letters | None
) -> dict[str, tuple[str, ...]]:
    """Return the pronunciations of each of `words` (lower case); words for which there is none are left out.

    `dictionary` is a file in CMU's format. `given` overrides it; what is not made of CMU's phones there is ignored
    with a warning. What is derived is logged for debugging, as it may be wrong.
    """
    wanted = set(words)
    known = read_dictionary(dictionary, wanted | {stem for word in wanted for stem, _ in _stems(word)})
    known.update(_checked(given))
    found: dict[str, tuple[str, ...]] = {}
    for word in sorted(wanted):
        if phones := known.get(word) or _derived(word, known, letters):
            found[word] = phones
        else:
            log.warning("no idea how %r is pronounced; it will not be understood", word)
    return found


def read_dictionary(path: Path, wanted: set[str]) -> dict[str, tuple[str, ...]]:
    """Return the entries of a dictionary in CMU's format for the words that are `wanted`."""
    entries: dict[str, tuple[str, ...]] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            head, _, phones = line.partition(" ")
            word = head.partition("(")[0] if head.endswith(")") else head
            if word in wanted:
                entries[word] = (*entries.get(word, ()), phones.strip())
    return entries


def with_s(phones: str) -> str:
    """Return the phones of a word with the ending of plurals and possessives: `K AE T` → `K AE T S`."""
    last = phones.rpartition(" ")[2]
    return phones + (" IH Z" if last in _HISSES else " S" if last in _VOICELESS else " Z")


def _stems(word: str) -> list[tuple[str, str]]:
    return [
        (word.removesuffix(ending) + instead, ending)
        for ending, instead in _ENDINGS
        if word.endswith(ending) and len(word) > len(ending) + 1
    ]


def _derived(word: str, known: Mapping[str, tuple[str, ...]], letters: Letters | None) -> tuple[str, ...]:
    for stem, _ in _stems(word):
        if stem in known:
            phones = tuple(with_s(phones) for phones in known[stem])
            log.debug("%s is said as %s, from %r", word, ", ".join(phones), stem)
            return phones
    if letters is None:
        return ()
    # espeak spells a bare possessive out; its stem is read and the ending added.
    stem, ending = (word[:-2], "'s") if word.endswith("'s") else (word, "")
    said = letters.phones(stem)
    if not said:
        return ()
    said = with_s(said) if ending else said
    log.debug("%s is said as %s, by letter-to-sound rules", word, said)
    return (said,)


def _checked(given: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    good: dict[str, tuple[str, ...]] = {}
    for word, phones in given.items():
        upper = phones.upper().split()
        if upper and PHONES.issuperset(upper):
            good[word.lower()] = (" ".join(upper),)
        else:
            log.warning(
                "the pronunciation %r of %r is not understood; write it in CMU's phones, such as T UW K AE N",
                phones,
                word,
            )
    return good
