"""The http plugin: the hub's web server, its REST API and who may call it."""

from __future__ import annotations

from collections.abc import Iterable

from mynah import ComponentSpec, RouteSpec, hookimpl
from mynah_http.component import COMPONENT
from mynah_http.routes import ROUTES


@hookimpl
def mynah_components() -> Iterable[ComponentSpec]:
    """Declare the server."""
    return (COMPONENT,)


@hookimpl
def mynah_routes() -> Iterable[RouteSpec]:
    """Declare the REST API."""
    return ROUTES
