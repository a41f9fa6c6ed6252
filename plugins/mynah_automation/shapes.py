"""Shapes that several triggers, conditions and actions take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import DURATION, State, Stop
from mynah_automation.config import ENTITY

ENTITIES: Final = vol.Any(ENTITY, [ENTITY])
VALUES: Final = vol.Any(None, str, int, float, bool, [vol.Any(str, int, float, bool)])
BOUND: Final = vol.Any(float, ENTITY)


def offset(value: Any) -> float:
    """Return seconds for a duration that may have a sign. Raises `vol.Invalid`."""
    if isinstance(value, str) and value[:1] in "+-":
        seconds = DURATION(value[1:])
        return -seconds if value[0] == "-" else seconds
    if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
        return -DURATION(-value)
    return DURATION(value)


def one_or_many(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a validator for what `check` takes, and for a list of it, that complains in the words of `check`."""

    def validate(value: Any) -> Any:
        if not isinstance(value, list):
            return check(value)
        items = []
        for index, each in enumerate(value):
            try:
                items.append(check(each))
            except vol.Invalid as error:
                error.prepend([index])
                raise
        return items

    return validate


def many(value: Any) -> list[Any]:
    """Return `value` where it is a list, else a list of it."""
    return list(value) if isinstance(value, list | tuple) else [value]


def as_state(value: Any) -> str:
    """Return a value of YAML as states have it: text; a truth value is `on` or `off`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def value_of(state: State | None, attribute: str | None) -> Any:
    """Return an entity's state, or an attribute of it; None where there is none."""
    if state is None:
        return None
    return state.state if attribute is None else state.attributes.get(attribute)


def matches(value: Any, wanted: Any) -> bool:
    """Return whether a state or attribute is one of those wanted."""
    return any(value == each or as_state(value) == as_state(each) for each in many(wanted))


class Holding:
    """Waits until something has held for a while, for each key by itself."""

    def __init__(self, after: Callable[[float, Callable[[], None]], Stop], seconds: float) -> None:
        self._after = after
        self._seconds = seconds
        self._stops: dict[str, Stop] = {}

    def began(self, key: str, fire: Callable[[], None]) -> None:
        """Note that it holds from now on; `fire` is called when it has held for long enough."""
        self.ended(key)

        def reached() -> None:
            self._stops.pop(key, None)
            fire()

        self._stops[key] = self._after(self._seconds, reached)

    def holds(self, key: str) -> bool:
        """Whether it is waited for."""
        return key in self._stops

    def ended(self, key: str) -> None:
        """Note that it holds no longer."""
        stop = self._stops.pop(key, None)
        if stop is not None:
            stop()

    def close(self) -> None:
        """Wait for nothing any more."""
        for key in list(self._stops):
            self.ended(key)


def held(seconds: float | None) -> Mapping[str, Any]:
    """Return what `trigger.for` is."""
    return {"for": seconds}
