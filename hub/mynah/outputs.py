"""What a turn gives, as one ordered stream of typed outputs. Every wire is a translation of this stream.

Order within a turn: stages and transcripts, then tokens and phrases as they come, `ReplyReady` after the last of them,
the speech of each phrase between its `SpeechStarted` and `SpeechEnded` (or `PhraseFailed`), phrases in order and never
interleaved within a track, and last exactly one of `TurnFinished`, `TurnFailed`, `Interrupted` and `TurnDropped`.
`Interrupted` may follow another end: a reply is made long before it has sounded.

A turn that interprets gives the same: its reply is the translation, which comes as `ReplyToken`s, is told as a whole by
one `TranslationReady`, and is voiced as track 1; where the original is voiced too, that is track 0, and phrases of the
two tracks come in any order. An outlet that did not ask for all tracks gets the translation's alone, as track 0. Of a
long utterance the first sentences are translated and voiced while the person still speaks, before its
`TranscriptReady`; and a translation is voiced from its first words on, so that "speaking" may begin before
`TranslationReady`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mynah.audio.formats import AudioChunk, AudioFormat
from mynah.timeline import Timeline
from mynah.values import OutcomeKind

Stage = Literal["listening", "transcribing", "thinking", "translating", "speaking"]
Boundary = Literal["word", "clause", "sentence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Anything a turn gives."""

    turn_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarted(Output):
    """A stage began its work."""

    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialTranscript(Output):
    """What has been heard up to now; the next one replaces it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptReady(Output):
    """What was heard, for good. Empty where nothing was said or understood."""

    text: str
    confidence: float | None = None
    language: str | None = None
    outcome: OutcomeKind = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslationReady(Output):
    """All of what was said, in another language: once a turn, as soon as it is known.

    `untranslated` has the sentences that no translator had words for; they are missing in `text`.
    """

    text: str
    language: str
    untranslated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyToken(Output):
    """A piece of the reply's text, exactly as it is to be joined to those before it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyReady(Output):
    """The reply's text is complete; `phrases` counts its own. Its speech may still be in the making."""

    text: str
    phrases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseReady(Output):
    """A phrase is complete and goes to its voice. Phrases count from 1.

    An `acknowledgement` is said while the reply is long in coming: it takes the number 1, the reply's own phrases go
    on from 2, and it is no part of the reply. `language` is the one that it is said in.
    """

    phrase: int
    text: str
    boundary: Boundary = "sentence"
    track: int = 0
    acknowledgement: bool = False
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUsed(Output):
    """The language model used a tool, which took `ms`; `ok` says whether it worked."""

    name: str
    ok: bool
    ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechStarted(Output):
    """The audio of a phrase begins; `at_ms` is its place in the turn's audio of this track.

    `start_at`, where given, is the hub's clock in milliseconds at which the first sample should sound.
    """

    phrase: int
    format: AudioFormat
    text: str = ""
    track: int = 0
    at_ms: float = 0.0
    start_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechChunk(Output):
    """Some audio of a phrase; `at_ms` is where in the turn's audio of this track it begins."""

    phrase: int
    audio: AudioChunk
    track: int = 0
    at_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechEnded(Output):
    """The audio of a phrase is complete."""

    phrase: int
    track: int = 0
    ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseFailed(Output):
    """A phrase could not be voiced, or was cut; the phrases after it go on."""

    phrase: int
    message: str
    track: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted(Output):
    """The reply was stopped; the person heard `heard_ms` of its audio, which said `heard`. A turn's last output."""

    heard_ms: float
    heard: str
    reason: str = "interrupt"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFinished(Output):
    """The reply is complete; `phrases` counts its own, not an acknowledgement. A turn's last output."""

    outcome: OutcomeKind
    reply: str
    phrases: int
    timeline: Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFailed(Output):
    """The turn could not be completed; the session goes on. A turn's last output.

    Somebody who waits for an answer hears a chime first: speech without words, as one more phrase.
    """

    message: str
    stage: Stage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDropped(Output):
    """What seemed to be speech was none; nothing came of it. A turn's last output."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeChanged(Output):
    """The loudspeaker is to play at `percent` of its loudness. It belongs to no turn: `turn_id` is empty."""

    turn_id: str = ""
    percent: int


LAST = (TurnFinished, TurnFailed, Interrupted, TurnDropped)
"""The outputs that end a turn."""
