"""What the hub may say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mynah import AudioFormat
from mynah_websocket import kinds
from mynah_websocket.schema import dump, message, name_of, wire

CODES: Final[Mapping[str, str]] = {
    "invalid": "the message is malformed or names something that does not exist",
    "limit": "more was asked for than a limit allows: sessions, characters, bytes, seconds",
    "audio": "the audio cannot be decoded",
    "not_listening": "audio came before `listen` or after `end_listening`",
    "failed": "the hub could not do it",
    "too_many_errors": "you are told of 100 errors in 10 seconds; the others are counted only",
    "no_hello": "no valid `hello` came within 10 seconds; closes",
    "unauthorized": "the token is missing or wrong; closes",
    "forbidden": "the token does not allow this; closes",
    "taken_over": "another connection resumed the session; closes",
    "session_ended": "the hub ended the session; closes",
    "too_big": "a frame was larger than 16 MiB; closes",
}
"""Every code of an error, and what it means."""

TURN: Final = "the turn's id"
TRACK: Final = "0, or in translation the number of the language's track"
PHRASE: Final = "its number in the turn, from 1"


@message
class Welcome:
    """The session is open."""

    version: int = wire(kinds.whole(1, 1), "the version of this protocol")
    session: str = wire(kinds.NAME, "the session's id, to resume it with; keep it to yourself")
    resumed: bool = wire(kinds.FLAG, "whether it is the session you asked for, or a new one")
    persona: str = wire(kinds.NAME, "who answers")
    language: str = wire(kinds.LANGUAGE, "the language of the conversation")
    plays: AudioFormat | None = wire(
        kinds.AUDIO_FORMAT,
        "what speech is converted to where the engine makes nothing else that you play",
        default=None,
    )
    hub_time: float = wire(kinds.CLOCK, "now")


@message
class Stage:
    """A stage of a turn begins its work."""

    turn: str = wire(kinds.NAME, TURN)
    stage: str = wire(kinds.choice("listening", "transcribing", "thinking", "translating", "speaking"), "which one")


@message
class PartialTranscript:
    """What has been heard so far; the next one replaces it."""

    turn: str = wire(kinds.NAME, TURN)
    text: str = wire(kinds.LONG, "the words")


@message
class Transcript:
    """What was heard, for good."""

    turn: str = wire(kinds.NAME, TURN)
    text: str = wire(kinds.LONG, "the words; empty where nothing was said or understood")
    confidence: float | None = wire(kinds.FRACTION, "how sure the recogniser is", default=None)
    language: str | None = wire(kinds.LANGUAGE, "the language heard", default=None)
    outcome: str = wire(
        kinds.choice("answered", "unknown", "not_understood", "no_speech"), "`answered`, or why the text is empty"
    )


@message
class Translation:
    """All of what was said, in another language; the same that came as `token`s."""

    turn: str = wire(kinds.NAME, TURN)
    text: str = wire(kinds.LONG, "the words")
    language: str = wire(kinds.LANGUAGE, "their language")
    untranslated: tuple[str, ...] = wire(
        kinds.several(kinds.LONG, 1000, "texts"), "sentences that no translator had words for", default=()
    )


@message
class Token:
    """A piece of the reply's text, to be joined to those before it."""

    turn: str = wire(kinds.NAME, TURN)
    text: str = wire(kinds.LONG, "the piece, with its spaces")


@message
class Phrase:
    """A phrase of the reply is complete and goes to its voice."""

    turn: str = wire(kinds.NAME, TURN)
    phrase: int = wire(kinds.COUNT, PHRASE)
    text: str = wire(kinds.LONG, "its words")
    boundary: str = wire(kinds.choice("word", "clause", "sentence"), "what it ends at")
    track: int = wire(kinds.COUNT, TRACK)
    acknowledgement: bool | None = wire(
        kinds.FLAG, "true where it only says that the reply is long in coming, and is no part of it", default=None
    )


@message
class Tool:
    """A tool was used for the reply."""

    turn: str = wire(kinds.NAME, TURN)
    name: str = wire(kinds.NAME, "which one")
    ok: bool = wire(kinds.FLAG, "whether it worked")
    ms: float = wire(kinds.MS, "how long it took")


@message
class SpeechStarted:
    """The audio of a phrase begins; it follows in binary frames that start with this stream's number."""

    turn: str = wire(kinds.NAME, TURN)
    stream: int = wire(kinds.whole(0, 255), "the first byte of the binary frames with this phrase's audio")
    phrase: int = wire(kinds.COUNT, PHRASE)
    track: int = wire(kinds.COUNT, TRACK)
    format: AudioFormat = wire(kinds.AUDIO_FORMAT, "what the bytes are")
    text: str = wire(kinds.LONG, "the phrase's words; empty for a chime")
    at_ms: float = wire(kinds.MS, "where in the turn's audio of this track it begins")
    start_at: float | None = wire(kinds.CLOCK, "when its first sample shall sound", default=None)


