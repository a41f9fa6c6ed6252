"""What steers other actions: if, choose, parallel, sequence, variables, conditions, stop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import ACTIONS, CONDITIONS, ActionSpec, MynahError, Nested, Run
from mynah_automation.elements import Actions
from mynah_automation.runs import LiveRun, Stopped, Unmet

BRANCHES: Final = 20


class Value(Nested):
    """A template or anything else, null too."""

    def __call__(self, value: Any) -> Any:
        """Return `value` as it is."""
        return value


VALUES: Final = {vol.Extra: Value("template")}


async def if_then(run: Run, data: Mapping[str, Any]) -> None:
    """Do one thing or the other."""
    holds = run.holds(data["if"])
    run.note(holds=holds)
    if holds:
        await run.do(data["then"])
    elif "else" in data:
        await run.do(data["else"])


async def choose(run: Run, data: Mapping[str, Any]) -> None:
    """Do the first whose conditions hold, or else the default."""
    for index, choice in enumerate(data["choose"]):
        if run.holds(choice["conditions"]):
            run.note(choice=choice.get("alias", index))
            await run.do(choice["sequence"])
            return
    run.note(choice="default")
    if "default" in data:
        await run.do(data["default"])


async def parallel(run: LiveRun, data: Mapping[str, Any]) -> None:
    """Do all of them at once, and go on when the last one is done; one that fails does not stop the others.

    Each begins with the variables as they are; what it sets, all but `wait` and `repeat`, is known afterwards.
    """
    branches = [Actions((each,)) for each in data["parallel"].items]
    if len(branches) > BRANCHES:
        raise MynahError(f"parallel takes up to {BRANCHES} actions")
    before, own = dict(run.variables), ("wait", "repeat")

    async def do(branch: LiveRun, actions: Actions) -> None:
        try:
            await branch.do(actions)
        finally:
            known = branch.variables.items()
            run.variables |= {name: value for name, value in known if name not in own and value is not before.get(name)}

    for result in await asyncio.gather(*(do(run.branch({}), each) for each in branches), return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


async def sequence(run: Run, data: Mapping[str, Any]) -> None:
    """Do them in order."""
    await run.do(data["sequence"])


async def variables(run: Run, data: Mapping[str, Any]) -> None:
    """Set variables, each of which may be made of those before it."""
    for name, value in data["variables"].items():
        run.variables[name] = run.house.render(value, run.variables)


async def condition(run: Run, data: Mapping[str, Any]) -> None:
    """End the sequence where the condition does not hold."""
    if not run.holds(data["condition"]):
        raise Unmet


async def stop(run: Run, data: Mapping[str, Any]) -> None:
    """End the run."""
    response = run.variables.get(data.get("response_variable", ""))
    raise Stopped(data["stop"] or "stopped", error=data["error"], response=response)


SPECS: Final = (
    ActionSpec(
        name="if",
        run=if_then,
        schema={
            vol.Required("if", description="Conditions."): CONDITIONS,
            vol.Required("then", description="What is done where all of them hold."): ACTIONS,
            vol.Optional("else", description="What is done where not."): ACTIONS,
        },
        description="Do one thing or another.",
    ),
    ActionSpec(
        name="choose",
        run=choose,
        schema={
            vol.Required("choose", description="What there is to choose from; the first that fits is done."): [
                {
                    vol.Required("conditions", description="When it fits."): CONDITIONS,
                    vol.Required("sequence", description="What is done then."): ACTIONS,
                    vol.Optional("alias", description="A name for the trace."): str,
                }
            ],
            vol.Optional("default", description="What is done where nothing fits."): ACTIONS,
        },
        description="Do the first that fits.",
    ),
    ActionSpec(
        name="parallel",
        run=parallel,  # type: ignore[arg-type]  # needs what only this plugin's runs have
        schema={vol.Required("parallel", description="Actions, each beside the others."): ACTIONS},
        description="Do several things at once.",
    ),
    ActionSpec(
        name="sequence",
        run=sequence,
        schema={vol.Required("sequence", description="Actions."): ACTIONS},
        description="Do several things in order.",
    ),
    ActionSpec(
        name="variables",
        run=variables,
        schema={vol.Required("variables", description="Values by name; templates are rendered."): VALUES},
        description="Set variables.",
    ),
    ActionSpec(
        name="condition",
        run=condition,
        schema={vol.Required("condition", description="A condition."): CONDITIONS},
        description="Go on only where a condition holds.",
    ),
    ActionSpec(
        name="stop",
        run=stop,
        schema={
            vol.Required("stop", description="Why."): vol.Any(None, str),
            vol.Optional("error", default=False, description="Whether the run has failed then."): bool,
            vol.Optional("response_variable", description="The variable that a script gives."): str,
        },
        description="End the run.",
    ),
)
