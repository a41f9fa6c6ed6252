"""Automations and scripts as they live: what fires them, how many runs at once, and their last traces."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from mynah import MynahError, State, Stop
from mynah_automation.elements import Actions, Conditions, Trigger, Triggers
from mynah_automation.house import CHAIN, LiveHouse
from mynah_automation.runs import LiveRun, Stopped, attach, described
from mynah_automation.traces import Trace

log = logging.getLogger(__name__)

Mode = Literal["single", "restart", "queued", "parallel"]
MODES: Final = ("single", "restart", "queued", "parallel")
STOP_S: Final = 2.0
LOOPS: Final = 10
LOOP_S: Final = 1.0
"""An automation that came of itself so often within this time is in a loop."""

CHAIN_LENGTH: Final = 40


@dataclass(frozen=True, slots=True)
class Definition:
    """An automation or script as it was read. `raw` is what was written, `where` its place in the configuration.

    `enabled` None: on at first, and then as it was. `trigger_variables` are rendered already.
    """

    kind: Literal["automation", "script"]
    id: str
    alias: str
    raw: Any
    where: tuple[str | int, ...] = ()
    description: str = ""
    mode: Mode = "single"
    max: int = 10
    max_exceeded: str = "warning"
    enabled: bool | None = None
    stored_traces: int = 5
    variables: Mapping[str, Any] = field(default_factory=dict)
    trigger_variables: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    triggers: Triggers = field(default_factory=Triggers)
    conditions: Conditions = field(default_factory=Conditions)
    actions: Actions = field(default_factory=Actions)

    @property
    def entity_id(self) -> str:
        """Its entity, such as `automation.feeding_time`."""
        return f"{self.kind}.{self.id}"


class Live:
    """A definition that lives. `begin()` has it wait for its triggers; `end()` stops all."""

    def __init__(self, definition: Definition, house: LiveHouse) -> None:
        self.definition = definition
        self.traces: deque[Trace] = deque(maxlen=max(definition.stored_traces, 1))
        self.trouble = ""
        self._house = house
        self._stops: list[Stop] = []
        self._running: dict[asyncio.Task[Any], Trace] = {}
        self._numbers = itertools.count(1)
        self._last_triggered: float | None = None
        self._complained = False

    # ------------------------------------------------------------ life

    @property
    def on(self) -> bool:
        """Whether its triggers count."""
        state = self._house.state(self.definition.entity_id)
        return self.definition.kind == "script" or (state is not None and state.state == "on")

    def begin(self) -> None:
        """Show its entity and wait for its triggers."""
        known = self._house.state(self.definition.entity_id)
        self._last_triggered = _moment(known.attributes.get("last_triggered")) if known else None
        on = self.definition.enabled
        if on is None:  # as it was
            on = known is None or known.state != "off"
        self._show("off" if self.definition.kind == "script" or not on else "on")
        if on:
            self._attach()

    def end(self) -> None:
        """Wait for nothing any more and stop every run."""
        self._detach()
        self.stop("replaced or removed")
        self._house.set_state(self.definition.entity_id, None)

    def turn(self, on: bool, *, stop: bool = True) -> None:
        """Have its triggers count, or not."""
        if on == self.on:
            return
        self._show("on" if on else "off")
        if on:
            self._attach()
        else:
            self._detach()
            if stop:
                self.stop("turned off")

    def stop(self, why: str) -> list[asyncio.Task[Any]]:
        """Stop every run; return what is being stopped."""
        tasks = list(self._running)
        for task, trace in list(self._running.items()):
            trace.end("cancelled", why)
            task.cancel()
        return tasks

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        """The runs under way."""
        return list(self._running)

    def _attach(self) -> None:
        self._detach()
        try:
            known = {**self.definition.trigger_variables, "this": self._this()}
            self._stops = attach(self.definition.triggers, self._house, self.fired, known)
            self.trouble = ""
        except MynahError as error:
            self.trouble = str(error)
            log.error("%s cannot wait for its triggers: %s", self.definition.entity_id, error)  # noqa: TRY400  # it says all

    def _detach(self) -> None:
        stops, self._stops = self._stops, []
        for stop in stops:
            stop()

    # ------------------------------------------------------------ runs

    def fired(self, trigger: Trigger, index: int, data: Mapping[str, Any]) -> asyncio.Task[Any] | None:
        """Take a trigger that fired."""
        return self.run({"trigger": described(trigger, index, data)}, trigger.variables)

    def run(
        self, variables: Mapping[str, Any], of_trigger: Mapping[str, Any] | None = None, *, conditions: bool = True
    ) -> asyncio.Task[Any] | None:
        """Begin a run where conditions and mode allow it; return it."""
        definition, now = self.definition, time.monotonic()
        given: dict[str, Any] = {"this": self._this(), **variables}
        trace = Trace(next(self._numbers), given.get("trigger") or {}, given, began=time.time(), began_at=now)
        chain = CHAIN.get()
        if len(chain) >= LOOPS and self._loops(chain, now):
            self._keep(trace, "failed", f"it triggers itself, {LOOPS} times within {LOOP_S:g} s")
            return None
        run = LiveRun(self._house, given, trace)
        try:
            for name, value in (of_trigger or {}).items():
                given.setdefault(name, self._house.render(value, given))
            for name, value in {**definition.trigger_variables, **definition.variables}.items():
                given.setdefault(name, self._house.render(value, given))
        except MynahError as error:
            self._keep(trace, "failed", str(error))
            return None
        if conditions and not run.holds(definition.conditions):
            self._keep(trace, "refused", "a condition does not hold")
            return None
        if (refusal := self._full()) is not None:
            if definition.max_exceeded != "silent":
                level = logging.getLevelNamesMapping()[definition.max_exceeded.upper()]
                log.log(level, "%s: %s", definition.entity_id, refusal)
            self._keep(trace, "refused", refusal)
            return None
        self._last_triggered = trace.began
        before = next(reversed(self._running), None) if definition.mode == "queued" else None
        if definition.mode == "restart":
            self.stop("started again")
        token = CHAIN.set((*chain[-CHAIN_LENGTH:], (definition.id, now)))
        try:
            task = asyncio.get_running_loop().create_task(self._do(run, before), name=definition.entity_id)
        finally:
            CHAIN.reset(token)
        self._running[task] = trace
        self.traces.append(trace)
        task.add_done_callback(self._ended)
        self._show()
        return task

    def _loops(self, chain: tuple[tuple[str, float], ...], now: float) -> bool:
        own = [at for name, at in chain if name == self.definition.id]
        return len(own) >= LOOPS and now - own[-LOOPS] < LOOP_S

    def _full(self) -> str | None:
        running, definition = len(self._running), self.definition
        if definition.mode == "single" and running:
            return "it still runs, and its mode is single"
        if definition.mode in ("queued", "parallel") and running >= definition.max:
            return f"{running} runs are under way already; max is {definition.max}"
        return None

    def _keep(self, trace: Trace, outcome: str, message: str) -> None:
        trace.end(outcome, message)
        self.traces.append(trace)
        if outcome == "failed":
            log.error("%s: %s", self.definition.entity_id, message)

    async def _do(self, run: LiveRun, before: asyncio.Task[Any] | None) -> Any:
        trace, name = run.trace, self.definition.entity_id
        try:
            if before is not None:
                await asyncio.wait({before})
            await run.do(self.definition.actions)
            trace.end("finished")
        except Stopped as stop:
            trace.end("failed" if stop.error else "stopped", stop.message)
            if stop.error:
                log.error("%s: %s", name, stop.message)  # noqa: TRY400  # it says all
            return stop.response
        except MynahError as error:
            trace.end("failed", str(error))
            log.error("%s: %s", name, error)  # noqa: TRY400  # it says all
        except asyncio.CancelledError:
            trace.end("cancelled", "stopped")
            raise

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("%s failed", self.definition.entity_id, exc_info=task.exception())
        if self._house.state(self.definition.entity_id) is not None:
            self._show()

    # ------------------------------------------------------------ what is shown

    def _this(self) -> State | None:
        return self._house.state(self.definition.entity_id)

    def _show(self, state: str | None = None) -> None:
        definition = self.definition
        if definition.kind == "script":
            state = "on" if self._running else "off"
        elif state is None:
            known = self._house.state(definition.entity_id)
            state = known.state if known else "on"
        attributes = {"id": definition.id, "friendly_name": definition.alias, "mode": definition.mode,
                      "current": len(self._running), "last_triggered": self._last_time()}  # fmt: skip
        self._house.set_state(definition.entity_id, state, attributes)

    def _last_time(self) -> datetime | None:
        at = self._last_triggered
        return None if at is None else datetime.fromtimestamp(at, self._house.now().tzinfo)

    def describe(self) -> dict[str, Any]:
        """Return what is known of it, as plain data."""
        definition, shown = self.definition, self._house.hub.redacted
        return {
            "id": definition.id,
            "kind": definition.kind,
            "entity_id": definition.entity_id,
            "alias": definition.alias,
            "description": definition.description,
            "mode": definition.mode,
            "on": self.on,
            "running": len(self._running),
            "last_triggered": self._last_triggered,
            "last_run": self.traces[-1].brief(shown) if self.traces else None,
            "trouble": shown(self.trouble),
            "triggers": [trigger.spec.name for trigger in definition.triggers.items],
        }


def _moment(value: Any) -> float | None:
    """Return what was kept of a time, in seconds since the epoch."""
    try:
        return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else value.timestamp()
    except (ValueError, AttributeError):
        return value if isinstance(value, float) else None
