"""The web page: talk with a persona, interpret, run the speakers, watch the hub. See docs/web.md."""

from __future__ import annotations

from collections.abc import Iterable

from mynah import BenchmarkSpec, RouteSpec, hookimpl
from mynah_web.bench import SPEC
from mynah_web.routes import ROUTES


@hookimpl
def mynah_routes() -> Iterable[RouteSpec]:
    """Declare the page and the files that it is made of."""
    return ROUTES


@hookimpl
def mynah_benchmarks() -> Iterable[BenchmarkSpec]:
    """Declare what `mynah bench` can measure of the page."""
    return (SPEC,)
