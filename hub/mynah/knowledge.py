"""What a persona knows: subjects, facts about them, and the ways people ask for each kind of fact.

Plain data, loaded from YAML by `mynah.conversation.persona` and handed to engines: an answerer looks facts up, a
recogniser builds its language model from the questions, a language model may quote them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Question:
    """A question put to the listener: what is asked, the `answers` that are right, and a `hint` for a wrong one."""

    say: str
    answers: tuple[str, ...]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that can be said: `say` is spoken as it stands; `value` in `unit` is for comparisons.

    `ask` is asked of the listener right after it. With a `tool`, `say` has slots such as `{time}` for what that tool
    tells.
    """

    say: str
    value: float | None = None
    unit: str = ""
    source: str = ""
    ask: Question | None = None
    tool: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that facts are about: an animal, a picture, the house itself.

    `name` and `plural` are as people say them; `also` lists other singular names. `facts` maps the id of an attribute
    to one or more facts.
    """

    id: str
    name: str
    plural: str
    also: tuple[str, ...] = ()
    kind: str = ""
    facts: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, singular and plural, the usual ones first."""
        return (self.name, self.plural, *self.also)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One kind of fact and how people ask for it.

    `questions` are the usual ways, `also` rarer ones that a recogniser need not expect; both may hold `{name}`,
    `{a_name}` ("a lion") and `{plural}`. A comparable attribute lists the comparatives for more and for less of it
    ("heavier", "lighter") and the superlatives ("heaviest", "lightest").
    """

    id: str
    title: str
    questions: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    most: tuple[str, ...] = ()
    least: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All a persona knows in one language ("": in any). Subjects and attributes by id, in the order of their files."""

    subjects: Mapping[str, Subject] = field(default_factory=dict)
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    language: str = ""

    def with_more(self, more: Knowledge) -> Knowledge:
        """Return this with `more` put over it, as a later file: facts of a subject are added, or replaced."""
        subjects = dict(self.subjects)
        for id, subject in more.subjects.items():
            facts = {**(subjects[id].facts if id in subjects else {}), **subject.facts}
            subjects[id] = replace(subject, facts=facts)
        return replace(self, subjects=subjects, attributes={**self.attributes, **more.attributes})

    def questions(self) -> Iterator[str]:
        """Every question that can be answered, as people would say it: each template with each subject's names."""
        for subject in self.subjects.values():
            for attribute_id in subject.facts:
                attribute = self.attributes.get(attribute_id)
                for template in attribute.questions if attribute else ():
                    yield from fill(template, subject)

    def answers(self) -> Iterator[str]:
        """Every answer to a question that the facts put to the listener."""
        for subject in self.subjects.values():
            for fact in (fact for facts in subject.facts.values() for fact in facts):
                yield from fact.ask.answers if fact.ask else ()

    def __bool__(self) -> bool:
        return bool(self.subjects)


def fill(template: str, subject: Subject) -> Iterator[str]:
    """Yield `template` with the names of `subject` put in: once if it names none, else once per name that fits."""
    template = template.replace("{plural}", subject.plural)
    if "{name}" in template or "{a_name}" in template:
        for name in (subject.name, *subject.also):
            yield template.replace("{name}", name).replace("{a_name}", with_article(name))
    else:
        yield template


def with_article(noun: str) -> str:
    """Return `noun` with its indefinite article: "a lion", "an owl"."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
