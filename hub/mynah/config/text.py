"""Words for messages: suggestions, and values as their writer knows them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final

MAX_SHOWN: Final = 40
MAX_LISTED: Final = 12


class Sourced(str):
    """Text from a secrets file or the environment.

    It is never shown (`source` is, e.g. "!secret door_pin"), and is read as the number or truth value that a schema
    asks for.
    """

    source: str = ""

    @classmethod
    def of(cls, text: str, source: str) -> Sourced:
        """Return `text` with its source noted."""
        sourced = cls(text)
        sourced.source = source
        return sourced


def closest(name: str, choices: Iterable[str]) -> str | None:
    """Return the choice that was probably meant by `name`, if one is near enough."""
    by_key = {_key(choice): choice for choice in choices}
    key = _key(name)
    near = difflib.get_close_matches(key, by_key, n=1, cutoff=0.6)
    if not near and len(key) >= 3:
        near = sorted(choice for choice in by_key if choice.startswith(key) or key.startswith(choice))[:1]
    return by_key[near[0]] if near else None


def suggest(name: str, choices: Iterable[str]) -> str:
    """Return "did you mean 'edge_tts'?", or "known are a, b, c" where nothing is near, or "" without choices."""
    known = sorted(set(choices))
    if near := closest(name, known):
        return f"did you mean {near!r}?"
    if not known:
        return ""
    more = f" and {len(known) - MAX_LISTED} more" if len(known) > MAX_LISTED else ""
    return f"known are {', '.join(known[:MAX_LISTED])}{more}"


def shown(value: Any) -> str:
    """Return `value` for a message: as it is written in YAML, shortened, and without secrets."""
    if isinstance(value, Sourced):
        return f"the value of {value.source}" if value.source else "a value that is not shown"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(value if len(value) <= MAX_SHOWN else value[: MAX_SHOWN - 1] + "…")
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return str(value)


def _key(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
