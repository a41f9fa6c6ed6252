"""Who speaks: a persona's settings, its knowledge, and what a recogniser may expect to hear from its visitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mynah.conversation.knowledge_files import holds_attributes, load_knowledge
from mynah.knowledge import Knowledge
from mynah.specs import PersonaSpec
from mynah.values import Hints, Voice

__all__ = ["Persona", "load_knowledge", "personas"]


@dataclass(frozen=True)
class Persona:
    """A persona that can speak. Its knowledge is read when first asked for, which reads files: not on the loop."""

    spec: PersonaSpec

    @cached_property
    def knowledge(self) -> Knowledge:
        """All it knows. Raises `ConfigError` with every mistake in its files."""
        return load_knowledge(self.spec.knowledge)

    @cached_property
    def _hints(self) -> Hints:
        subjects = self.knowledge.subjects.values()
        names = dict.fromkeys(name for subject in subjects for name in subject.names)
        return Hints(questions=tuple(dict.fromkeys(self.knowledge.questions())), words=tuple(names))

    def hints(self) -> Hints:
        """Return the questions it can answer, as people say them, and the names of its subjects; made once."""
        return self._hints

    def greeting(self, context: Mapping[str, str]) -> str:
        """Return the greeting with the plural of the context's subject, or its first sentence where there is none."""
        text = self.spec.greeting
        if "{subject}" not in text:
            return text
        subject = self.knowledge.subjects.get(context.get(self.spec.context_key, ""))
        return text.replace("{subject}", subject.plural) if subject else _first_sentence(text)


def personas(
    specs: Sequence[PersonaSpec], overrides: Mapping[str, Mapping[str, Any]], *, folder: Path | None = None
) -> dict[str, Persona]:
    """Return every persona by name: those of plugins, with what YAML says of them put over, and those of YAML alone.

    `knowledge` in YAML, relative to `folder`, takes the place of the plugin's files; those of the plugin's files that
    hold `attributes:` stay, before them, so that a zoo brings its own animals and keeps the ways of asking. An empty
    list takes all away. `overrides` are valid by the schema of `personas:`.
    """
    merged = {spec.name: spec for spec in specs}
    for name, values in overrides.items():
        spec = merged.get(name) or PersonaSpec(name=name, title=name.replace("_", " ").capitalize())
        merged[name] = _over(spec, values or {}, folder or Path())
    return {name: Persona(spec) for name, spec in sorted(merged.items())}


def _over(spec: PersonaSpec, values: Mapping[str, Any], folder: Path) -> PersonaSpec:
    changes = dict(values)
    if "voice" in changes:
        changes["voice"] = replace(spec.voice, **changes["voice"]) if changes["voice"] else Voice()
    if "tools" in changes:
        changes["tools"] = tuple(changes["tools"])
    if "knowledge" in changes:
        own = tuple(folder / Path(file).expanduser() for file in changes["knowledge"])
        kept = tuple(file for file in spec.knowledge if holds_attributes(file)) if own else ()
        changes["knowledge"] = (*kept, *own)
    return replace(spec, **changes)


def _first_sentence(text: str) -> str:
    ends = [place for mark in ".!?" if (place := text.find(mark)) >= 0]
    return text[: min(ends) + 1] if ends else text.replace("{subject}", "").strip()