@message
class SpeechEnded:
    """The audio of a phrase is complete; its stream's number is free again."""

    turn: str = wire(kinds.NAME, TURN)
    phrase: int = wire(kinds.COUNT, PHRASE)
    track: int = wire(kinds.COUNT, TRACK)
    stream: int = wire(kinds.whole(0, 255), "the stream that ends")
    ms: float = wire(kinds.MS, "how long the phrase sounds")


@message
class PhraseFailed:
    """A phrase could not be voiced, or was cut; the phrases after it go on."""

    turn: str = wire(kinds.NAME, TURN)
    phrase: int = wire(kinds.COUNT, PHRASE)
    track: int = wire(kinds.COUNT, TRACK)
    stream: int | None = wire(kinds.whole(0, 255), "the stream that ends, where one had begun", default=None)
    message: str = wire(kinds.LONG, "why")


@message
class Interrupted:
    """The reply was stopped: throw away what you hold of it. It may follow `turn_finished` while that turn sounds."""

    turn: str = wire(kinds.NAME, TURN)
    heard_ms: float = wire(kinds.MS, "how much of the turn's audio was heard")
    heard: str = wire(kinds.LONG, "the words that were heard")
    reason: str = wire(kinds.LONG, "why it was stopped")


@message
class TurnFinished:
    """The reply is complete."""

    turn: str = wire(kinds.NAME, TURN)
    outcome: str = wire(kinds.choice("answered", "unknown", "not_understood", "no_speech"), "what came of it")
    reply: str = wire(kinds.LONG, "the whole reply")
    phrases: int = wire(kinds.COUNT, "how many it had, not counting an acknowledgement")
    timeline: Mapping[str, float] = wire(
        kinds.by_name(kinds.number(), 32, "milliseconds by mark"), "when each thing happened, from the end of speech"
    )
    engine_ms: Mapping[str, float] = wire(
        kinds.by_name(kinds.number(), 32, "milliseconds by stage"), "how long the way to the first audio was in engines"
    )
    own_ms: float | None = wire(kinds.number(), "how long it was in the hub itself", default=None)
    engines: Mapping[str, str] = wire(kinds.by_name(kinds.LONG, 32, "names by stage"), "which engine answered")
    troubles: Mapping[str, tuple[str, ...]] | None = wire(
        kinds.by_name(kinds.several(kinds.LONG, 64, "texts"), 32, "lists of texts by stage"),
        "why those tried before it did not, each as `name: reason`",
        default=None,
    )
    kept: tuple[str, ...] | None = wire(
        kinds.several(kinds.NAME, 32, "stages"),
        "the stages whose first answer was kept from before, such as `tts` by the speech cache",
        default=None,
    )


@message
class TurnFailed:
    """The turn could not be completed; the session goes on. To who waits for a reply a chime was sent as speech."""

    turn: str = wire(kinds.NAME, TURN)
    message: str = wire(kinds.LONG, "why")
    stage: str | None = wire(
        kinds.choice("listening", "transcribing", "thinking", "translating", "speaking"), "where", default=None
    )


@message
class TurnDropped:
    """What seemed to be speech was none."""

    turn: str = wire(kinds.NAME, TURN)
    reason: str = wire(kinds.LONG, "what it was taken for")


@message
class Volume:
    """Set your loudspeaker."""

    percent: int = wire(kinds.whole(0, 100), "how loud, of all that it can")


@message
class Error:
    """Something was wrong with what you sent, or with the connection."""

    message: str = wire(kinds.LONG, "what was wrong, where, and what to do")
    code: str = wire(kinds.choice(*CODES), "which kind of error, for programs")
    closes: bool = wire(kinds.FLAG, "whether the hub closes the connection now")
    re: str | None = wire(kinds.LONG, "the `type` of the message at fault, or `audio`", default=None)


@message
class Pong:
    """The hub is there."""

    id: str | float | None = wire(kinds.ECHO, "as it came in `ping`", default=None)


@message
class Clock:
    """The hub's time, for playing in step."""

    client_ms: float = wire(kinds.number(places=None), "as it came")
    received_ms: float = wire(kinds.CLOCK, "when the hub received the question")
    sent_ms: float = wire(kinds.CLOCK, "when it sent this answer")


HubMessage = (
    Welcome | Stage | PartialTranscript | Transcript | Translation | Token | Phrase | Tool | SpeechStarted
    | SpeechEnded | PhraseFailed | Interrupted | TurnFinished | TurnFailed | TurnDropped | Volume | Error | Pong | Clock
)  # fmt: skip
HUB_MESSAGES: Final[tuple[type[Any], ...]] = (
    Welcome, Stage, PartialTranscript, Transcript, Translation, Token, Phrase, Tool, SpeechStarted, SpeechEnded,
    PhraseFailed, Interrupted, TurnFinished, TurnFailed, TurnDropped, Volume, Error, Pong, Clock,
)  # fmt: skip


_COMPACT: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(message: HubMessage) -> str:
    """Write a message as a text frame; half a surrogate pair, which no frame can carry, becomes a question mark."""
    text = _COMPACT.encode({"type": name_of(type(message)), **dump(message)})
    return text.encode("utf-8", "replace").decode()
