"""The traces as the hub starts them. Nothing heavy is imported before it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from mynah import ComponentSpec, Hub, MynahError
from mynah_metrics.config import SCHEMA


async def run(hub: Hub, config: Mapping[str, Any], ready: Callable[[], None]) -> None:
    """Send traces until cancelled, where that is configured. Raises `MynahError` where it is impossible."""
    if config["traces"] is None:
        ready()
        await asyncio.Event().wait()
    try:
        module = await asyncio.to_thread(import_module, "mynah_metrics.traces")
    except ModuleNotFoundError as error:
        raise MynahError(f"traces need {error.name}; install it with: pip install 'mynah[otel]'") from None
    await module.export(hub, config, ready)


COMPONENT = ComponentSpec(
    name="metrics",
    run=run,
    schema=SCHEMA,
    description="Traces of turns by OpenTelemetry; the figures for Prometheus at /metrics need no configuration.",
)
