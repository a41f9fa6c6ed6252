"""A template becomes true."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import voluptuous as vol

from mynah import TEMPLATE, Fire, House, MynahError, State, Stop, TriggerSpec
from mynah_automation.shapes import Holding, span
from mynah_automation.templates import truth

SCHEMA: Final = {
    vol.Required("value_template", description="The template."): TEMPLATE,
    vol.Optional("for", description="How long it must stay true."): span,
}


class Watch:
    """Renders a template whenever what it reads may have changed, and tells each time that it becomes true."""

    def __init__(self, house: House, template: Any, variables: Mapping[str, Any], became: Any) -> None:
        self.true = False
        self._house = house
        self._template = template
        self._variables = variables
        self._became = became
        self._read: frozenset[str] = frozenset()
        self._stop_states: Stop = _nothing
        self._stop_time: Stop = _nothing
        self.true = self._look()

    def close(self) -> None:
        """Watch no longer."""
        self._stop_states()
        self._stop_time()

    def _look(self) -> bool:
        templates = self._house.hub.parts["automation"].house.templates
        try:
            now = truth(self._house.render(self._template, self._variables))
        except MynahError:
            now = False
        read, timed = frozenset(templates.read_entities), templates.read_time
        if read != self._read:
            self._stop_states()
            follow = {"*" if name.endswith("*") else name for name in read}
            self._read, self._stop_states = read, self._house.on_state(follow, self._stirred)
        self._stop_time()
        if timed:
            # As in Home Assistant a template that reads the time is looked at once a minute.
            next_minute = self._house.now().replace(second=0, microsecond=0) + timedelta(minutes=1)
            self._stop_time = self._house.at(next_minute, lambda: self._changed(None, None))
        return now

    def _stirred(self, old: State | None, new: State | None) -> None:
        entity_id = (new or old).entity_id  # type: ignore[union-attr]  # one of them is there
        if self._read & {entity_id, f"{entity_id.partition('.')[0]}.*", "*"}:
            self._changed(old, new)

    def _changed(self, old: State | None, new: State | None) -> None:
        before, self.true = self.true, self._look()
        if self.true != before:
            self._became(self.true, old, new)


def _nothing() -> None:
    return


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire each time that the template becomes true."""
    holding = Holding(house, config.get("for"), fire)

    def became(true: bool, old: State | None, new: State | None) -> None:
        holding.ended("")
        if not true:
            return
        told = {"entity_id": new.entity_id if new else None, "from_state": old, "to_state": new,
                "description": "template"}  # fmt: skip
        holding.began("", told)

    watch = Watch(house, config["value_template"], {}, became)

    def stop() -> None:
        watch.close()
        holding.close()

    return stop


SPEC: Final = TriggerSpec(name="template", attach=attach, schema=SCHEMA, description="A template becomes true.")
