"""What automations are made of: triggers, conditions and actions, and what those are given.

A spec is plain data, as in `mynah.specs`. Keys of a schema that hold triggers, conditions, actions or a template bear
the validators of this module; whoever runs automations turns them into what `Run` and `House` take.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

import voluptuous as vol

if TYPE_CHECKING:
    from mynah.hub_protocol import Hub
    from mynah.session_protocol import Session
    from mynah.specs import Schema

Stop = Callable[[], None]
"""Ends what was begun; calling it twice is fine."""

Fire = Callable[[Mapping[str, Any]], None]
"""Tells that a trigger's time has come; what it is given is the `trigger` of templates."""


# ---------------------------------------------------------------- what schemas are made of


class Nested:
    """A validator for a key that holds parts of an automation; each is checked by the schema of its own spec."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, value: Any) -> Any:
        """Return `value` as it is. Raises `vol.Invalid` for nothing at all."""
        if value is None:
            raise vol.Invalid(f"{self.kind} are missing")
        return value


TRIGGERS: Final = Nested("triggers")
CONDITIONS: Final = Nested("conditions")
ACTIONS: Final = Nested("actions")
TEMPLATE: Final = Nested("template")
"""A template that is not rendered before the action runs, as it is to be rendered more than once."""

_PARTS: Final = {"days": 86_400.0, "hours": 3_600.0, "minutes": 60.0, "seconds": 1.0, "milliseconds": 0.001}
_CLOCK: Final = re.compile(r"(\d{1,6}):([0-5]?\d)(?::([0-5]?\d(?:\.\d{1,6})?))?\Z")
LONGEST_S: Final = 366 * 86_400.0


def duration(value: Any) -> float:
    """Return seconds for `90`, `"00:01:30"` or `{minutes: 1, seconds: 30}`. Raises `vol.Invalid`."""
    seconds = _seconds(value)
    if seconds is None:
        raise vol.Invalid("expected a duration: seconds, 'HH:MM:SS', or a mapping such as {minutes: 5}")
    if not 0 <= seconds <= LONGEST_S:
        raise vol.Invalid("a duration is 0 to 366 days long")
    return seconds


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        found = _CLOCK.match(value.strip())
        if found:
            return int(found[1]) * 3600.0 + int(found[2]) * 60.0 + float(found[3] or 0)
        return float(value) if re.fullmatch(r"\d+(\.\d+)?", value.strip()) else None
    if isinstance(value, Mapping) and value and value.keys() <= _PARTS.keys():
        parts = {name: _seconds(part) for name, part in value.items()}
        if any(part is None for part in parts.values()):
            return None
        return sum((part or 0.0) * _PARTS[name] for name, part in parts.items())
    return None


DURATION: Final = duration


# ---------------------------------------------------------------- states


@dataclass(frozen=True, slots=True)
class State:
    """What an entity is like now. Times in seconds since the epoch; `last_changed` is of the state alone."""

    entity_id: str
    state: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    last_changed: float = 0.0
    last_updated: float = 0.0


StateChange = Callable[[State | None, State | None], None]
"""Is told the old state (None: the entity is new) and the new one (None: it is gone)."""


# ---------------------------------------------------------------- what hooks return


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerSpec:
    """A kind of trigger of automations.

    `attach(house, config, fire)` begins to wait, and returns what ends that; `fire` is called each time, with what
    templates then know as `trigger`. It must not block. `config` fits `schema`.
    """

    name: str
    attach: Callable[[House, Mapping[str, Any], Fire], Stop]
    schema: Schema = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionSpec:
    """A kind of condition: `holds(run, config)` says at once whether it is true now."""

    name: str
    holds: Callable[[Run, Mapping[str, Any]], bool]
    schema: Schema = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """A kind of action: `run(run, data)` does it; what it returns may be kept in a variable.

    `data` fits `schema`, its templates rendered. Where the schema has a key of the action's own name, that key stands
    among the others (`{delay: 5}`, `{if: …, then: …}`); else they stand below the name (`{say: {text: Hello}}`), and
    `short` names the key that a bare value is for (`{say: Hello}`).
    """

    name: str
    run: Callable[[Run, Mapping[str, Any]], Awaitable[Any]]
    schema: Schema = field(default_factory=dict)
    short: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentSpec:
    """Somebody who may answer what a person said before a language model is asked.

    `answer(hub, session, text, language)` returns what is to be spoken ("": nothing), or None where the words are not
    meant for it. What raises `MynahError` ends the turn with that error. It need not be asynchronous to decline: where
    that is known at once, a plain function returns None, or else what is to be awaited.
    """

    name: str
    answer: Callable[[Hub, Session, str, str], Awaitable[str | None] | None]
    timeout_s: float = 5.0
    description: str = ""


# ---------------------------------------------------------------- what they are given


class House(Protocol):
    """What automations stand on."""

    @property
    def hub(self) -> Hub:
        """The hub."""
        ...

    def now(self) -> datetime:
        """Return the local time, with its zone."""
        ...

    def state(self, entity_id: str) -> State | None:
        """Return the state of an entity, or None where there is no such entity."""
        ...

    def set_state(self, entity_id: str, state: str | None, attributes: Mapping[str, Any] | None = None) -> None:
        """Set the state of an entity (None: it is gone); without `attributes` they stay as they are."""
        ...

    def on_state(self, entities: Iterable[str], changed: StateChange) -> Stop:
        """Call `changed` after each change of one of `entities`; of all where there is "*" among them."""
        ...

    def on_event(self, name: str, happened: Callable[[Mapping[str, Any]], None]) -> Stop:
        """Call `happened` with the data of each event of that name: `Heard` or `heard` of the bus, or one's own."""
        ...

    def at(self, when: datetime, call: Callable[[], None]) -> Stop:
        """Call at a time of the clock; where it jumps over that, or is set back by far, as soon as that is seen."""
        ...

    def after(self, seconds: float, call: Callable[[], None]) -> Stop:
        """Call after a while, whatever the clock says."""
        ...

    def render(self, template: Any, variables: Mapping[str, Any]) -> Any:
        """Return what a template gives: a number, truth value, list or mapping where it reads like one, else text.

        Raises `MynahError` where it cannot be rendered. What is no template is returned as it is.
        """
        ...


class Run(Protocol):
    """One run of an automation or script. `variables` may be changed; templates see them."""

    variables: dict[str, Any]

    @property
    def house(self) -> House:
        """What the automation stands on."""
        ...

    async def do(self, actions: Any) -> None:
        """Do what stands at a key that is marked `ACTIONS`, in order."""
        ...

    def holds(self, conditions: Any) -> bool:
        """Return whether all of what stands at a key that is marked `CONDITIONS` hold."""
        ...

    async def wait(self, triggers: Any, timeout_s: float | None) -> Mapping[str, Any] | None:
        """Wait for the first of what stands at a key that is marked `TRIGGERS`; None where the time is up."""
        ...

    def note(self, **facts: Any) -> None:
        """Add something worth knowing to the trace of the step that runs."""
        ...


class Messages(Protocol):
    """Messages by topic, as a component that is connected to a broker offers them in `Hub.parts["mqtt"]`."""

    def publish(self, topic: str, payload: str, *, qos: int = 0, retain: bool = False) -> None:
        """Publish soon. Raises `InputError` for a topic that cannot be published to."""
        ...

    def follow(self, topic: str, receive: Callable[[str, str], None]) -> Stop:
        """Call `receive(topic, payload)` for each message on a topic, which may hold the wildcards + and #."""
        ...


AutomationPart = TriggerSpec | ConditionSpec | ActionSpec
Parts = Sequence[AutomationPart]
