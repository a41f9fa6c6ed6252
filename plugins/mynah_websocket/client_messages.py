"""What a client may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from mynah import LISTENING, AudioFormat, InputError
from mynah.sockets import json_object, shown
from mynah_websocket import kinds
from mynah_websocket.schema import Misfit, message, name_of, parse, suggestion, wire

VERSION: Final = 1
TEXT_LIMIT: Final = 100_000
FRAME_LIMIT: Final = 128 * 1024
"""Characters of one JSON frame. Texts are bounded much lower, by the hub's configuration."""


@message
class Resume:
    """Which session to go on with, and from where."""

    session: str = wire(kinds.NAME, "the session's id, from `welcome`")
    turn: str | None = wire(kinds.NAME, "the turn that was being played", default=None)
    played_ms: float | None = wire(kinds.MS, "how much of that turn's audio has sounded", default=None)


@message
class Interpret:
    """Between which languages to interpret; see docs/interpreter.md."""

    target: str = wire(kinds.LANGUAGE, "the language into which it is put")
    source: str | None = wire(kinds.LANGUAGE, "the language that is expected; else the one that is heard", default=None)
    original: bool = wire(kinds.FLAG, "whether the original is voiced too; for `tracks` of `all`", default=False)
    parallel: bool = wire(
        kinds.FLAG, "whether it is voiced as soon as it is known, rather than when its translation is", default=False
    )
    both_ways: bool = wire(
        kinds.FLAG, "whether what is said in `target` is put into `source`: two people at one device", default=False
    )


@message
class Hello:
    """Begin. It must be the first message, within 10 seconds; the answer is `welcome`."""

    version: int = wire(kinds.whole(VERSION, VERSION), "the version of this protocol")
    token: str | None = wire(kinds.text(512), "who you are, where the hub is open to the network", default=None)
    speaker: str | None = wire(
        kinds.NAME, "the device's id in the hub's configuration; gives persona, language and context", default=None
    )
    persona: str | None = wire(kinds.NAME, "who shall answer", default=None)
    language: str | None = wire(kinds.LANGUAGE, "the language of the conversation", default=None)
    context: Mapping[str, str] | None = wire(
        kinds.by_name(kinds.text(500, blank=True), 32, "texts by name"), "facts about the place", default=None
    )
    policy: Literal["interrupt", "queue", "concurrent"] = wire(
        kinds.choice("interrupt", "queue", "concurrent"),
        "what new input does to a reply that is going out",
        default="interrupt",
    )
    plays: tuple[AudioFormat, ...] = wire(
        kinds.several(kinds.AUDIO_FORMAT, 16, "audio formats"),
        "what you can play, the best first; none: speech comes as the engine makes it",
        default=(),
    )
    records: AudioFormat = wire(kinds.AUDIO_FORMAT, "what your microphone sends", default=LISTENING)
    buffer_ms: float | None = wire(
        kinds.MS, "how much audio you can hold; without it everything is sent as fast as it is made", default=None
    )
    tracks: Literal["main", "all"] = wire(
        kinds.choice("main", "all"), "`all`: of what is interpreted, the original too, as track 0", default="main"
    )
    interpret: Interpret | None = wire(
        kinds.record(Interpret, "an object"), "put what is said into another language, answer nothing", default=None
    )
    resume: Resume | None = wire(kinds.record(Resume, "an object"), "the session to go on with", default=None)


@message
class Listen:
    """Start the microphone; binary frames of audio follow. Listening again in another mode or format starts afresh."""

    mode: Literal["push_to_talk", "open"] = wire(
        kinds.choice("push_to_talk", "open"), "whether you say where an utterance ends, or the hub hears it"
    )
    format: AudioFormat | None = wire(kinds.AUDIO_FORMAT, "where it differs from `records`", default=None)


@message
class EndListening:
    """The utterance is complete (`push_to_talk`), or the microphone is off (`open`)."""


