"""A session, as transports and other plugins see it: how one is to be held, and what it takes and gives."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from mynah.audio.formats import AudioFormat
from mynah.outputs import Output


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretation:
    """How what is said is put into another language.

    Into `target`, a language tag, from the language that the utterance is in: the one that came with the text, or that
    the recogniser told, else `source`, else the session's. A recogniser is told to expect `source` where it is given.
    The `original` is voiced too, as track 0, the translation as track 1, each by a voice for its language: `parallel`,
    as soon as it is known, or else when its translation is. With `both_ways` one device serves two people: what is said
    in `target` is put into `source` (None: the session's language), and the recogniser is to tell which it was.
    """

    target: str
    source: str | None = None
    original: bool = True
    parallel: bool = False
    both_ways: bool = False


ListenMode = Literal["push_to_talk", "open"]


InputPolicy = Literal["interrupt", "queue", "concurrent"]


Urgency = Literal["reply", "announcement", "alarm"]
"""What goes first at a loudspeaker: an alarm before an announcement before a reply, which pauses and then goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """How a conversation is to be held.

    `policy` says what new input does to a reply that is going out. `speaker` names the device, whose persona,
    language and context are the defaults. Where it does not reply, what is said is only transcribed: an utterance may
    then last as long as it likes; `submit` and `say` are answered and spoken all the same. With `interpret` all that is
    said or submitted is interpreted, as by a persona that interprets; an input may come with an interpretation of its
    own.
    `origin` is who opens it, such as the name of a dialect: lists and statistics go by it, and where `origin_max` is
    given no more sessions of that origin may be open at once; with `origin_voices` no more phrases of all of them are
    being made at once, and those that wait are taken session by session. `idle_timeout` and `max_age` are seconds; they
    count where they are shorter than those of the configuration.
    """

    persona: str | None = None
    language: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    policy: InputPolicy = "interrupt"
    speaker: str | None = None
    replies: bool = True
    interpret: Interpretation | None = None
    origin: str = ""
    origin_max: int | None = None
    origin_voices: int | None = None
    idle_timeout: float | None = None
    max_age: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletOptions:
    """What a loudspeaker takes.

    `formats` it can play, the best first (none given: as the engine makes it); `buffer_ms` of audio it can hold, or
    None to be sent everything as fast as it is made. Of what is interpreted it gets the translation only, as any other
    reply and as track 0, or with `tracks` "all" the original too: both in the order in which they are made, and of
    each as much as the buffer holds. What it reports as played is of the translation.
    """

    formats: tuple[AudioFormat, ...] = ()
    buffer_ms: float | None = None
    tracks: Literal["main", "all"] = "main"


class Session(Protocol):
    """One conversation, as a transport sees it. Inputs return at once; outputs come from `outputs()`."""

    @property
    def id(self) -> str:
        """The session's id, unguessable."""
        ...

    @property
    def origin(self) -> str:
        """Who opened it."""
        ...

    @property
    def context(self) -> Mapping[str, str]:
        """Plain facts about where and for whom the session speaks."""
        ...

    @property
    def closed(self) -> bool:
        """Whether the session has ended, or was put away: `Hub.session` may open it again."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """Return what is known of the session, as `Hub.sessions` has it."""
        ...

    def statistics(self) -> Mapping[str, Any]:
        """Return how its turns went, as `Hub.statistics` does for all."""
        ...

    def update(
        self,
        *,
        persona: str | None = None,
        language: str | None = None,
        context: Mapping[str, str] | None = None,
        voice: str | None = None,
        pace: float | None = None,
        prompt: str | None = None,
    ) -> None:
        """Change who speaks, in what language, or the context (merged; an empty value removes a key).

        The last three are of turns that begin from now on: `pace` is how fast they are spoken, as a factor on the
        persona's own rate; `voice` names one of the first engine's, in place of the persona's (see `Hub.knows_voice`);
        `prompt` is what a language model is told after the persona's own prompt. Empty texts are the persona's again.
        """
        ...

    def listen(
        self, format: AudioFormat, mode: ListenMode = "push_to_talk", *, interpret: Interpretation | None = None
    ) -> None:
        """Begin to listen: audio follows in `format`. Listening again in another mode or format starts afresh.

        What is heard is answered, or with `interpret`, here or in the session's options, put into another language.
        """
        ...

    def feed(self, data: bytes) -> None:
        """Take audio from the microphone. Never blocks; raises `LimitError` past the session's bounds."""
        ...

    def end_listening(self) -> str | None:
        """End the utterance (push-to-talk) or close the microphone (open).

        Returns the id of the turn that was being heard, or None where there was none.
        """
        ...

    def submit(self, text: str, *, language: str | None = None, interpret: Interpretation | None = None) -> str:
        """Take a question as text, or with `interpret` words to be put into another language; return the turn's id."""
        ...

    def say(
        self,
        text: str,
        *,
        language: str | None = None,
        start_at: float | None = None,
        urgency: Urgency = "reply",
    ) -> str:
        """Speak `text` as it is; return the id of its turn.

        A reply interrupts the one before it; what is more urgent makes it pause. An alarm is not stopped by new input.
        """
        ...

    def play(self, source: str, *, urgency: Urgency = "reply") -> str:
        """Play a file of the data folder's `media`, an address of http or https, `chime:attention` or `chime:alarm`.

        Returns the id of its turn.

        The hub fetches any such address, so that only who administers it may be let ask for one. Raises `InputError`
        for what may not be played; what cannot be is told by the turn's end.
        """
        ...

    def greet(self) -> str | None:
        """Speak the persona's greeting; return the id of its turn, or None where it has none."""
        ...

    def interrupt(self, reason: str = "interrupt", *, turn: str | None = None) -> bool:
        """Stop every reply, or that of one `turn`, at once; return whether there was one."""
        ...

    @property
    def volume(self) -> int:
        """How loud the loudspeaker plays, or would if it were not mute: percent, 100 until somebody says otherwise."""
        ...

    @property
    def muted(self) -> bool:
        """Whether the loudspeaker was silenced by `set_mute`."""
        ...

    def set_mute(self, mute: bool) -> None:
        """Silence the loudspeaker, or let it be as loud as before."""
        ...

    def set_volume(self, percent: int) -> None:
        """Have the loudspeaker play at `percent` of its loudness. Raises `InputError` outside 0 to 100."""
        ...

    def note_volume(self, percent: int) -> None:
        """Note that the loudspeaker was set to `percent`, by its own buttons, which ends its silence.

        Raises `InputError` outside 0 to 100.
        """
        ...

    def played(self, turn_id: str, ms: float) -> None:
        """Note that the client has played `ms` of the turn's audio."""
        ...

    def outputs(self, options: OutletOptions, *, resume: bool = False) -> AsyncGenerator[Output, None]:
        """Attach an outlet: yield outputs, audio in a format it takes and no faster than its buffer allows.

        One outlet is attached at a time; attaching another ends the first. With `resume` it begins where the client
        last reported to be. Outputs of a turn that is over are not yielded. Close it with `contextlib.aclosing`.
        """
        ...
