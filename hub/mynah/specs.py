"""What hooks return, and what plugins may know of the hub.

A spec is plain data: a name, a schema of its configuration, and a callable. The Protocols describe the hub and its
sessions to plugins; the classes behind them are the core's own.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from mynah.audio.formats import AudioFormat
from mynah.automation import ActionSpec, ConditionSpec, IntentSpec, TriggerSpec
from mynah.errors import Problem
from mynah.events import Event
from mynah.firmware import Firmware
from mynah.knowledge import Knowledge
from mynah.outputs import Output
from mynah.values import Text, Voice

EngineKind = Literal["stt", "tts", "llm", "translator", "vad"]
ENGINE_KINDS: tuple[EngineKind, ...] = ("stt", "tts", "llm", "translator", "vad")
Access = Literal["open", "viewer", "speaker", "admin"]
Schema = Mapping[Any, Any]
E = TypeVar("E", bound=Event)


# ---------------------------------------------------------------- what hooks return


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSpec:
    """An engine that can be configured under `engines: <kind>:`.

    `open(config, folder)` gives the engine as an async context manager; `folder` is where it may keep models and
    caches. Heavy imports belong in there, off the event loop. An `embedded` engine makes the chain of its kind where
    none is configured. `max_parallel` (None: any number) and `stagger_ms` protect an engine that cannot take many
    calls at once. `accepts_audio(config)` says whether a language model takes the person's words as an `AudioClip`, so
    that a turn needs no transcript. A voice that is `cached` says a text always alike, and slowly enough for its audio
    to be worth keeping.
    """

    name: str
    kind: EngineKind
    open: Callable[[Mapping[str, Any], Path], AbstractAsyncContextManager[Any]]
    schema: Schema = field(default_factory=dict)
    embedded: bool = False
    max_parallel: int | None = None
    stagger_ms: int = 0
    accepts_audio: Callable[[Mapping[str, Any]], bool] = lambda config: False
    cached: bool = True
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentSpec:
    """Something long-running, such as a transport; configured under its `name` at the top level.

    `run(hub, config, ready)` calls `ready()` when it is usable and runs until cancelled; it is started again with
    growing pauses if it raises. Components start after those named in `after` are ready, and stop before them.
    `sections` is the schema of further sections of the configuration that are its own; they are found in `Hub.config`.
    `check(values, specs, folder)` finds what schemas cannot: it is given the file's data as it was written and every
    plugin's specs, and yields problems with their `where`. A component that `reloads` follows changes of its sections
    while it runs: they are told by `ConfigChanged`.
    """

    name: str
    run: Callable[[Hub, Mapping[str, Any], Callable[[], None]], Awaitable[None]]
    schema: Schema = field(default_factory=dict)
    after: tuple[str, ...] = ()
    sections: Schema = field(default_factory=dict)
    check: Callable[[Mapping[str, Any], Sequence[Spec], Path], Iterable[Problem]] = lambda values, specs, folder: ()
    reloads: bool = False
    description: str = ""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaSpec:
    """Who speaks. A persona in YAML under `personas:` has the same keys, and may override those of one of its name.

    `knowledge` lists YAML files; `context_key` names the entry of a session's context that holds the subject of
    "it" when none was named yet (the exhibit a speaker stands at). `{subject}` in a greeting is that subject's plural.
    `acknowledgement` is said when the reply is long in coming; `tools` are those that a language model may use.
    `expects(language)` gives what else people may say to it, besides what its knowledge answers, for recognisers.

    A persona in several languages gives each of these texts by language, and knowledge files that say theirs.
    `language` is the one it speaks where nothing else is known. A `default` persona speaks where the configuration
    names nobody. One with `interpret` answers nothing, but puts what is said into another language. Of a `renewable`
    one a component may renew the knowledge while the hub runs, by `Hub.renew_knowledge`.
    """

    name: str
    title: str
    prompt: Text = ""
    language: str = "en"
    voice: Voice = field(default_factory=Voice)
    greeting: Text = ""
    unknown: Text = "I'm sorry, I don't know that."
    not_understood: Text = "Sorry, I did not understand that."
    acknowledgement: Text = "Let me think."
    tools: tuple[str, ...] = ("time_of_day", "volume", "stop")
    knowledge: tuple[Path, ...] = ()
    context_key: str = "exhibit"
    expects: Callable[[str], Iterable[str]] = lambda language: ()
    first_phrase_words: int = 4
    interpret: Interpretation | None = None
    default: bool = False
    renewable: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSpec:
    """An HTTP route, served by the http plugin.

    `handle(hub, request)` is an aiohttp handler that also gets the hub; what it returns is a response, or data to be
    sent as JSON (None: 204). `access` says who may call it where the hub is open to the network. `body` is a schema
    for a JSON body; the handler finds it checked as `request["body"]`. `request["access"]` is the caller's role and
    for whom, or None where an open route is called without a token. `InputError` is answered by 404 where the path
    has a parameter, else by 400; `LimitError` by 503; aiohttp's own exceptions by their status. `answer` describes
    the result for the OpenAPI document, as a JSON schema.
    """

    name: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    handle: Callable[[Hub, Any], Awaitable[Any]]
    access: Access = "admin"
    summary: str = ""
    body: Schema | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSpec:
    """A command of the `mynah` program: `run(arguments)` returns its exit status.

    One that `asks_hub` takes the arguments that say which hub is meant; `arguments.hub` is that `RunningHub`.
    """

    name: str
    run: Callable[[argparse.Namespace], int]
    arguments: Callable[[argparse.ArgumentParser], None] = lambda parser: None
    asks_hub: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    """Something that a language model may do while it answers.

    `run(hub, session, arguments)` gets arguments that fit `schema` and returns what the model is told: text, or data
    that is told as JSON. A `MynahError` that it raises is told to the model in its words, another error in general
    ones; so is a run of more than `timeout_s`. `description` is for the model.
    """

    name: str
    run: Callable[[Hub, Session, Mapping[str, Any]], Awaitable[Any]]
    schema: Schema = field(default_factory=dict)
    timeout_s: float = 5.0
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkSpec:
    """A scenario of `mynah bench`.

    `run(bench)` measures and returns rows; see `Bench` for what it is given. It is run in the process of `mynah bench`,
    which has nothing else to do meanwhile.
    """

    name: str
    run: Callable[[Bench], Awaitable[Sequence[Mapping[str, Any]]]]
    description: str = ""


Spec = (
    EngineSpec
    | ComponentSpec
    | PersonaSpec
    | RouteSpec
    | CommandSpec
    | ToolSpec
    | BenchmarkSpec
    | TriggerSpec
    | ConditionSpec
    | ActionSpec
    | IntentSpec
)


# ---------------------------------------------------------------- what plugins may know of the hub


class Subscription(Protocol[E]):
    """Events of one type, in order; an async iterator and a context manager that ends it."""

    @property
    def dropped(self) -> int:
        """Events lost because the subscriber was too slow."""
        ...

    def __aiter__(self) -> AsyncIterator[E]: ...
    def __enter__(self) -> Subscription[E]: ...
    def __exit__(self, *exc: object) -> None: ...


class Bus(Protocol):
    """Carries events. Publishing never blocks."""

    def publish(self, event: Event) -> None:
        """Hand `event` to everyone who subscribed to its type or a base of it."""
        ...

    def subscribe(self, kind: type[E], *, name: str, maxsize: int = 256, lossless: bool = False) -> Subscription[E]:
        """Return a bounded subscription; when full the oldest event is dropped and counted, or, lossless, reported."""
        ...


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
    given no more sessions of that origin may be open at once. `idle_timeout` and `max_age` are seconds; they count
    where they are shorter than those of the configuration.
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
    ) -> None:
        """Change who speaks, in what language, or the context (merged; an empty value removes a key).

        `pace` is how fast turns that begin from now on are spoken, as a factor on the persona's own rate.

        `voice` names one of the first engine's for the session, in place of the persona's; an empty text is the
        persona's again.
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
        """How loud the loudspeaker plays, in percent; 100 until somebody says otherwise."""
        ...

    def set_volume(self, percent: int) -> None:
        """Have the loudspeaker play at `percent` of its loudness. Raises `InputError` outside 0 to 100."""
        ...

    def note_volume(self, percent: int) -> None:
        """Note that the loudspeaker was set to `percent`, by its own buttons. Raises `InputError` outside 0 to 100."""
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


