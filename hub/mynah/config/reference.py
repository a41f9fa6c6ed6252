"""The reference of the configuration as Markdown, made from the schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import voluptuous as vol

from mynah.config.describe import describe, entries, key_name
from mynah.config.schema import CORE, ENGINE_ENTRY, KIND_TITLES, components, engines
from mynah.specs import ENGINE_KINDS, EngineSpec, Spec

INTRODUCTION: Final = """\
# Configuration

<!-- Made from the schemas of the core and the plugins. Change a description where its schema stands. -->

Mynah reads one YAML file, `config.yaml` unless another is named. Every key has a default, so an empty file, or none,
is a working configuration. An empty section (`log:` with nothing under it) has its defaults. Unknown keys are errors.
Paths are relative to the folder of the file.

`mynah check-config` checks a file without starting anything; `mynah check-config --json-schema` prints a JSON Schema
for editors.

## Values from elsewhere

| Written | Means |
| --- | --- |
| `!secret door_pin` | The value of `door_pin` in `secrets.yaml`, beside the file or in a folder above it, up to that \
of `config.yaml`. It is never logged or shown. |
| `!env_var PORT` | The environment variable `PORT`; it must be set. |
| `!env_var PORT 8000` | The same, or 8000 where it is not set. |
| `!include speakers.yaml` | What that file holds, relative to the file that includes it and within the folder of \
`config.yaml`. |

Text from a secret or the environment is read as the number or truth value that the key asks for. Elsewhere `yes`,
`no`, `on` and `off` are text; truth values are `true` and `false`.

## Errors

All mistakes are shown at once, each with its file and line, the keys that lead to it, and what to do:

```text
config.yaml:12: engines → tts → 0: no engine named 'edge'; did you mean 'edge_tts'?
config.yaml:19: listening → silence_ms: expected a whole number from 100 to 10000, got 'long'
```
"""
ENGINES_INTRODUCTION: Final = """\
Each kind has a list of engines: the first is used, and the others stand by, in their order. An entry is a mapping
with the engine's name and its options, or the name alone. Where a kind has no entries, embedded engines are used.
"""
EVERY_ENTRY: Final = "Every entry may have these keys:"
HEAD: Final = "| Key | Type | Default | Meaning |\n| --- | --- | --- | --- |\n"


def reference(specs: Sequence[Spec]) -> str:
    """Return the whole reference for the core and the plugins' `specs`, as Markdown that ends with a line break."""
    parts = [INTRODUCTION, "## Top level\n", _table(_top())]
    for key, schema in CORE.items():
        if str(key) == "engines":
            parts += ["## engines\n", ENGINES_INTRODUCTION, EVERY_ENTRY + "\n", _table(_rows(ENGINE_ENTRY))]
            parts += _engine_parts(specs)
        elif entries(schema):
            parts += [f"## {key}\n", f"{key.description}\n", _table(_rows(schema))]
    for spec in components(specs):
        parts += [f"## {spec.name}\n", f"{spec.description or 'A component.'}\n", _table(_rows(spec.schema))]
        for key, schema in spec.sections.items():
            rows = _rows(schema if entries(schema) else _items(schema))
            parts += [f"## {key}\n", f"{key.description}\n", _table(rows)]
    return "\n".join(parts)


def _engine_parts(specs: Sequence[Spec]) -> Iterator[str]:
    for kind in ENGINE_KINDS:
        known = engines(specs, kind)
        yield f"### engines: {kind}\n"
        yield f"{KIND_TITLES[kind]}.\n" if known else f"{KIND_TITLES[kind]}. No installed plugin has one.\n"
        for spec in known.values():
            yield f"#### {spec.name} ({kind})\n"
            if about := _about(spec):
                yield about + "\n"
            yield _table(_rows(spec.schema))


def _about(spec: EngineSpec) -> str:
    embedded = "Used where no engine of this kind is configured." if spec.embedded else ""
    return " ".join(part for part in (spec.description, embedded) if part)


def _top() -> Iterator[tuple[str, str, str, str]]:
    for key, schema in CORE.items():
        if entries(schema):
            yield f"[{key}](#{key})", "a mapping", "", key.description or ""
        else:
            yield f"`{key}`", describe(schema), _default(key), key.description or ""


def _rows(schema: Any, prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    for key, value in entries(schema):
        name = key_name(key)
        if name is vol.Extra:
            continue
        path = f"{prefix}{name if isinstance(name, str) else '<name>'}"
        nested = entries(value) or _entries_of_items(value)
        meaning = getattr(key, "description", None) or ""
        if isinstance(name, str) or not nested:
            yield f"`{path}`", describe(value), _default(key), meaning
        if nested:
            below = value if entries(value) else _items(value)
            yield from _rows(below, f"{path}{'.' if entries(value) else '[].'}")


def _items(schema: Any) -> Any:
    lists = [part for part in getattr(schema, "validators", [schema]) if isinstance(part, list)]
    return vol.Any(*(item for part in lists for item in part)) if lists else None


def _entries_of_items(schema: Any) -> list[tuple[Any, Any]]:
    return entries(_items(schema))


def _default(key: Any) -> str:
    if isinstance(key, vol.Required) and isinstance(key.default, vol.Undefined):
        return "required"
    default = getattr(key, "default", None)
    if default is None or isinstance(default, vol.Undefined):
        return ""
    value = default()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, Mapping | list | tuple) and not value:
        return ""
    return f"`{json.dumps(value, ensure_ascii=False, default=str)}`"


def _table(rows: Iterator[tuple[str, str, str, str]]) -> str:
    lines = ["| " + " | ".join(_cell(part) for part in row) + " |" for row in rows]
    return HEAD + "\n".join(lines) + "\n" if lines else "It has no keys of its own.\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
