"""Shapes that several triggers, conditions and actions take."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import voluptuous as vol

from mynah import DURATION, Fire, House, MynahError, State, Stop
from mynah_automation.config import ENTITY
from mynah_automation.elements import Template

log = logging.getLogger(__name__)

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


def span(value: Any) -> Any:
    """Return seconds for a duration, or what stands there where it is a template. Raises `vol.Invalid`."""
    return value if isinstance(value, Template) else DURATION(value)


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
    """Fires at once, or where `wanted` is a duration (or a template of one) after that; each key by itself."""

    def __init__(self, house: House, wanted: Any, fire: Fire) -> None:
        self._house = house
        self._wanted = wanted
        self._fire = fire
        self._stops: dict[str, Stop] = {}

    def __contains__(self, key: object) -> bool:
        """Whether the time of `key` runs."""
        return key in self._stops

    def began(self, key: str, told: Mapping[str, Any]) -> None:
        """Note that it holds from now on; `told` is what becomes `trigger`."""
        self.ended(key)
        if self._wanted is None:
            self._fire({**told, "for": None})
            return
        try:
            seconds = DURATION(self._house.render(self._wanted, {"trigger": told}))
        except (MynahError, vol.Invalid) as error:
            log.error("%s does not fire, as its 'for' cannot be told: %s", told["description"], error)  # noqa: TRY400  # it says all
            return

        def reached() -> None:
            self._stops.pop(key, None)
            self._fire({**told, "for": timedelta(seconds=seconds)})

        self._stops[key] = self._house.after(seconds, reached)

    def ended(self, key: str) -> None:
        """Note that it holds no longer."""
        stop = self._stops.pop(key, None)
        if stop is not None:
            stop()

    def close(self) -> None:
        """Wait for nothing any more."""
        for key in list(self._stops):
            self.ended(key)
