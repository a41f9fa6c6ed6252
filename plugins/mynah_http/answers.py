"""Data and errors as JSON answers, and the headers of every answer."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
from collections.abc import Mapping, Set
from pathlib import PurePath
from typing import Any

from aiohttp import web

SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"


def plain(value: Any) -> Any:
    """Return `value` in types that JSON has. Raises `TypeError` where it has none."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        return sorted(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")


def json_response(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return `data` as JSON: dataclasses and mappings as objects, None as an empty answer (204)."""
    if data is None:
        return web.Response(status=204, headers=headers)
    body = json.dumps(data, default=plain, ensure_ascii=False, allow_nan=False).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json", charset="utf-8")


def error_response(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return an error as every error of the API looks."""
    return json_response({"error": {"message": message, "status": status}}, status, headers)


def from_exception(error: web.HTTPException, request: web.Request) -> web.Response:
    """Return the JSON answer for an exception of aiohttp, keeping its headers."""
    headers = {name: value for name, value in error.headers.items() if name not in ("Content-Type", "Content-Length")}
    return error_response(error.status, message_of(error, request), headers)


def message_of(error: web.HTTPException, request: web.Request) -> str:
    """Return what to tell the caller."""
    if error.text and error.text != f"{error.status}: {error.reason}":
        return error.text
    if isinstance(error, web.HTTPNotFound):
        return f"there is nothing at {request.path}; see /api/v1/openapi.json for what there is"
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"{request.path} takes {', '.join(sorted(error.allowed_methods))}, not {error.method}"
    return error.reason


def add_headers(response: web.StreamResponse, more: Mapping[str, str]) -> None:
    """Put on `response` what keeps browsers from misusing it, where its handler has not said otherwise."""
    for name, value in {**SECURITY_HEADERS, **more}.items():
        response.headers.setdefault(name, value)
    if response.content_type != "text/html":
        response.headers.setdefault("Content-Security-Policy", NO_CONTENT_POLICY)
    if response.content_type == "application/json":
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "mynah"
