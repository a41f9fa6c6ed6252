"""What a model is told besides the conversation: the language, the place, and the facts that a question is about."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from mynah import Grounding, Knowledge, Message
from mynah_openai.facts import FactFinder
from mynah_openai.languages import english_name

FACTS_CHARS: Final = 1500
NAMES_CHARS: Final = 400
_KEPT: Final = 8


class Notes:
    """Writes the notes; keeps an index of the latest few knowledges."""

    def __init__(self) -> None:
        self._finders: OrderedDict[int, FactFinder] = OrderedDict()

    async def prepare(self, knowledge: Knowledge) -> None:
        """Build the index of `knowledge` where there is none, off the event loop."""
        if knowledge and id(knowledge) not in self._finders:
            self._keep(await asyncio.to_thread(FactFinder, knowledge))

    def note(self, messages: Sequence[Message], grounding: Grounding) -> str:
        """Return the note for a reply to the last of `messages`."""
        language = english_name(grounding.language)
        lines = [f"Answer in {language or f'the language of the tag {grounding.language}'}."]
        if grounding.context:
            place = "; ".join(f"{key}: {value.replace('_', ' ')}" for key, value in grounding.context.items())
            lines.append(f"Where this is spoken: {place}.")
        if grounding.knowledge:
            lines += self._facts(messages, grounding)
        return "\n".join(lines)

    def _facts(self, messages: Sequence[Message], grounding: Grounding) -> list[str]:
        question = next((each.content for each in reversed(messages) if each.role == "user"), "")
        subjects = [each.subject for each in reversed(messages) if each.subject][:1]
        finder = self._finder(grounding.knowledge)
        near = [*subjects, *grounding.context.values()]
        facts = finder.find(question if isinstance(question, str) else "", near, FACTS_CHARS)
        names = ", ".join(subject.plural for subject in grounding.knowledge.subjects.values())
        lines = [f"You know about: {names}."] if len(names) <= NAMES_CHARS else []
        if facts:
            lines.append("Facts to answer from, before anything else that you know:")
            lines += [f"- {fact}" for fact in facts]
        return lines

    def _finder(self, knowledge: Knowledge) -> FactFinder:
        if id(knowledge) not in self._finders:
            self._keep(FactFinder(knowledge))
        self._finders.move_to_end(id(knowledge))
        return self._finders[id(knowledge)]

    def _keep(self, finder: FactFinder) -> None:
        self._finders[id(finder.knowledge)] = finder  # it keeps its knowledge, so that the id stays its own
        while len(self._finders) > _KEPT:
            self._finders.popitem(last=False)
