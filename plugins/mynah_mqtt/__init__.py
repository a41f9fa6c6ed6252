"""Control over MQTT: the link to a broker, the embedded broker, and the topics of docs/mqtt.md."""

from __future__ import annotations

from collections.abc import Iterable

from mynah import ComponentSpec, RouteSpec, hookimpl
from mynah_mqtt.component import COMPONENT
from mynah_mqtt.updates import ROUTE


@hookimpl
def mynah_components() -> Iterable[ComponentSpec]:
    """Declare the link to the broker."""
    return (COMPONENT,)


@hookimpl
def mynah_routes() -> Iterable[RouteSpec]:
    """Declare where speakers fetch their firmware."""
    return (ROUTE,)
