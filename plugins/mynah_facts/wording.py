"""The few sentences the answerer makes itself. All else that it says stands in the knowledge, word for word."""

from __future__ import annotations

from collections.abc import Sequence

from mynah import Subject

NOTHING_ASKED = "Sorry, I did not hear a question."
SAME = "They are about the same."


def unknown(example: str = "") -> str:
    """Say that the answer is not known, and what could be asked instead."""
    sorry = "I'm sorry, I don't know that."
    return f"{sorry} You can ask me, for example: {example[:1].upper()}{example[1:]}?" if example else sorry


def unknown_about(subject: Subject, topics: Sequence[str]) -> str:
    """Say that this is not known about `subject`, and what is."""
    sorry = f"I'm sorry, I don't know that about {subject.plural}"
    return f"{sorry}, but I can tell you about their {listed(topics, 'or')}." if topics else f"{sorry}."


def which_one(names: str) -> str:
    """Ask which subject is meant; `names` are some that could be."""
    return f"Which one do you mean? You can ask me about {names}, for example."


def comparison(winner: Subject, word: str, loser: Subject, *, asked: bool | None) -> str:
    """Say which of two has more; `asked` answers a question of yes or no first."""
    yes = "" if asked is None else "Yes. " if asked else "No. "
    return f"{yes}The {winner.name} is {word} than the {loser.name}."


def superlative(word: str, kind: str, subject: Subject) -> str:
    """Say which of all has the most."""
    return f"The {word} {kind + ' ' if kind else ''}that I know of is the {subject.name}."


def listed(words: Sequence[str], last: str) -> str:
    """Join words as a list is spoken: "food, size or age"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
