"""What entities are like, who follows them, and what of it is kept across restarts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mynah import InputError, State, StateChange, Stop

MOST: Final = 10_000
CHARS: Final = 255
"""A state is at most so long, as Home Assistant has it."""

ATTRIBUTES: Final = 64


class States:
    """Every entity. Whoever follows one is told in the order of following, at once."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}
        self._followers: dict[str, dict[int, StateChange]] = {}
        self._numbers = 0

    def get(self, entity_id: str) -> State | None:
        """Return the state of an entity, or None where there is none."""
        return self._states.get(entity_id)

    def all(self) -> list[State]:
        """Return every state, by entity."""
        return [self._states[entity_id] for entity_id in sorted(self._states)]

    def put(self, state: State) -> None:
        """Put back what was kept, without telling anybody."""
        self._states[state.entity_id] = state

    def set(self, entity_id: str, value: str | None, attributes: Mapping[str, Any] | None = None) -> None:
        """Set a state (None: the entity is gone); without `attributes` they stay. Raises `InputError` past limits."""
        old = self._states.get(entity_id)
        if value is None:
            if old is not None:
                del self._states[entity_id]
                self._tell(entity_id, old, None)
            return
        if old is None and len(self._states) >= MOST:
            raise InputError(f"there are {MOST:,} entities already")
        value = str(value)[:CHARS]
        kept = old.attributes if old else {}
        fresh = kept if attributes is None else dict(list(attributes.items())[:ATTRIBUTES])
        same = old is not None and old.state == value
        if old is not None and same and fresh == kept:
            return
        now = time.time()
        new = State(entity_id, value, fresh, old.last_changed if old and same else now, now)
        self._states[entity_id] = new
        self._tell(entity_id, old, new)

    def follow(self, entities: Iterable[str], changed: StateChange) -> Stop:
        """Call `changed` after each change of one of `entities`, of all where "*" is among them."""
        self._numbers += 1
        number, wanted = self._numbers, tuple(dict.fromkeys(entities))
        for entity_id in wanted:
            self._followers.setdefault(entity_id, {})[number] = changed

        def stop() -> None:
            for entity_id in wanted:
                followers = self._followers.get(entity_id, {})
                followers.pop(number, None)
                if not followers:
                    self._followers.pop(entity_id, None)

        return stop

    def _tell(self, entity_id: str, old: State | None, new: State | None) -> None:
        for key in (entity_id, "*"):
            for changed in tuple(self._followers.get(key, {}).values()):
                changed(old, new)
