"""Sentences that people say, with optional parts and slots, as Home Assistant's templates of sentences have them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mynah import Stop

log = logging.getLogger(__name__)

SLOT: Final = re.compile(r"\{([a-z0-9_]+)(?::([a-z0-9_]+))?\}")
LENGTH: Final = 500
NEEDED: Final = "sentences need hassil; install it with: pip install 'mynah[automation]'"

Lists = Mapping[str, Sequence[str] | Mapping[str, str]]
"""What may stand in a slot of that name: texts, or texts with what each of them means."""


@dataclass(frozen=True, slots=True)
class Said:
    """What was said: which sentence fits, and what stood in its slots."""

    sentence: str
    slots: Mapping[str, Any]


def wrong(sentence: str) -> str:
    """Return what is wrong with a sentence, "" where nothing is."""
    try:
        from hassil import parse_sentence
        from hassil.parser import ParseError
    except ModuleNotFoundError:
        return NEEDED
    if len(sentence) > LENGTH:
        return f"it has more than {LENGTH} characters"
    if "<" in sentence:
        return "rules in <> are not known; write it out"
    try:
        parse_sentence(sentence)
    except (ParseError, ValueError, RecursionError) as error:
        return str(error).partition(" from index")[0]
    return ""


class Grammar:
    """Some sets of sentences; each set is known by a number."""

    def __init__(self, sets: Mapping[int, Sequence[str]], lists: Lists) -> None:
        from hassil import Intents

        used = {found[1] for each in sets.values() for text in each for found in SLOT.finditer(text)}
        self._sets = sets
        self._intents = Intents.from_dict(
            {
                "language": "en",
                "intents": {str(number): {"data": [{"sentences": list(each)}]} for number, each in sets.items()},
                "lists": {name: _list(lists.get(name), name) for name in used},
            }
        )

    def match(self, text: str) -> tuple[int, Said] | None:
        """Return the set that `text` fits, and what it says; the one with the most words of its own, where several."""
        from hassil import recognize_best

        if len(text) > LENGTH:
            return None
        found = recognize_best(text, self._intents)
        if found is None:
            return None
        slots = {
            name: each.value.strip(" .,!?") if isinstance(each.value, str) else _whole(each.value)
            for name, each in found.entities.items()
        }
        return int(found.intent.name), Said(text, slots)


def _list(given: Any, name: str) -> dict[str, Any]:
    if isinstance(given, Mapping) and given:
        return {"values": [{"in": text, "out": meaning} for text, meaning in given.items()]}
    if given:
        return {"values": list(given)}
    if name in ("percent", "volume", "brightness"):
        return {"range": {"from": 0, "to": 100}}
    if name in ("number", "minutes", "seconds", "hours"):
        return {"range": {"from": 0, "to": 1000}}
    return {"wildcard": True}


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Sentences:
    """Who waits for which sentences. `lists` tells what may stand in slots now."""

    def __init__(self, lists: Callable[[], Lists]) -> None:
        self._lists = lists
        self._followers: dict[int, tuple[Sequence[str], Callable[[Mapping[str, Any]], Any]]] = {}
        self._numbers = 0
        self._grammar: Grammar | None = None
        self._known: Lists = {}

    def follow(self, sentences: Sequence[str], said: Callable[[Mapping[str, Any]], Any]) -> Stop:
        """Call `said` with `sentence`, `slots` and what `offer` was given more, whenever one of them is said."""
        self._numbers += 1
        number = self._numbers
        self._followers[number] = (sentences, said)
        self._grammar = None

        def stop() -> None:
            if self._followers.pop(number, None) is not None:
                self._grammar = None

        return stop

    @property
    def followed(self) -> bool:
        """Whether anybody waits for anything to be said."""
        return bool(self._followers)

    def offer(self, text: str, more: Mapping[str, Any]) -> bool:
        """Tell whoever waits for what was said; return whether anybody does."""
        if not self._followers:
            return False
        lists = self._lists()
        if self._grammar is None or lists != self._known:
            self._known = lists
            self._grammar = Grammar({number: each for number, (each, _) in self._followers.items()}, lists)
        found = self._grammar.match(text)
        if found is None:
            return False
        number, said = found
        self._followers[number][1]({"sentence": said.sentence, "slots": dict(said.slots), **more,
                                    "description": f"sentence {said.sentence!r}"})  # fmt: skip
        return True