@dataclass(frozen=True, slots=True)
class AnnouncementReport:
    """Who heard an announcement to its end, by the speakers' ids, and who did not: id → why."""

    heard: tuple[str, ...]
    missed: Mapping[str, str]


class Announcement(Protocol):
    """Something that speakers were told to say. It goes on whether anybody waits for its end or not."""

    @property
    def taken(self) -> tuple[str, ...]:
        """The ids of the speakers that took it: those with an open session."""
        ...

    @property
    def report(self) -> AnnouncementReport:
        """Who has heard it so far, and who will not any more."""
        ...

    def stop(self, reason: str = "stop", *, speaker: str | None = None) -> None:
        """Stop it at once, everywhere or on one speaker: who had not heard all of it has missed it."""
        ...

    async def finished(self) -> AnnouncementReport:
        """Wait until it has sounded everywhere, by the speakers' reports or else by the clock; return who heard it.

        A speaker that does not get on is given up, so that this ends some seconds after the announcement at the latest.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What reloading the configuration came to: sections that were taken over, and those that wait for a restart."""

    taken: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not (self.taken or self.waiting):
            return "nothing differs"
        told = [f"taken over: {', '.join(self.taken)}"] if self.taken else []
        return "; ".join([*told, *([f"a restart is needed for: {', '.join(self.waiting)}"] if self.waiting else [])])