@message
class Text:
    """Ask in writing."""

    text: str = wire(kinds.text(TEXT_LIMIT), "the question")
    language: str | None = wire(kinds.LANGUAGE, "its language, where it is not the session's", default=None)


@message
class Say:
    """Have a text spoken as it is."""

    text: str = wire(kinds.text(TEXT_LIMIT), "what is to be said")
    language: str | None = wire(kinds.LANGUAGE, "its language, where it is not the session's", default=None)
    start_at: float | None = wire(kinds.CLOCK, "when its first sample shall sound", default=None)
    urgency: Literal["reply", "announcement", "alarm"] = wire(
        kinds.choice("reply", "announcement", "alarm"),
        "an announcement makes a reply pause, and the reply goes on after it; an alarm goes before both",
        default="reply",
    )


@message
class Greet:
    """Have the persona greet: somebody came near."""


@message
class Interrupt:
    """Stop every reply at once."""

    reason: str = wire(kinds.NAME, "comes back in `interrupted`", default="interrupt")


@message
class Played:
    """Report how much of a turn's audio has sounded. Say it every 200 ms or so, and when the sound stops."""

    turn: str = wire(kinds.NAME, "the turn's id")
    ms: float = wire(kinds.MS, "of that turn's audio, counted from its beginning")


@message
class Volume:
    """Report how loud your loudspeaker is set, at the beginning and when its own buttons change it."""

    percent: int = wire(kinds.whole(0, 100), "how loud, of all that it can")


@message
class Update:
    """Change who speaks, the language or the context."""

    persona: str | None = wire(kinds.NAME, "who shall answer", default=None)
    language: str | None = wire(kinds.LANGUAGE, "the language of the conversation", default=None)
    context: Mapping[str, str] | None = wire(
        kinds.by_name(kinds.text(500, blank=True), 32, "texts by name"),
        "merged into what is known; an empty text removes a fact",
        default=None,
    )


@message
class Clock:
    """Ask for the hub's time; the answer is `clock`."""

    client_ms: float = wire(kinds.number(places=None), "your own clock as you send this, in milliseconds")


@message
class Ping:
    """Ask whether the hub is there; the answer is `pong`."""

    id: str | float | None = wire(kinds.ECHO, "comes back in `pong`", default=None)


@message
class Bye:
    """End the session and the connection. Without it the session waits 30 seconds for you to come back."""


ClientMessage = (
    Hello | Listen | EndListening | Text | Say | Greet | Interrupt | Played | Volume | Update | Clock | Ping | Bye
)
CLIENT_MESSAGES: Final[tuple[type[Any], ...]] = (
    Hello, Listen, EndListening, Text, Say, Greet, Interrupt, Played, Volume, Update, Clock, Ping, Bye,
)  # fmt: skip
BY_NAME: Final = {name_of(cls): cls for cls in CLIENT_MESSAGES}


class Unreadable(Misfit):
    """A text frame that is no valid message; `about` is the type it claimed to be of, where it named one."""

    def __init__(self, message: str, path: tuple[str, ...] = (), about: str | None = None) -> None:
        super().__init__(message, path)
        self.about = about


def decode(frame: str) -> ClientMessage:
    """Read a text frame. Raises `Unreadable`, which says what is wrong with it."""
    try:
        data = json_object(frame, FRAME_LIMIT)
    except InputError as error:
        raise Unreadable(str(error)) from None
    kind = data.pop("type", None)
    if not isinstance(kind, str):
        raise Unreadable("every message needs a `type`, such as hello or text")
    cls = BY_NAME.get(kind)
    if cls is None:
        raise Unreadable(f"unknown type {shown(kind)}{suggestion(kind, BY_NAME)}", about=kind)
    try:
        result: ClientMessage = parse(cls, data)
    except Misfit as wrong:
        raise Unreadable(wrong.message, wrong.path, kind) from None
    return result
