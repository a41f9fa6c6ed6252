"""Who speaks: a persona's settings, its knowledge, and what a recogniser may expect to hear from its visitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mynah.conversation.knowledge_files import holds_attributes, load_by_language, load_knowledge
from mynah.conversation.languages import by_script, in_language, is_short, nearest
from mynah.knowledge import Knowledge
from mynah.session_protocol import Interpretation
from mynah.specs import PersonaSpec
from mynah.values import Hints, Text, Voice, primary_language

__all__ = ["Persona", "load_knowledge", "personas"]


@dataclass(frozen=True)
class Persona:
    """A persona that can speak. Its knowledge is read when first asked for, which reads files: not on the loop."""

    spec: PersonaSpec
    _renewed: dict[str, Knowledge] = field(default_factory=dict, compare=False, repr=False)

    # ------------------------------------------------------------ languages

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages it is made for, its own first. Reads its knowledge."""
        spec = self.spec
        texts = (spec.greeting, spec.unknown, spec.not_understood, spec.acknowledgement, spec.prompt)
        tags = (tag for text in texts if not isinstance(text, str) for tag in text)
        more = {primary_language(tag): tag for tag in (*(tag for tag in self._known if tag), *tags)}
        return (spec.language, *(tag for language, tag in more.items() if language != primary_language(spec.language)))

    def text(self, text: Text, language: str | None = None) -> str:
        """Return one of its texts in a language (None: its own), or in its own where that is not there."""
        return text if isinstance(text, str) else in_language(text, language or self.spec.language, self.spec.language)

    def language_of(self, text: str, usual: str, before: str = "") -> str:
        """Return which of its languages a text is in, by its letters: `usual` where they do not tell.

        A word or two tell nothing while the conversation, whose last text was `before`, is in another language.
        """
        if len(self.languages) < 2:
            return usual
        if before and is_short(text):
            text = before
        languages = (usual, *(each for each in self.languages if primary_language(each) != primary_language(usual)))
        return by_script(text, languages) or usual

    # ------------------------------------------------------------ knowledge

    @cached_property
    def _known(self) -> dict[str, Knowledge]:
        return load_by_language(self.spec.knowledge)

    @property
    def knowledge(self) -> Knowledge:
        """All it knows in its own language. Raises `ConfigError` with every mistake in its files."""
        return self.knowledge_in(self.spec.language)

    def knowledge_in(self, language: str) -> Knowledge:
        """All it knows in a language, or else in its own. Raises `ConfigError` with every mistake in its files."""
        tag = self._tag(language)
        return self._renewed.get(tag, self._known[tag])

    def _tag(self, language: str) -> str:
        return nearest(tuple(self._known), language, self.spec.language) or next(iter(self._known))

    def renew(self, knowledge: Sequence[Knowledge]) -> None:
        """Put `knowledge` over that of its files, in the place of what was put there before."""
        for tag, known in self._known.items():
            for more in knowledge:
                if not more.language or not tag or primary_language(more.language) == primary_language(tag):
                    known = known.with_more(more)
            self._renewed[tag] = known

    @cached_property
    def _hints(self) -> dict[str, Hints]:
        return {}

    def hints(self, language: str | None = None) -> Hints:
        """Return what people may say, questions and answers to its own, and the names of its subjects; made once.

        They are those of its files, so that a recogniser need not learn anew whenever the knowledge is renewed.
        """
        tag = self._tag(language or self.spec.language)
        key = tag or primary_language(language or self.spec.language)
        if key not in self._hints:
            known = self._known[tag]
            names = dict.fromkeys(name for subject in known.subjects.values() for name in subject.names)
            more = self.spec.expects(language or self.spec.language)
            expected = dict.fromkeys([*known.questions(), *known.answers(), *more])
            self._hints[key] = Hints(questions=tuple(expected), words=tuple(names))
        return self._hints[key]

    def greeting(self, context: Mapping[str, str], language: str | None = None) -> str:
        """Return the greeting with the plural of the context's subject, or its first sentence where there is none."""
        text = self.text(self.spec.greeting, language)
        if "{subject}" not in text:
            return text
        known = self.knowledge_in(language or self.spec.language)
        subject = known.subjects.get(context.get(self.spec.context_key, ""))
        return text.replace("{subject}", subject.plural) if subject else _first_sentence(text)


def personas(
    specs: Sequence[PersonaSpec], overrides: Mapping[str, Mapping[str, Any]], *, folder: Path | None = None
) -> dict[str, Persona]:
    """Return every persona by name: those of plugins, with what YAML says of them put over, and those of YAML alone.

    The first is who speaks where nobody is named: a `default` one, else the first by name.

    `knowledge` in YAML, relative to `folder`, takes the place of the plugin's files; those of the plugin's files that
    hold `attributes:` stay, before them, so that a zoo brings its own animals and keeps the ways of asking. An empty
    list takes all away. `overrides` are valid by the schema of `personas:`.
    """
    merged = {spec.name: spec for spec in specs}
    for name, values in overrides.items():
        spec = merged.get(name) or PersonaSpec(name=name, title=name.replace("_", " ").capitalize())
        merged[name] = _over(spec, values or {}, folder or Path())
    first = sorted(merged, key=lambda name: (not merged[name].default, name))
    return {name: Persona(merged[name]) for name in first}


def _over(spec: PersonaSpec, values: Mapping[str, Any], folder: Path) -> PersonaSpec:
    changes = dict(values)
    if "voice" in changes:
        changes["voice"] = replace(spec.voice, **changes["voice"]) if changes["voice"] else Voice()
    if changes.get("interpret"):
        changes["interpret"] = replace(spec.interpret or Interpretation(target="en"), **changes["interpret"])
    if "tools" in changes:
        changes["tools"] = tuple(changes["tools"])
    if "knowledge" in changes:
        own = tuple(folder / Path(file).expanduser() for file in changes["knowledge"])
        kept = tuple(file for file in spec.knowledge if holds_attributes(file)) if own else ()
        changes["knowledge"] = (*kept, *own)
    return replace(spec, **changes)


def _first_sentence(text: str) -> str:
    ends = [place for mark in ".!?。！？" if (place := text.find(mark)) >= 0]
    return text[: min(ends) + 1] if ends else text.replace("{subject}", "").strip()
