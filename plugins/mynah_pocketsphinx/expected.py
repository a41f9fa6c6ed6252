"""What a persona's visitors are expected to say: the sentences from which its language model is counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from mynah import Hints
from mynah_pocketsphinx.wording import plural, spoken

MOST_SENTENCES: Final = 80_000
"""More are thinned out evenly, so that a model is built in seconds."""
_ONE_IN: Final = 3
"""Of a plural's questions, one in this many is asked of the plurals that have none."""

Sentence = tuple[str, ...]


def sentences(hints: Hints) -> list[Sentence]:
    """Return every question as words, the bare names, and questions with plurals that nobody wrote down.

    People ask for "macaws" where only "a macaw" is known; those plurals are asked what another name's plural is.
    """
    questions = thinned([words for text in hints.questions if (words := tuple(spoken(text)))])
    names = unique(tuple(spoken(name)) for name in hints.words)
    model, missing = _plurals(names)
    asked = [sentence for sentence in questions if model and model in sentence][::_ONE_IN]
    clones = [swap(sentence, model, name) for name in missing for sentence in asked]
    return thinned([*questions, *names, *missing, *clones])


def names_of(hints: Hints) -> list[Sentence]:
    """Return the names of the persona's subjects with their regular plurals, as words."""
    names = unique(tuple(spoken(name)) for name in hints.words)
    return unique([*names, *_plurals(names)[1]])


def thinned(items: Sequence[Sentence], most: int = MOST_SENTENCES) -> list[Sentence]:
    """Return at most `most` of `items`, evenly spread."""
    if len(items) <= most:
        return list(items)
    return [items[index * len(items) // most] for index in range(most)]


def unique(items: Iterable[Sentence]) -> list[Sentence]:
    """Return the items that are not empty, each once, in order."""
    return [item for item in dict.fromkeys(items) if item]


def swap(sentence: Sentence, word: str, others: Sentence) -> Sentence:
    """Return `sentence` with `others` in the place of `word`."""
    at = sentence.index(word)
    return sentence[:at] + others + sentence[at + 1 :]


def _plurals(names: Sequence[Sentence]) -> tuple[str, list[Sentence]]:
    """Return a plural of one word that is known, and the regular plurals that are not."""
    known = set(names)
    regular = {name: (*name[:-1], plural(name[-1])) for name in names}
    # A name whose plural is known, or that is one itself, needs none.
    singular = [name for name in names if regular[name] not in known and not name[-1].endswith("s")]
    irregular = {names[index] for index in range(len(names) - 1) if _same_stem(names[index], names[index + 1])}
    missing = [regular[name] for name in singular if name not in irregular]
    models = [regular[name][0] for name in names if len(name) == 1 and regular[name] in known]
    return (models[0] if models else ""), missing


def _same_stem(name: Sentence, after: Sentence) -> bool:
    """Return whether `after` may be an irregular plural of `name`: wolf, wolves; mouse, mice is missed."""
    return name[:-1] == after[:-1] and name[-1][:3] == after[-1][:3] and after[-1].endswith("s")
