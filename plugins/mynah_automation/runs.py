"""One run: actions in order, conditions, waits, and the trace of it all."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from mynah import ActionSpec, ConditionSpec, MynahError, Stop, TriggerSpec, checked
from mynah_automation.elements import Action, Actions, Condition, Conditions, Template, Trigger, Triggers
from mynah_automation.house import LiveHouse
from mynah_automation.traces import Step, Trace

log = logging.getLogger(__name__)

MOST_STEPS: Final = 100_000
"""Steps of one run; more is taken for a mistake."""


class Unmet(Exception):
    """A condition among actions does not hold: the sequence that it stands in ends."""


class Stopped(Exception):
    """The action `stop`: the run ends; `error` where it is to count as failed."""

    def __init__(self, message: str, *, error: bool = False, response: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.error = error
        self.response = response


class LiveRun:
    """See `mynah.Run` for what its public methods do."""

    def __init__(self, house: LiveHouse, variables: dict[str, Any], trace: Trace, scene: str = "") -> None:
        self.house = house
        self.variables = variables
        self.trace = trace
        self.scene = scene
        self._steps: list[Step] = []

    def branch(self, variables: Mapping[str, Any]) -> LiveRun:
        """Return the same run for actions that go on beside others, with variables of their own."""
        return LiveRun(self.house, {**self.variables, **variables}, self.trace, self.scene)

    def note(self, **facts: Any) -> None:
        """Add something to the trace of the step that runs."""
        if self._steps:
            step = self._steps[-1]
            step.result = {**(step.result or {}), **facts}

    async def do(self, actions: Actions) -> None:
        """Do actions in order; a condition among them that does not hold ends just these."""
        try:
            for action in actions.items:
                await self._act(action)
        except Unmet:
            return

    async def _act(self, action: Action) -> None:
        step = self.trace.begin("action", action.place, action.alias or action.spec.name)
        if self.trace.left_out > MOST_STEPS:
            raise MynahError(f"more than {MOST_STEPS:,} steps; is there a repeat in a repeat?")
        self._steps.append(step)
        try:
            data = action.data
            if action.dynamic:
                data = fitting(action.spec, rendered(data, self.house, self.variables))
            result = await action.spec.run(self, data)
            if result is not None:
                self.note(gave=result)
            if action.response_variable:
                self.variables[action.response_variable] = result
        except (Unmet, Stopped, asyncio.CancelledError):
            raise
        except MynahError as error:
            step.error = str(error)
            if not action.continue_on_error:
                raise
        except Exception as error:
            # A plugin's defect ends this run; the others go on.
            step.error = f"{type(error).__name__}: {error}"
            log.exception("the action %s failed", action.spec.name)
            if not action.continue_on_error:
                raise MynahError(f"{action.spec.name} failed: {step.error}") from error
        finally:
            step.seconds = time.monotonic() - step.at
            self._steps.pop()

    # ------------------------------------------------------------ conditions

    def holds(self, conditions: Conditions) -> bool:
        """Return whether all conditions hold."""
        return all(self.test(condition) for condition in conditions.items)

    def test(self, condition: Condition) -> bool:
        """Return whether one condition holds, and note it; one that cannot be told does not."""
        step = self.trace.begin("condition", condition.place, condition.alias or condition.spec.name)
        self._steps.append(step)
        try:
            config = condition.config
            if condition.dynamic:
                config = fitting(condition.spec, rendered(config, self.house, self.variables))
            result = bool(condition.spec.holds(self, config))
        except MynahError as error:
            step.error, result = str(error), False
        except Exception as error:
            # A plugin's defect counts as a condition that does not hold.
            log.exception("the condition %s failed", condition.spec.name)
            step.error, result = f"{type(error).__name__}: {error}", False
        finally:
            self._steps.pop()
        step.seconds = time.monotonic() - step.at
        step.result = {"holds": result, **(step.result or {})}
        return result

    # ------------------------------------------------------------ waiting

    async def wait(self, triggers: Triggers, timeout_s: float | None) -> Mapping[str, Any] | None:
        """Wait for the first of some triggers; None where the time is up."""
        found: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()

        def fired(trigger: Trigger, index: int, data: Mapping[str, Any]) -> None:
            if not found.done():
                found.set_result(described(trigger, index, data))

        stops = attach(triggers, self.house, fired, self.variables)
        try:
            async with asyncio.timeout(timeout_s):
                return await found
        except TimeoutError:
            return None
        finally:
            for stop in stops:
                stop()


def attach(triggers: Triggers, house: LiveHouse, fired: Any, variables: Mapping[str, Any]) -> list[Stop]:
    """Begin to wait for triggers: `fired(trigger, index, data)`; `variables` are known to what templates they have.

    Raises `MynahError` where one cannot be waited for.
    """
    stops: list[Stop] = []
    try:
        for index, trigger in enumerate(triggers.items):
            config = _awaited(trigger, house, dict(variables))
            stops.append(trigger.spec.attach(house, config, partial(fired, trigger, index)))
    except Exception:
        for stop in stops:
            stop()
        raise
    return stops


def _awaited(trigger: Trigger, house: LiveHouse, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a trigger waits for, for those variables."""
    config = trigger.config
    if trigger.dynamic:
        config = fitting(trigger.spec, rendered(config, house, variables))
    return {key: Template(value.source, variables) if isinstance(value, Template) else value
            for key, value in config.items()}  # fmt: skip


def fitting(spec: TriggerSpec | ConditionSpec | ActionSpec, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return rendered `data` as the spec takes it. Raises `MynahError` where it does not fit its schema."""
    value, problems = checked(spec.schema, data)
    if problems:
        raise MynahError(_words(spec.name, problems))
    return value  # type: ignore[no-any-return]  # what `checked` makes of a mapping


def described(trigger: Trigger, index: int, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what templates know as `trigger`."""
    name = trigger.spec.name
    return {"platform": name, "trigger": name, "id": trigger.id or str(index), "idx": str(index),
            "alias": trigger.alias or None, **data}  # fmt: skip


def rendered(data: Any, house: LiveHouse, variables: Mapping[str, Any]) -> Any:
    """Return `data` with its templates rendered, all but what is nested in it."""
    if isinstance(data, Mapping):
        return {key: rendered(value, house, variables) for key, value in data.items()}
    if isinstance(data, list):
        return [rendered(value, house, variables) for value in data]
    if isinstance(data, Template | Actions | Conditions | Triggers):
        return data
    return house.templates.render(data, variables)


def _words(name: str, problems: Any) -> str:
    told = (": ".join([" → ".join(map(str, each.where)), each.message]).removeprefix(": ") for each in problems)
    return f"{name}: {'; '.join(told)}"
