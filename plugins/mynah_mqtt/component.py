"""The link as the hub starts it. Nothing heavy is imported before it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from mynah import ComponentSpec, Hub
from mynah_mqtt.config import SCHEMA


async def run(hub: Hub, config: Mapping[str, Any], ready: Callable[[], None]) -> None:
    """Keep the hub's topics at the broker until cancelled. Raises `MynahError` where that is impossible."""
    if config["broker"] is None:
        ready()
        await asyncio.Event().wait()
    # The libraries take 0.2 s to import, which other components need not wait for.
    module = await asyncio.to_thread(import_module, "mynah_mqtt.serve")
    await module.serve(hub, config, ready)


COMPONENT = ComponentSpec(
    name="mqtt",
    run=run,
    schema=SCHEMA,
    after=("http",),
    description="Control over MQTT: a broker, embedded or another one, and the topics of hub and speakers.",
)
