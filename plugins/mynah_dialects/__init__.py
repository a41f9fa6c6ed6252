"""The wires of five older systems, whose clients work unchanged. See docs/dialects.md."""

from __future__ import annotations

from collections.abc import Iterable

from mynah import BenchmarkSpec, ComponentSpec, RouteSpec, hookimpl
from mynah_dialects.bench import SPEC
from mynah_dialects.component import COMPONENT
from mynah_dialects.routes import routes


@hookimpl
def mynah_components() -> Iterable[ComponentSpec]:
    """Declare what checks and tells which dialects are spoken to whom."""
    return (COMPONENT,)


@hookimpl
def mynah_routes() -> Iterable[RouteSpec]:
    """Declare every path of every dialect, and each once more under a prefix."""
    return routes()


@hookimpl
def mynah_benchmarks() -> Iterable[BenchmarkSpec]:
    """Declare what is measured at the sockets of these clients."""
    return (SPEC,)
