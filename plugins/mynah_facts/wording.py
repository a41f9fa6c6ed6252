"""The few sentences the answerer makes itself. All else that it says stands in the knowledge, word for word."""

from __future__ import annotations

from collections.abc import Sequence

from mynah import Subject

UNKNOWN = "I'm sorry, I don't know that."
NOTHING_ASKED = "Sorry, I did not hear a question."
SAME = "They are about the same."


def unknown(sorry: str, example: str = "") -> str:
    """Say that the answer is not known, and what could be asked instead."""
    return f"{sorry} You can ask me, for example: {example[:1].upper()}{example[1:]}" if example else sorry


def unknown_about(subject: Subject, topics: Sequence[str]) -> str:
    """Say that this is not known about `subject`, and what is."""
    sorry = f"I'm sorry, I don't know that about {subject.plural}"
    return f"{sorry}, but I can tell you about their {listed(topics, 'or')}." if topics else f"{sorry}."


def what_about(subject: Subject, topics: Sequence[str]) -> str:
    """Ask what is to be told about a subject that was only named."""
    offer = f" I can tell you about their {listed(topics, 'or')}." if topics else ""
    return f"What would you like to know about {subject.plural}?{offer}"


def which_one(names: str) -> str:
    """Ask which subject is meant; `names` are some that could be."""
    return f"Which one do you mean? You can ask me about {names}, for example."


def comparison(winner: Subject, word: str, loser: Subject, *, asked: bool | None) -> str:
    """Say which of two has more, with its adjective where there is one; `asked` answers yes or no first."""
    yes = "" if asked is None else "Yes." if asked else "No."
    verdict = f"The {winner.name} is {word} than the {loser.name}." if word else ""
    return f"{yes} {verdict}".strip() or f"It is the {winner.name}."


def superlative(winners: Sequence[Subject], word: str, kind: str) -> str:
    """Say which of all have the most, with its adjective where there is one."""
    names = listed([f"the {winner.name}" for winner in winners], "and")
    are = "is" if len(winners) == 1 else "are"
    return f"The {word} {kind + ' ' if kind else ''}that I know of {are} {names}." if word else f"It is {names}."


def listed(words: Sequence[str], last: str) -> str:
    """Join words as a list is spoken: "food, size or age"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
