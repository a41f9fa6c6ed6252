"""Facts that travel on the bus: small, frozen, and never audio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. `time` is seconds since the epoch, set when it is published."""

    time: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HubStarted(Event):
    """Every component is ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubStopping(Event):
    """The hub begins to stop: no new turns; replies being spoken may finish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Event):
    """Something that has a `name` of its own choice, as automations send it.

    `after` names the automations that led to it, the last one last, each with the time at which it ran.
    """

    name: str
    data: Mapping[str, Any] = field(default_factory=dict)
    after: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChanged(Event):
    """The configuration was read again: these of the sections that can be taken over while the hub runs differ."""

    sections: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentReady(Event):
    """A component can be used."""

    component: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentFailed(Event):
    """A component raised; it starts again after `retry_s` seconds."""

    component: str
    error: str
    retry_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineReady(Event):
    """An engine is open: its model is loaded, its worker runs."""

    engine: str
    kind: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFailed(Event):
    """An engine did not open, or failed at a piece of work."""

    engine: str
    kind: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStateChanged(Event):
    """An engine is given a rest of `seconds` for failing again and again (`state` "resting"), or works again ("ready").

    `reason` is its last failure.
    """

    engine: str
    kind: str
    state: str
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened(Event):
    """A conversation began."""

    session_id: str
    persona: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed(Event):
    """A conversation ended."""

    session_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEvent(Event):
    """Anything about one turn."""

    session_id: str
    turn_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted(TurnEvent):
    """An utterance or a text is to be answered. What was only noise starts no turn here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(TurnEvent):
    """What was said is known."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnOver(TurnEvent):
    """A turn is over, however it ended.

    `timeline` is milliseconds by mark, `engine_ms` the engines' own share by stage. `engines` names the one of each
    stage that answered; `troubles` says why those before it did not. `origin` is that of the session. `recipe` is what
    the turn was to do, such as "converse" or "say".
    """

    origin: str = ""
    recipe: str = "converse"
    timeline: Mapping[str, float] = field(default_factory=dict)
    engine_ms: Mapping[str, float] = field(default_factory=dict)
    engines: Mapping[str, str] = field(default_factory=dict)
    troubles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied(TurnOver):
    """A reply is complete."""

    text: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyInterrupted(TurnOver):
    """A reply was stopped; `heard` is what the person heard of it.

    `made` says that it was complete and was sounding: `Replied` told so before.
    """

    heard: str
    heard_ms: float
    reason: str
    made: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFailed(TurnOver):
    """A turn could not be completed."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionOverflowed(Event):
    """A lossless subscription could not take an event; it was lost."""

    subscriber: str
    dropped: int
