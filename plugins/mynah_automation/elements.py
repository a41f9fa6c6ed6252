"""What automations are made of once they are read: triggers, conditions and actions, each with its spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mynah import ActionSpec, ConditionSpec, TriggerSpec


@dataclass(frozen=True, slots=True)
class Template:
    """A template, or what has some in it, that is rendered by who needs it; `variables` are known to it besides."""

    source: Any
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trigger:
    """What an automation waits for; of what is `dynamic` the templates are rendered when the waiting begins.

    `place` is where it stands in the automation.
    """

    spec: TriggerSpec
    config: Mapping[str, Any]
    place: str
    id: str = ""
    alias: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    dynamic: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold; of what is `dynamic` the templates are rendered each time."""

    spec: ConditionSpec
    config: Mapping[str, Any]
    place: str
    dynamic: bool = False
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """What is done; of what is `dynamic` the templates are rendered each time."""

    spec: ActionSpec
    data: Mapping[str, Any]
    place: str
    dynamic: bool = False
    alias: str = ""
    continue_on_error: bool = False
    response_variable: str = ""


@dataclass(frozen=True, slots=True)
class Triggers:
    """Some triggers, as they stand at one key."""

    items: tuple[Trigger, ...] = ()


@dataclass(frozen=True, slots=True)
class Conditions:
    """Some conditions, as they stand at one key."""

    items: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Actions:
    """Some actions, as they stand at one key."""

    items: tuple[Action, ...] = ()
