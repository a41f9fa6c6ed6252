"""The OpenAPI 3.1 document, made from the declared routes."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

import voluptuous as vol
from voluptuous_openapi import UNSUPPORTED, OpenApiVersion, convert

from mynah import RouteSpec, __version__

log = logging.getLogger(__name__)
PARAMETER = re.compile(r"\{(?P<name>[^{}:]+)(?::(?:[^{}]|\{[^{}]*\})+)?\}")
"""A parameter in aiohttp's paths: a name, and perhaps an expression that it must match."""

ERROR: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {"message": {"type": "string"}, "status": {"type": "integer"}},
            "required": ["message", "status"],
        }
    },
    "required": ["error"],
}
ROLES = {
    "open": "Anybody may call this.",
    "viewer": "Needs the role viewer or admin.",
    "speaker": "Needs the role speaker (for itself) or admin.",
    "admin": "Needs the role admin.",
}


def document(routes: Iterable[RouteSpec]) -> dict[str, Any]:
    """Return the OpenAPI document of `routes`."""
    paths: dict[str, dict[str, Any]] = {}
    for spec in sorted(routes, key=lambda spec: (spec.path, spec.method)):
        paths.setdefault(PARAMETER.sub(r"{\g<name>}", spec.path), {})[spec.method.lower()] = operation(spec)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mynah",
            "version": __version__,
            "description": "A hub that gives rooms a voice. Where it is open to the network, callers show a token; "
            "on a loopback address every caller is an admin.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Error": ERROR},
            "responses": {"Error": content("What is wrong.", {"$ref": "#/components/schemas/Error"})},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def operation(spec: RouteSpec) -> dict[str, Any]:
    """Return one route as an OpenAPI operation."""
    done = {"200": content("The answer.", dict(spec.answer))} if spec.answer else {"2XX": {"description": "Done."}}
    found: dict[str, Any] = {
        "operationId": spec.name,
        "summary": spec.summary or spec.name,
        "description": ROLES[spec.access],
        "security": [] if spec.access == "open" else [{"bearer": []}],
        "responses": {**done, "default": {"$ref": "#/components/responses/Error"}},
    }
    if names := [match["name"] for match in PARAMETER.finditer(spec.path)]:
        found["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    if spec.body is not None:
        body = body_of(spec)
        found["requestBody"] = {"required": bool(body.get("required")), "content": json_of(body)}
    return found


def body_of(spec: RouteSpec) -> dict[str, Any]:
    """Return the schema of a route's body; a loose one where voluptuous can say what JSON schema cannot."""
    try:
        body: dict[str, Any] = convert(spec.body, openapi_version=OpenApiVersion.V3_1, custom_serializer=by_hand)
        json.dumps(body)
    except Exception as error:  # noqa: BLE001 - the converter raises anything; one odd route must not take the document
        log.debug("the body of '%s' is described loosely: %r", spec.name, error)
        return {"type": "object"}
    return body


def by_hand(schema: Any) -> Any:
    """Describe what the converter would stumble over; the rest is left to it."""
    if isinstance(schema, vol.In) and isinstance(schema.container, Iterable):
        return {"enum": list(schema.container)}
    if callable(schema) and not isinstance(schema, type) and not own(schema):
        return {}
    return UNSUPPORTED


def own(validator: Any) -> bool:
    """Return whether `validator` is one of voluptuous' own."""
    return str(getattr(validator, "__module__", "")).startswith("voluptuous")


def content(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a response object for a JSON answer."""
    return {"description": description, "content": json_of(schema)}


def json_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a content object for JSON of `schema`."""
    return {"application/json": {"schema": schema}}
