"""What a turn is told of the conversation that it belongs to, and what of it a language model is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mynah.conversation.persona import Persona
from mynah.values import AudioClip, Exchange, Grounding, Message

UNTRANSCRIBED: Final = "[spoken; the words are not known]"
"""What the history has for the words of a person who was heard by the language model itself."""


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """How long the stages of a turn may take, in seconds of the engines' own time, and how far speech runs ahead."""

    transcribe: float = 20.0
    translate: float = 20.0
    reply: float = 60.0
    speak: float = 30.0
    audio_ahead_ms: float = 20_000.0


@dataclass(frozen=True, slots=True)
class Latency:
    """What is done to be heard sooner.

    `drafts`: a reply may begin on words that are not final yet. `acknowledge_after` is how many seconds after the end
    of speech a reply that has not begun is acknowledged (None: never). `early_phrase`: the first phrase need not be a
    whole sentence. `long_phrases`: later ones are joined while plenty is to be heard. `warm_up`: engines make ready
    for personas before their first turn.
    """

    drafts: bool = True
    acknowledge_after: float | None = 1.5
    early_phrase: bool = True
    long_phrases: bool = True
    warm_up: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """Who speaks, where, in what language, after what: taken when the answer begins.

    `past` is `history` as a language model takes it.
    """

    persona: Persona
    language: str
    context: Mapping[str, str]
    history: Sequence[Exchange]
    past: Sequence[Message] = field(compare=False)

    def language_of(self, text: str, told: str | None) -> str:
        """Return the language to answer in: the one that was `told`, or the one of the text, or else the scene's."""
        before = self.history[-1].reply if self.history else ""
        return told or self.persona.language_of(text, self.language, before)

    def messages(self, said: str | AudioClip, language: str, prompt: str = "") -> list[Message]:
        """Return the conversation as a language model takes it, up to what was `said` now in a language.

        What it is told of the persona goes before `prompt`.
        """
        told = self.persona.text(self.persona.spec.prompt, language)
        prompt = f"{told}\n\n{prompt}" if told and prompt else told or prompt
        system = (Message("system", prompt),) if prompt else ()
        return [*system, *self.past, Message("user", said)]

    def grounding(self, language: str) -> Grounding:
        """Return what a reply in `language` stands on besides the messages."""
        persona, spec = self.persona, self.persona.spec
        unknown = persona.text(spec.unknown, language)
        return Grounding(spec.name, language, persona.knowledge_in(language), self.context, unknown)
