"""Bodies of requests: their size, their JSON, their schema."""

from __future__ import annotations

import json
from typing import Any

import voluptuous as vol
from aiohttp import web


def check_length(request: web.BaseRequest) -> None:
    """Refuse a body by its announced length, before any of it is read. Raises `HTTPRequestEntityTooLarge`."""
    limit = request.client_max_size
    if request.content_length is not None and request.content_length > limit:
        raise too_large(limit)


def too_large(limit: int) -> web.HTTPRequestEntityTooLarge:
    """Return the error for a body of more than `limit` bytes."""
    text = f"the body is larger than the limit of {limit / 2**20:g} MiB; see http: {{max_body_mb: …}}"
    # The client may go on sending for long: no further request can follow on this connection.
    return web.HTTPRequestEntityTooLarge(limit, text=text, headers={"Connection": "close"})


async def read_json(request: web.Request, schema: vol.Schema) -> Any:
    """Return the body, checked by `schema`; no body is an empty object. Raises `HTTPBadRequest`."""
    try:
        return schema(parse(await request.read()))
    except vol.MultipleInvalid as error:
        raise web.HTTPBadRequest(text="; ".join(map(describe, error.errors))) from None
    except vol.Invalid as error:
        raise web.HTTPBadRequest(text=describe(error)) from None


def parse(data: bytes) -> Any:
    """Return `data` read as JSON. Raises `HTTPBadRequest` naming the place that is wrong."""
    try:
        return json.loads(data, parse_constant=refuse_constant) if data.strip() else {}
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise web.HTTPBadRequest(text=f"the body is not JSON: {error.msg} at {place}") from None
    except UnicodeDecodeError as error:
        raise web.HTTPBadRequest(text=f"the body is not UTF-8: wrong byte at position {error.start}") from None
    except RecursionError:
        raise web.HTTPBadRequest(text="the body is nested too deeply") from None
    except ValueError as error:
        raise web.HTTPBadRequest(text=f"the body is not JSON: {error}") from None


def refuse_constant(name: str) -> Any:
    """Refuse `NaN` and `Infinity`, which Python would take."""
    raise ValueError(f"{name} is not a JSON number")


def describe(error: vol.Invalid) -> str:
    """Return a mistake with the path of keys to it."""
    path = " → ".join(str(step) for step in error.path)
    return f"{path}: {error.error_message}" if path else error.error_message
