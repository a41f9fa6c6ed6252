"""Checks the entries under `engines:`, each by the schema of its engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mynah.config.messages import Mistake, validate
from mynah.config.schema import engines, entry_schema
from mynah.config.text import Sourced, shown, suggest
from mynah.config.yaml_loader import KeyPath
from mynah.specs import ENGINE_KINDS, EngineKind, EngineSpec, Spec


def check_engines(
    section: Any, specs: Sequence[Spec], disabled: frozenset[str]
) -> tuple[dict[str, list[Any]], list[Mistake]]:
    """Return the entries of each kind, every one a mapping with its defaults, and every mistake in them.

    Embedded engines stand in where none of a kind is configured. What has the wrong type for a list of entries is
    passed over: the schema of the whole file reports it.
    """
    chains: dict[str, list[Any]] = {}
    mistakes: list[Mistake] = []
    for kind in ENGINE_KINDS:
        known = engines(specs, kind)
        entries = section.get(kind) if isinstance(section, Mapping) else None
        chains[kind] = []
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            value, wrong = _entry(entry, kind, ("engines", kind, index), specs, disabled)
            mistakes += wrong
            chains[kind].append(value)
        if not chains[kind]:
            embedded = (spec for spec in known.values() if spec.embedded)
            chains[kind] = [value for spec in embedded if (value := _default_entry(spec))]
    return chains, mistakes


def _default_entry(spec: EngineSpec) -> Any:
    """Return the entry of an engine that nobody configured, or None if it cannot do without."""
    return validate(entry_schema(spec), {"engine": spec.name})[0]


def _entry(
    entry: Any, kind: EngineKind, place: KeyPath, specs: Sequence[Spec], disabled: frozenset[str]
) -> tuple[Any, list[Mistake]]:
    if isinstance(entry, str):
        entry = {"engine": entry}
    if not isinstance(entry, Mapping):
        return None, []  # the loose schema reports it
    name = entry.get("engine")
    known = engines(specs, kind)
    if isinstance(name, str) and name not in known:
        return None, [Mistake(place, *_no_such_engine(name, kind, specs, disabled))]
    if isinstance(name, str):
        return validate(entry_schema(known[name]), entry, place)
    if "engine" not in entry:
        return None, [Mistake(place, "'engine' is missing", f"add 'engine: NAME'; {suggest('', known)}")]
    return None, [Mistake((*place, "engine"), f"expected the name of an engine, got {shown(name)}")]


def _no_such_engine(name: str, kind: EngineKind, specs: Sequence[Spec], disabled: frozenset[str]) -> tuple[str, str]:
    if name in disabled:
        return f"plugin {name!r} is disabled", "remove it here, or from plugins: disabled"
    known = engines(specs, kind)
    others = [other for other in ENGINE_KINDS if name in engines(specs, other)]
    if others:
        return f"the engine {shown(name)} is of kind {' and '.join(others)}, not {kind}", suggest("", known)
    hint = suggest(name, known) if not isinstance(name, Sourced) else ""
    return f"no engine named {shown(name)}", hint or f"no plugin has an engine of kind {kind}"
