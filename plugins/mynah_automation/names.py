"""What can be known before the hub runs: which entities there are, and whether the sun can be followed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import voluptuous as vol

from mynah import Problem, checked
from mynah_automation.config import HELPERS
from mynah_automation.shapes import many
from mynah_automation.templates import is_template

Where = tuple[str | int, ...]
KEYS: Final = ("entity_id", "above", "below")
"""Keys whose values may be entities."""

MIRRORED: Final = "ha_"
"""What the names of Home Assistant's entities begin with in domains that the hub has itself."""


def slug(text: str) -> str:
    """Return `text` as the second half of an entity's name."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:64] or "unnamed"


def automation_id(raw: Mapping[str, Any], index: int) -> str:
    """Return the second half of the entity of the automation at a place in the list."""
    return slug(str(raw.get("alias") or raw.get("id") or f"automation {index + 1}"))


def suggestion(name: object, known: Collection[str]) -> str:
    """Return what `name` may have been meant for."""
    _, problems = checked({vol.Required("name"): vol.In(sorted(known))}, {"name": name})
    hint = problems[0].hint if problems else ""
    return hint or f"known are {', '.join(sorted(known)) or 'none'}"


@dataclass(frozen=True, slots=True)
class Names:
    """The entities of domains that only the configuration fills, by domain; of other domains nothing is known."""

    entities: Mapping[str, frozenset[str]]
    mirrors: bool = False
    placed: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Names:
        """Return what a configuration tells, be it right or wrong."""
        found = {domain: frozenset(map(str, values[domain])) for domain in HELPERS
                 if isinstance(values.get(domain), Mapping)}  # fmt: skip
        if isinstance(automations := values.get("automations"), list):
            pairs = enumerate(automations)
            found["automation"] = frozenset(automation_id(raw, i) for i, raw in pairs if isinstance(raw, Mapping))
        if isinstance(scripts := values.get("scripts"), Mapping):
            found["script"] = frozenset(slug(str(name)) for name in scripts)
        settings = values.get("automation")
        if not isinstance(settings, Mapping):
            return cls(found)
        if isinstance(calendars := settings.get("calendars"), Mapping):
            found["calendar"] = frozenset(map(str, calendars))
        placed = settings.get("latitude") is not None and settings.get("longitude") is not None
        return cls(found, bool(settings.get("statestream")), placed)

    def check(self, name: str, data: Mapping[str, Any], where: Where) -> Iterator[Problem]:
        """Yield what is wrong with what a trigger, condition or action of that name names."""
        if name == "sun" and not self.placed:
            hint = "set 'latitude' and 'longitude' under 'automation:'"
            yield Problem("nobody knows where the house stands, and so when the sun rises", where=where, hint=hint)
        if name == "script":
            yield from self._script(data["name"], where)
        domain = name.partition(".")[0] if "." in name else ""
        for key in KEYS:
            for each in many(data.get(key)):
                if isinstance(each, str) and not is_template(each):
                    yield from self._entity(each, domain, name, (*where, key))

    def _script(self, name: Any, where: Where) -> Iterator[Problem]:
        known = self.entities.get("script", frozenset())
        wanted = str(name).removeprefix("script.")
        if not is_template(name) and wanted not in known:
            yield Problem(f"there is no script {wanted!r}", where=where, hint=suggestion(wanted, known))

    def _entity(self, entity_id: str, domain: str, action: str, where: Where) -> Iterator[Problem]:
        own, _, name = entity_id.partition(".")
        if domain in self.entities and own != domain:
            yield Problem(f"{action} is for entities such as {domain}.name, not for {entity_id}", where=where)
            return
        known = self.entities.get(own)
        if known is None or name in known or (self.mirrors and name.startswith(MIRRORED)):
            return
        entities = [f"{own}.{each}" for each in known]
        yield Problem(f"there is no {entity_id}", where=where, hint=suggestion(entity_id, entities))
