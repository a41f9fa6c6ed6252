"""The plain data that engines take and give. Frozen, picklable, free of hub, session and socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from mynah.audio.formats import AudioFormat
from mynah.knowledge import Knowledge

Text = str | Mapping[str, str]
"""What a persona says: one text for all languages, or a text for each: tag → text."""
Role = Literal["system", "user", "assistant", "tool"]
OutcomeKind = Literal["answered", "unknown", "not_understood", "no_speech"]
"""How a turn ended for the person: answered; asked something that is not known; heard but not understood; nothing
was said."""
ExchangeOutcome = Literal[OutcomeKind, "transcribed", "failed", "interrupted"]
"""How an exchange ended: as its turn did; only heard, as was wanted; broken off by a failure; or stopped before all of
the reply was heard."""


@lru_cache(maxsize=256)
def primary_language(tag: str) -> str:
    """Return the language of a BCP 47 tag without script, country and the like: "zh" of "zh-Hant-TW"."""
    return tag.replace("_", "-").partition("-")[0].lower()


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was heard so far. A recogniser yields partial ones and exactly one with `final=True`, its last.

    A final transcript without text means that nothing was said, or, with `understood=False`, that something was said
    which the recogniser will not guess at. `confidence` is 0 to 1; `language` a BCP 47 tag.

    What is heard may be acted on while the person still speaks. So a recogniser that knows says how many characters of
    `text`, from its beginning, are `settled` and will not change any more; one that writes no marks says at which
    places of `text` (counted in characters) the person made one of the `pauses` that part sentences.
    """

    text: str
    final: bool = False
    confidence: float | None = None
    language: str | None = None
    understood: bool = True
    settled: int = 0
    pauses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Hints:
    """What a recogniser may expect to hear: whole questions of the persona, and words worth knowing."""

    questions: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    pronunciations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a reply, exactly as it is to be joined to the pieces before it."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A language model's wish to call a tool."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """What a language model is told of a tool. `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReplyNote:
    """A language model's remark about its own reply; an honest "I don't know" is `outcome="unknown"`.

    `subject` is what the reply was about, for follow-ups such as "and how fast is it?".
    """

    outcome: OutcomeKind = "answered"
    subject: str = ""


@dataclass(frozen=True, slots=True)
class AudioClip:
    """A whole utterance as audio, for language models that take it."""

    data: bytes
    format: AudioFormat


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. `subject` repeats the `ReplyNote` of an assistant's message.

    `calls` are the tools that an assistant's message asked for; each is answered by a message of the role "tool" with
    the call's id as `call_id` and the result as its content.
    """

    role: Role
    content: str | AudioClip
    subject: str = ""
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was said by both sides in one turn; the reply as far as it was heard. `at` is seconds since the epoch."""

    turn_id: str
    user: str
    reply: str
    subject: str = ""
    outcome: ExchangeOutcome = "answered"
    language: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Grounding:
    """What a reply stands on besides the messages: the persona's knowledge, and where and for whom it is spoken.

    `context` holds plain facts such as `{"exhibit": "red_panda"}`; `unknown` is what the persona says when it does not
    know, for engines that do not find words of their own.
    """

    persona: str = ""
    language: str = "en"
    knowledge: Knowledge = field(default_factory=Knowledge)
    context: Mapping[str, str] = field(default_factory=dict)
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Voice:
    """How speech should sound. `name` is the engine's own; rate, pitch and volume are factors, 1.0 as it comes."""

    name: str = ""
    gender: Literal["", "female", "male"] = ""
    rate: float = 1.0
    pitch: float = 1.0
    volume: float = 1.0


@dataclass(frozen=True, slots=True)
class WordMark:
    """The word whose text ends at `char_end` of the phrase has been said by `end_ms` of the phrase's audio."""

    char_end: int
    end_ms: float
