"""Components under supervision: started in order, started again where they fail, and stopped in reverse."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from mynah.bus import EventBus
from mynah.engines.chain import being_cancelled
from mynah.errors import MynahError, cause
from mynah.events import ComponentFailed, ComponentReady
from mynah.hub_protocol import Hub
from mynah.specs import ComponentSpec
from mynah.timeline import now

log = logging.getLogger(__name__)

RESTART_S: Final = (0.5, 2.0, 5.0, 15.0, 30.0)
"""Pauses before a component that raised is started again."""

READY_WITHIN_S: Final = 10.0
"""How long the start waits for one component before it goes on without it."""

STOP_WITHIN_S: Final = 5.0
"""How long a component may take to stop."""


@dataclass(slots=True)
class RunningComponent:
    """A component under supervision."""

    spec: ComponentSpec
    config: Mapping[str, Any]
    state: Literal["starting", "ready", "failed", "stopped"] = "starting"
    error: str = ""
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Components:
    """The components of one hub. A failure of one is logged, published and followed by a new start; siblings go on."""

    def __init__(self, hub: Hub, bus: EventBus) -> None:
        self._hub = hub
        self._bus = bus
        self._running: list[RunningComponent] = []

    def __iter__(self) -> Iterator[RunningComponent]:
        return iter(self._running)

    async def start(self, spec: ComponentSpec, config: Mapping[str, Any]) -> None:
        """Start one, and wait until it is ready or has failed, but not for long."""
        component = RunningComponent(spec, config)
        self._running.append(component)
        component.task = asyncio.get_running_loop().create_task(
            self._supervise(component), name=f"component {spec.name}"
        )
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                await component.settled.wait()
        except TimeoutError:
            log.warning("component %s is not ready after %g s; going on without it", spec.name, READY_WITHIN_S)

    async def stop(self) -> None:
        """Stop all, the last one first."""
        for component in reversed(self._running):
            component.state = "stopped"
            if component.task is not None:
                await end(component.task, f"component {component.spec.name}")

    async def _supervise(self, component: RunningComponent) -> None:
        failures = 0
        while True:
            began = now()
            message = await self._run(component)
            if message is None:
                return
            if now() - began > RESTART_S[-1]:
                failures = 0  # it ran well for a while
            pause = RESTART_S[min(failures, len(RESTART_S) - 1)]
            failures += 1
            component.state, component.error = "failed", message
            component.settled.set()
            self._bus.publish(ComponentFailed(component=component.spec.name, error=message, retry_s=pause))
            await asyncio.sleep(pause)

    async def _run(self, component: RunningComponent) -> str | None:
        """Run it once; return why it ended, or None where it was to."""
        name = component.spec.name
        try:
            await component.spec.run(self._hub, component.config, self._ready(component))
        except asyncio.CancelledError:
            if being_cancelled():
                raise
            message = "something that it waited for was cancelled"
            log.error("component %s failed: %s", name, message)  # noqa: TRY400  # the traceback is asyncio's own
            return message
        except Exception as failure:
            # The supervisor's duty: a component's failure must not reach its siblings.
            if being_cancelled():
                raise  # it failed to stop in good order, and must not be started again
            error = cause(failure)
            known = isinstance(error, MynahError)
            message = str(error) if known else f"{type(error).__name__}: {error}"
            log.error("component %s failed: %s", name, message, exc_info=None if known else error)  # noqa: TRY400  # a traceback only for a defect
            return message
        return None if being_cancelled() else "ended by itself"

    def _ready(self, component: RunningComponent) -> Callable[[], None]:
        def ready() -> None:
            component.state, component.error = "ready", ""
            component.settled.set()
            self._bus.publish(ComponentReady(component=component.spec.name))

        return ready


def in_order(components: Sequence[ComponentSpec]) -> list[ComponentSpec]:
    """Return `components` so that each comes after those it names in `after`. Raises `MynahError` for a circle."""
    left = {spec.name: spec for spec in components}
    ordered: list[ComponentSpec] = []
    while left:
        free = [spec for spec in left.values() if not any(name in left for name in spec.after)]
        if not free:
            raise MynahError(f"components wait for each other: {', '.join(left)}")
        for spec in sorted(free, key=lambda spec: spec.name):
            ordered.append(left.pop(spec.name))
    return ordered


async def end(task: asyncio.Task[None], what: str) -> None:
    """Cancel `task` and wait for it, but not for long; what goes wrong is logged."""
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=STOP_WITHIN_S)
    if not done:
        log.warning("%s did not stop within %g s", what, STOP_WITHIN_S)
    elif not task.cancelled() and task.exception() is not None:
        log.error("%s failed while stopping", what, exc_info=task.exception())
