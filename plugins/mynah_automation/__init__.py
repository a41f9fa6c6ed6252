"""Automations in Home Assistant's style: triggers, conditions and actions in YAML."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable

from mynah import (
    ActionSpec,
    BenchmarkSpec,
    CommandSpec,
    ComponentSpec,
    ConditionSpec,
    Hub,
    IntentSpec,
    RouteSpec,
    Session,
    TriggerSpec,
    hookimpl,
)
from mynah_automation.actions import ACTIONS
from mynah_automation.benchmark import BENCHMARK
from mynah_automation.commands import COMMAND
from mynah_automation.component import COMPONENT
from mynah_automation.conditions import CONDITIONS
from mynah_automation.part import PART, Automations
from mynah_automation.routes import ROUTES
from mynah_automation.triggers import TRIGGERS


def answer(hub: Hub, session: Session, text: str, language: str) -> Awaitable[str | None] | None:
    """Take spoken commands, and answers to questions."""
    part: Automations | None = hub.parts.get(PART)
    return part.answer(session, text) if part is not None and part.listens_to(session) else None


@hookimpl
def mynah_components() -> Iterable[ComponentSpec]:
    """Declare what runs."""
    return (COMPONENT,)


@hookimpl
def mynah_triggers() -> Iterable[TriggerSpec]:
    """Declare the triggers."""
    return TRIGGERS


@hookimpl
def mynah_conditions() -> Iterable[ConditionSpec]:
    """Declare the conditions."""
    return CONDITIONS


@hookimpl
def mynah_actions() -> Iterable[ActionSpec]:
    """Declare the actions."""
    return ACTIONS


@hookimpl
def mynah_intents() -> Iterable[IntentSpec]:
    """Declare who takes spoken commands."""
    yield IntentSpec(name="automation", answer=answer, timeout_s=6.0, description="Sentences of automations.")


@hookimpl
def mynah_routes() -> Iterable[RouteSpec]:
    """Declare the routes."""
    return ROUTES


@hookimpl
def mynah_commands() -> Iterable[CommandSpec]:
    """Declare the command."""
    return (COMMAND,)


@hookimpl
def mynah_benchmarks() -> Iterable[BenchmarkSpec]:
    """Declare the measurement."""
    return (BENCHMARK,)
