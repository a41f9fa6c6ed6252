"""The hub, as plugins see it, and what it gives them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mynah.events import Event
from mynah.firmware import Firmware
from mynah.knowledge import Knowledge
from mynah.session_protocol import Session, SessionOptions, Urgency
from mynah.specs import Access, PersonaSpec, RouteSpec, Spec

E = TypeVar("E", bound=Event)


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
class CommandReport:
    """Which speakers did a command, by their ids, and which did not: id → why."""

    done: tuple[str, ...]
    missed: Mapping[str, str]


class Control(Protocol):
    """A way to speakers beside their sessions, such as MQTT; a component puts it into `Hub.controls` while it runs."""

    def commands(self, speaker: str) -> Collection[str]:
        """Return the names of the commands that the speaker can be told at present; none where it cannot be reached."""
        ...

    def state(self, speaker: str) -> Mapping[str, Any]:
        """Return what is known of the speaker: any of `phase`, `volume`, `mute`, `latest` and `update`.

        What it was like before it went away is left out; `latest` and how its update goes are not.
        """
        ...

    async def command(self, speaker: str, command: str, fields: Mapping[str, Any]) -> None:
        """Have the speaker do a command of `commands`. Raises `InputError` where it does not, with its reason."""
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

    def redacted(self, text: str) -> str:
        """Return `text` with the values of the configuration's secrets blotted out, for whoever is to see it."""
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

    def knows_voice(self, name: str) -> bool:
        """Return whether the first voice of the chain is ready and says that it knows one of that name."""
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

        Of each: id, name, area, groups, persona and context (those of its session, else the configured ones), session
        (the id of an open one), configured, online, formats (those it plays, as it told), firmware (its
        version, as it told) and last_seen (seconds since the epoch); phase (idle, listening, thinking, speaking,
        updating; None: not known), volume (percent; None: not known), mute,
        commands (those that it can be told at present), latest (the version that its firmware can be updated to, or
        None) and update (`status` and `version` of its last update, as it told, or None).
        """
        ...

    @property
    def controls(self) -> list[Control]:
        """Ways to speakers beside their sessions."""
        ...

    async def command(self, where: str, command: str, fields: Mapping[str, Any]) -> CommandReport:
        """Have a speaker, or all of an area or group, do something, and return who did it.

        `volume` (`volume`: percent), `mute` (`mute`: bool), `stop`, `persona`, `language` and `voice` (each a name),
        `context` (texts by name, merged), `listen` (`seconds`), `reboot` and `update` (to the hub's firmware): the last
        three only by speakers that have a control. Raises `InputError` for a name that nothing has.
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
