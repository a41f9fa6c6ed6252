"""Figures for Prometheus at `/metrics`, and traces of turns by OpenTelemetry."""

from __future__ import annotations

from collections.abc import Iterable

from mynah import ComponentSpec, RouteSpec, hookimpl
from mynah_metrics.component import COMPONENT
from mynah_metrics.route import ROUTE


@hookimpl
def mynah_components() -> Iterable[ComponentSpec]:
    """Declare what exports traces."""
    return (COMPONENT,)


@hookimpl
def mynah_routes() -> Iterable[RouteSpec]:
    """Declare `/metrics`."""
    return (ROUTE,)
