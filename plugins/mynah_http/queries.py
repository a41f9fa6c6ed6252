"""What follows the question mark of an address. Each raises `HTTPBadRequest` for what does not fit."""

from __future__ import annotations

import math
from typing import Any


def flag(request: Any, name: str) -> bool:
    """Return whether a parameter is `true`; it is `false` where it is not there."""
    from aiohttp import web

    given = request.query.get(name, "false")
    if given not in ("true", "false"):
        raise web.HTTPBadRequest(text=f"'{name}' must be true or false, not {given!r}")
    return bool(given == "true")


def number(request: Any, name: str, default: float) -> float:
    """Return a parameter that is a finite number."""
    from aiohttp import web

    given = request.query.get(name)
    try:
        number = default if given is None else float(given)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise web.HTTPBadRequest(text=f"'{name}' must be a number, not {given!r}")
    return number
