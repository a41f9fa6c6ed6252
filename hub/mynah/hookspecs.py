"""The hooks: a plugin declares what it has, as data. They take no arguments and are never awaited.

Each returns an iterable of specs. As no event loop is needed, `mynah check-config`, `mynah plugins` and the
documentation work offline.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from mynah.automation import ActionSpec, ConditionSpec, IntentSpec, TriggerSpec
from mynah.specs import BenchmarkSpec, CommandSpec, ComponentSpec, EngineSpec, PersonaSpec, RouteSpec, ToolSpec

PROJECT = "mynah"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def mynah_components() -> Iterable[ComponentSpec]:
    """Declare long-running parts such as transports.

    @hookimpl
    def mynah_components():
        yield ComponentSpec(name="doorbell", run=run, schema=SCHEMA)
    """
    return ()


@hookspec
def mynah_engines() -> Iterable[EngineSpec]:
    """Declare engines: speech-to-text, language models, text-to-speech, translators, activity detectors.

    @hookimpl
    def mynah_engines():
        yield EngineSpec(name="parrot", kind="llm", open=open_parrot)
    """
    return ()


@hookspec
def mynah_personas() -> Iterable[PersonaSpec]:
    """Declare who can speak.

    @hookimpl
    def mynah_personas():
        yield PersonaSpec(name="pirate", title="A pirate", prompt="Answer as a pirate would.")
    """
    return ()


@hookspec
def mynah_routes() -> Iterable[RouteSpec]:
    """Declare HTTP routes; the http plugin serves them.

    @hookimpl
    def mynah_routes():
        yield RouteSpec(name="hello", method="GET", path="/hello", handle=hello, access="open")
    """
    return ()


@hookspec
def mynah_commands() -> Iterable[CommandSpec]:
    """Declare commands of the `mynah` program.

    @hookimpl
    def mynah_commands():
        yield CommandSpec(name="hello", run=lambda arguments: 0, description="Say hello.")
    """
    return ()


@hookspec
def mynah_tools() -> Iterable[ToolSpec]:
    """Declare what a language model may do while it answers.

    @hookimpl
    def mynah_tools():
        yield ToolSpec(name="feeding_times", run=feeding_times, description="When the animals are fed today.")
    """
    return ()


@hookspec
def mynah_triggers() -> Iterable[TriggerSpec]:
    """Declare what automations may wait for.

    @hookimpl
    def mynah_triggers():
        yield TriggerSpec(name="doorbell", attach=attach_doorbell)
    """
    return ()


@hookspec
def mynah_conditions() -> Iterable[ConditionSpec]:
    """Declare what automations may ask before they act.

    @hookimpl
    def mynah_conditions():
        yield ConditionSpec(name="open_day", holds=lambda run, config: run.house.now().weekday() < 5)
    """
    return ()


@hookspec
def mynah_actions() -> Iterable[ActionSpec]:
    """Declare what automations may do.

    @hookimpl
    def mynah_actions():
        yield ActionSpec(name="ring", run=ring, schema={vol.Optional("times", default=1): int})
    """
    return ()


@hookspec
def mynah_intents() -> Iterable[IntentSpec]:
    """Declare who may answer what a person said before a language model is asked.

    @hookimpl
    def mynah_intents():
        yield IntentSpec(name="timers", answer=answer)
    """
    return ()


@hookspec
def mynah_benchmarks() -> Iterable[BenchmarkSpec]:
    """Declare scenarios of `mynah bench`.

    @hookimpl
    def mynah_benchmarks():
        yield BenchmarkSpec(name="doorbell", run=measure_doorbell, description="From the ring to the first sound.")
    """
    return ()