@dataclass(frozen=True, slots=True)
class SpeakerSecrets:
    """What a speaker shows to prove who it is (`token`), and what its updates are signed with (`key`, 32 bytes)."""

    token: str = field(repr=False)
    key: bytes = field(repr=False)


class RunningHub(Protocol):
    """A hub that runs somewhere, asked over its REST API. Whatever hinders that is raised as `MynahError`."""

    def get(self, *path: str) -> Any:
        """Return what is at a path below /api/v1, such as `("automations", "feeding")`."""
        ...

    def post(self, *path: str, body: Mapping[str, Any], within_s: float = 15.0) -> Any:
        """Send a body to a path; return the answer."""
        ...

    def delete(self, *path: str) -> Any:
        """Delete what is at a path."""
        ...


class Bench(Protocol):
    """What a scenario of `mynah bench` is given."""

    @property
    def runs(self) -> int:
        """How often each thing is to be measured."""
        ...

    @property
    def sessions(self) -> Sequence[int]:
        """With how many sessions at once, one row each."""
        ...

    @property
    def folder(self) -> Path:
        """A folder of its own that is deleted afterwards."""
        ...


class Hub(Protocol):
    """The hub, as a plugin sees it."""

    @property
    def bus(self) -> Bus:
        """Where events travel."""
        ...

    @property
    def config(self) -> Mapping[str, Any]:
        """The whole validated configuration."""
        ...

    @property
    def folder(self) -> Path:
        """The data folder."""
        ...

    @property
    def config_folder(self) -> Path:
        """The folder of the configuration's file, or the working directory where there is none."""
        ...

    @property
    def routes(self) -> Sequence[RouteSpec]:
        """Every plugin's routes."""
        ...

    @property
    def specs(self) -> Sequence[Spec]:
        """Everything that plugins declare."""
        ...

    @property
    def parts(self) -> dict[str, Any]:
        """What components offer to routes, tools, actions and other components while they run, by name."""
        ...

    def reload(self) -> Reloaded:
        """Read the configuration again, and have components that can take over what changed.

        Raises `ConfigError` with every mistake; nothing has changed then.
        """
        ...

    @property
    def addresses(self) -> dict[str, str]:
        """Where components can be reached, name → URL; each notes its own while it listens."""
        ...

    def health(self) -> Mapping[str, Any]:
        """Return `status` ("healthy" or what is not), `ready`, and the state of each component and engine."""
        ...

    def engines(self) -> Sequence[Mapping[str, Any]]:
        """Return what is known of each configured engine: kind, name, state."""
        ...

    def personas(self) -> Sequence[PersonaSpec]:
        """Return every persona that can speak, by name."""
        ...

    def renew_knowledge(self, persona: str, knowledge: Sequence[Knowledge]) -> None:
        """Put `knowledge` over what the persona's files say, in the place of what was put there before.

        Each says its language, or none for all. It is merged as a further file would be, and told from the next
        question on; recognisers go on to expect what the files ask for. Raises `InputError` for a persona that is not
        `renewable`: its plugin says so, and that plugin's component renews it.
        """
        ...

    def speakers(self) -> Sequence[Mapping[str, Any]]:
        """Return every known speaker, configured or noted.

        Of each: id, name, area, persona, context, session (the id of an open one), configured, online, formats (those
        it plays, as it told), firmware (its version, as it told) and last_seen (seconds since the epoch).
        """
        ...

    def note_speaker(self, id: str, facts: Mapping[str, Any]) -> None:
        """Note that a speaker is there, and of it any of `name`, `area`, `formats` (texts), `online` and `firmware`.

        It is remembered across restarts, all but the last two. Of a configured speaker the configuration's name and
        area stay. Raises `InputError` for an id or area that is no name or is taken by something else.
        """
        ...

    def note_wake(self, id: str, level: float) -> None:
        """Note how loud a speaker heard somebody begin to speak, on the scale of all that tell, such as 0 to 32767.

        Where several of one area hear the same person, the loudest answers; where not all of them tell, the hub goes by
        what it hears itself.
        """
        ...

    def add_speaker(self, id: str, facts: Mapping[str, Any], *, renew: bool = False) -> SpeakerSecrets:
        """Make a token and a key for a speaker, configured or new, of which `name` and `area` may be noted.

        They are told this once; of the token only a hash is kept. Raises `InputError` for an id or area that is no name
        or is taken, and for a speaker that has a token, which `renew` replaces.
        """
        ...

    def forget_speaker(self, id: str) -> None:
        """Forget a speaker that was noted; of a configured one, what was noted. Raises `InputError` for no speaker.

        Its token and key are void, and its sessions end.
        """
        ...

    def sessions(self) -> Sequence[Mapping[str, Any]]:
        """Return what is known of each open session.

        Of each: id, origin, persona, language, context, speaker, volume; created and last_active (seconds since the
        epoch), idle_s, attached, busy; turns (begun since it was opened or opened again), entries (exchanges of the
        conversation, also from before the hub was started), history (the last of them, user and reply);
        pending_transcriptions, pending_replies, buffered_chunks and buffered_bytes (recorded audio that is held).
        """
        ...

    def open_session(self, options: SessionOptions) -> Session:
        """Begin a conversation.

        Raises `LimitError` past the configured number of sessions, `InputError` for names that do not exist.
        """
        ...

    def session(self, session_id: str) -> Session:
        """Return a session: an open one, or one that was put away and is opened again, with its history.

        Put away is a session whose client has gone, or that was open when the hub stopped, however that came about. It
        can be opened again within its idle time and age. Raises `InputError` where there is none, `LimitError` past the
        number of open sessions.
        """
        ...

    def close_session(self, session_id: str, reason: str = "closed") -> None:
        """End a conversation for good; what is kept of it stays. Raises `InputError` where there is none."""
        ...

    async def kept_sessions(self, most: int = 100, before: float | None = None) -> Sequence[Mapping[str, Any]]:
        """Return up to `most` sessions that are kept, open or not, the one that was active last first.

        With `before` only those last active before that time. Of each: id, origin, persona, language, context, policy,
        speaker, created, last_active, ended (None: it can be gone on with), reason, entries (how many exchanges), open.
        """
        ...

    async def export_session(self, session_id: str) -> Mapping[str, Any]:
        """Return all that is kept of a session, as plain data: as in `kept_sessions`, and `exchanges` in order.

        `audio` has the names of its recordings, where they are kept.
        Raises `InputError` where nothing is kept.
        """
        ...

    def export_sessions(self) -> AsyncGenerator[Mapping[str, Any], None]:
        """Yield all that is kept, session by session, as `export_session` returns it; close it with `aclosing`."""
        ...

    def session_audio(self, session_id: str, name: str) -> Path:
        """Return where the recording of that name is, a WAV file. Raises `InputError` where there is none."""
        ...

    async def delete_session(self, session_id: str | None = None) -> int:
        """End a session, or all of them, and delete all that is kept of it; return of how many something was.

        Raises `InputError` where there is no session of that id, open or kept.
        """
        ...

    def statistics(self) -> Mapping[str, Any]:
        """Return how all turns went since the start.

        `turns` (by outcome, also transcribed, failed, interrupted and dropped), `said`, `interruptions` and `failovers`
        (by stage) are counts. `first_audio_ms`, `stages_ms` (by stage: until its first result) and `engines_ms` (a list
        by stage and engine) tell of times: count, sum, p50 and p95 of the last 200, and buckets. `sessions` counts the
        open ones by origin; `queues` tells of each queue how much waits in it, and how much it has dropped.
        """
        ...

    def announce(
        self,
        text: str,
        where: str,
        *,
        play: str | None = None,
        language: str | None = None,
        urgency: Urgency = "announcement",
        chime: bool = True,
        volume: int | None = None,
        resume: bool = True,
        voice_of: str | None = None,
        repeat_s: float = 0.0,
    ) -> Announcement:
        """Have `text` spoken by the speaker, or the speakers of the area or group, of that name ("all": every one).

        Returns at once. The text is spoken once, in the voice of the persona `voice_of` (None: the default one), after
        a `chime`, and begins on all speakers together. `volume` is set for as long as it sounds, where the present one
        is known. What it interrupts goes on afterwards, or with `resume` False not. With an empty text, `play` is
        played instead, as by `Session.play`, and again until `repeat_s` are over. Raises `InputError` for a name that
        nothing has, for text that cannot be said, and for what may not be played.
        """
        ...

    @property
    def firmware_version(self) -> str:
        """The version of the firmware that the hub has for its speakers; empty where it has none."""
        ...

    async def firmware(self, speaker: str, architecture: str) -> Firmware:
        """Return the hub's firmware, packed for a chip (such as "xtensawin") and signed with the speaker's own key.

        Raises `InputError` where the speaker has no key or there is no such firmware, `MynahError` where it cannot be
        made here.
        """
        ...

    def access(self, token: str) -> tuple[Access, str] | None:
        """Return the role that a token gives and for whom (a speaker's id, or ""), or None for a wrong token."""
        ...
