"""The configuration as a JSON Schema (draft 2020-12), for editors and other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import voluptuous as vol
from voluptuous_openapi import UNSUPPORTED, OpenApiVersion, convert

from mynah.config.describe import choices
from mynah.config.schema import engines, entry_schema, whole_schema
from mynah.specs import ENGINE_KINDS, EngineKind, Spec

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ANYTHING: Final[Mapping[str, Any]] = {"anyOf": [{}]}
"""Stands for "no constraint" until the end: the converter would take {} for text."""


def json_schema(specs: Sequence[Spec]) -> dict[str, Any]:
    """Return the JSON Schema of the whole configuration: the core's keys and those of the plugins' `specs`."""
    schema = _converted(whole_schema(specs))
    kinds = schema["properties"]["engines"]["properties"]
    for kind in ENGINE_KINDS:
        kinds[kind]["items"] = _entry(kind, specs)
    return {"$schema": DIALECT, "title": "Mynah configuration", **schema}


def object_schema(schema: Any) -> dict[str, Any]:
    """Return the JSON Schema of an object with the keys of a voluptuous `schema`, as a tool's arguments are."""
    own = schema.schema if isinstance(schema, vol.Schema) else schema
    return {**_converted(own), "type": "object"}


def _entry(kind: EngineKind, specs: Sequence[Spec]) -> dict[str, Any]:
    """Return the schema of one entry: an engine's name, or a mapping with its options."""
    known = engines(specs, kind)
    forms: list[dict[str, Any]] = []
    for name, spec in known.items():
        form = _converted(entry_schema(spec))
        form["type"] = "object"  # an entry is never empty
        form["properties"]["engine"] = {"const": name, "description": "The engine's name."}
        form["description"] = spec.description or f"The engine {name}."
        forms += [{"const": name, "description": form["description"]}, form]
    return {"oneOf": forms} if forms else {"not": {}}


def _converted(schema: Any) -> dict[str, Any]:
    raw = convert(schema, custom_serializer=_special, openapi_version=OpenApiVersion.V3_1)
    tidy: dict[str, Any] = _tidy(raw)
    return tidy


def _special(schema: Any) -> Any:
    """Convert what the library does not, or not to the letter."""
    if isinstance(schema, vol.In):
        allowed = choices(schema)
        return {"enum": allowed, **({"type": "string"} if all(isinstance(each, str) for each in allowed) else {})}
    if isinstance(schema, vol.Match):
        return {"pattern": schema.pattern.pattern.replace(r"\Z", "$")}
    if isinstance(schema, vol.All) and any(isinstance(part, list) for part in schema.validators):
        return _list_of_length(schema)
    if schema is object or schema is vol.Extra:
        return dict(ANYTHING)
    if callable(schema) and not isinstance(schema, type) and not _of_voluptuous(schema):
        return dict(ANYTHING)  # a plugin's own validator: only it knows what it takes
    return UNSUPPORTED


def _list_of_length(schema: vol.All) -> Any:
    (items,) = [part for part in schema.validators if isinstance(part, list)][:1]
    converted = convert(items, custom_serializer=_special, openapi_version=OpenApiVersion.V3_1)
    for part in schema.validators:
        if isinstance(part, vol.Length):
            bounds = {"minItems": part.min, "maxItems": part.max}
            converted.update({name: bound for name, bound in bounds.items() if bound is not None})
    return converted


def _of_voluptuous(schema: Any) -> bool:
    return type(schema).__module__.startswith("voluptuous") or getattr(schema, "__module__", "").startswith(
        "voluptuous"
    )


def _tidy(schema: Any) -> Any:
    """Close every object, allow empty sections and lists, and drop what says nothing."""
    if isinstance(schema, list | tuple):
        return [_tidy(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    tidy = {name: value if name == "default" else _tidy(value) for name, value in schema.items()}
    if schema.get("anyOf") == ANYTHING["anyOf"]:
        del tidy["anyOf"]
    if tidy.get("type") == "object":
        tidy.setdefault("additionalProperties", False)
        tidy["type"] = ["object", "null"]
    elif tidy.get("type") == "array":
        tidy["type"] = ["array", "null"]
    if tidy.get("required") == []:
        del tidy["required"]
    return tidy
