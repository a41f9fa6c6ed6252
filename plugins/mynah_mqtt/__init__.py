"""Control over MQTT: the link to a broker, the embedded broker, and the topics of docs/mqtt.md."""

from __future__ import annotations

from collections.abc import Iterable

from mynah import ComponentSpec, hookimpl
from mynah_mqtt.component import COMPONENT


@hookimpl
def mynah_components() -> Iterable[ComponentSpec]:
    """Declare the link to the broker."""
    return (COMPONENT,)
