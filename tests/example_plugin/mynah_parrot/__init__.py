"""A parrot: repeats what it is told."""

from __future__ import annotations

from collections.abc import Iterable

from mynah import (
    ActionSpec,
    CommandSpec,
    ComponentSpec,
    ConditionSpec,
    EngineSpec,
    PersonaSpec,
    RouteSpec,
    TriggerSpec,
    hookimpl,
)
from mynah_parrot.command import arguments, run
from mynah_parrot.config import COMPONENT_SCHEMA, SCHEMA
from mynah_parrot.engine import open_parrot
from mynah_parrot.house import ACTION, CONDITION, TRIGGER
from mynah_parrot.memory import remember, show


@hookimpl
def mynah_engines() -> Iterable[EngineSpec]:
    """Declare the language model."""
    yield EngineSpec(
        name="parrot", kind="llm", open=open_parrot, schema=SCHEMA, description="Repeats what it is told, word by word"
    )


@hookimpl
def mynah_personas() -> Iterable[PersonaSpec]:
    """Declare who speaks."""
    yield PersonaSpec(
        name="parrot",
        title="A parrot",
        prompt="Repeat what you are told, as a parrot would.",
        greeting="Hello! Hello!",
        not_understood="Squawk?",
        description="Repeats what it is told",
    )


@hookimpl
def mynah_components() -> Iterable[ComponentSpec]:
    """Declare the part that remembers what was said."""
    yield ComponentSpec(name="parrot", run=remember, schema=COMPONENT_SCHEMA, description="What the parrot remembers")


@hookimpl
def mynah_routes() -> Iterable[RouteSpec]:
    """Declare the route that tells what was said."""
    yield RouteSpec(
        name="parrot",
        method="GET",
        path="/api/v1/parrot",
        handle=show,
        access="viewer",
        summary="What the parrot was told last",
        answer={"type": "object", "properties": {"said": {"type": "array", "items": {"type": "string"}}}},
    )


@hookimpl
def mynah_commands() -> Iterable[CommandSpec]:
    """Declare `mynah parrot TEXT`."""
    yield CommandSpec(name="parrot", run=run, arguments=arguments, description="Repeat a text")


@hookimpl
def mynah_triggers() -> Iterable[TriggerSpec]:
    """Declare what automations may wait for."""
    yield TRIGGER


@hookimpl
def mynah_conditions() -> Iterable[ConditionSpec]:
    """Declare what they may ask."""
    yield CONDITION


@hookimpl
def mynah_actions() -> Iterable[ActionSpec]:
    """Declare what they may do."""
    yield ACTION
