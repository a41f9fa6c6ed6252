"""What can be known before the hub runs: entities, speakers, who speaks, and whether the sun can be followed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import voluptuous as vol

from mynah import ActionSpec, ConditionSpec, PersonaSpec, Problem, TriggerSpec, checked
from mynah_automation.config import HELPERS
from mynah_automation.conversions import slugify
from mynah_automation.shapes import many
from mynah_automation.templates import is_template

Where = tuple[str | int, ...]
KEYS: Final = ("entity_id", "above", "below", "at", "after", "before")
"""Keys whose values may be entities."""

AT_SPEAKERS: Final = ("announce", "ask", "listen", "play", "say", "set_context", "set_persona", "silence", "volume")
"""Actions whose `where` is a speaker, area or group, and whose `persona` is somebody who speaks."""

ONE_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "numeric_state": ("above", "below"),
    "repeat": ("count", "while", "until", "for_each"),
    "sun": ("event", "after", "before"),
    "time": ("at", "after", "before", "weekday"),
    "time_pattern": ("hours", "minutes", "seconds"),
    "volume": ("percent", "change"),
}
"""Keys of which there must be one at least, where that kind of trigger, condition or action stands."""

MIRRORED: Final = "ha_"
"""What the names of Home Assistant's entities begin with in domains that the hub has itself."""


def slug(text: str) -> str:
    """Return `text` as the second half of an entity's name."""
    return slugify(text)[:64].strip("_") or "unnamed"


def automation_id(raw: Mapping[str, Any], index: int) -> str:
    """Return the second half of the entity of the automation at a place in the list."""
    return slug(str(raw.get("alias") or raw.get("id") or f"automation {index + 1}"))


def suggestion(name: object, known: Collection[str]) -> str:
    """Return what `name` may have been meant for."""
    _, problems = checked({vol.Required("name"): vol.In(sorted(known))}, {"name": name})
    hint = problems[0].hint if problems else ""
    return hint or f"known are {', '.join(sorted(known)) or 'none'}"


@dataclass(frozen=True, slots=True)
class Speakers:
    """The speakers that are configured or remembered, and the areas and groups that they are in."""

    ids: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()

    @classmethod
    def of(cls, values: Mapping[str, Any], remembered: Mapping[str, str | None]) -> Speakers:
        """Return those of a configuration, be it right or wrong, and those that are `remembered` with their areas."""
        configured = values.get("speakers")
        own = configured if isinstance(configured, Mapping) else {}
        groups = values.get("groups")
        areas = {each["area"] for each in own.values() if isinstance(each, Mapping) and each.get("area")}
        places = {*areas, *filter(None, remembered.values()), *(groups if isinstance(groups, Mapping) else ()), "all"}
        return cls(frozenset(map(str, own)) | remembered.keys(), frozenset(map(str, places)))

    def know(self, where: str) -> bool:
        """Return whether a speaker, area or group has that name, as actions take it."""
        name = where.removeprefix("speaker.")
        return bool({name, name.replace("_", "-")} & (self.ids | self.places))

    def entities(self) -> frozenset[str]:
        """Return the entities that they have."""
        return frozenset(f"speaker.{slug(id)}" for id in self.ids) | {f"sensor.{slug(id)}_phase" for id in self.ids}


@dataclass(frozen=True, slots=True)
class Names:
    """The entities of domains that only the configuration fills, by domain; of other domains nothing is known.

    `speakers` None: nobody looked who is there.
    """

    entities: Mapping[str, frozenset[str]]
    mirrors: bool = False
    placed: bool = False
    speakers: Speakers | None = None
    personas: frozenset[str] | None = None

    @classmethod
    def of(
        cls, values: Mapping[str, Any], specs: Sequence[object], remembered: Mapping[str, str | None] | None = None
    ) -> Names:
        """Return what a configuration, be it right or wrong, and plugins tell; `remembered` are speakers, if known."""
        configured = values.get("personas")
        personas = {str(name) for name in configured} if isinstance(configured, Mapping) else set()
        personas |= {spec.name for spec in specs if isinstance(spec, PersonaSpec)}
        speakers = None if remembered is None else Speakers.of(values, remembered)
        return replace(cls._of(values), speakers=speakers, personas=frozenset(personas))

    @classmethod
    def _of(cls, values: Mapping[str, Any]) -> Names:
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

    def check(
        self, spec: TriggerSpec | ConditionSpec | ActionSpec, data: Mapping[str, Any], where: Where
    ) -> Iterator[Problem]:
        """Yield what is wrong with what a trigger, condition or action names, or leaves out."""
        name = spec.name
        if name in ONE_OF and not data.keys() & set(ONE_OF[name]):
            known = set(map(str, spec.schema))
            wanted = ", ".join(repr(key) for key in ONE_OF[name] if key in known)
            yield Problem(f"{name} needs one of {wanted}", where=where)
        if name == "sun" and not self.placed:
            hint = "set 'latitude' and 'longitude' under 'automation:'"
            yield Problem("nobody knows where the house stands, and so when the sun rises", where=where, hint=hint)
        if name == "script":
            yield from self._script(data["name"], where)
        if name in AT_SPEAKERS:
            yield from self._who_and_where(data, where)
        domain = name.partition(".")[0] if "." in name else ""
        for key in KEYS:
            for each in many(data.get(key)):
                entity_id = each.get("entity_id") if isinstance(each, Mapping) else each
                if isinstance(entity_id, str) and not is_template(entity_id):
                    yield from self._entity(entity_id, domain, name, (*where, key))

    def _who_and_where(self, data: Mapping[str, Any], where: Where) -> Iterator[Problem]:
        persona, place = data.get("persona"), data.get("where")
        personas, speakers = self.personas, self.speakers
        if personas is not None and _is_name(persona) and persona not in personas:
            hint = suggestion(persona, personas)
            yield Problem(f"there is no persona {persona!r}", where=(*where, "persona"), hint=hint)
        if speakers is not None and _is_name(place) and not speakers.know(str(place)):
            message = f"no speaker, area or group named {place!r} is configured or remembered"
            hint = suggestion(place, speakers.ids | speakers.places)
            yield Problem(message, where=(*where, "where"), hint=hint, warning=True)

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
        if self.speakers is not None and own == "speaker" and entity_id not in self.speakers.entities():
            speakers = [each for each in self.speakers.entities() if each.startswith("speaker.")]
            yield Problem(f"no speaker that is configured or remembered has the entity {entity_id}", where=where,
                          hint=suggestion(entity_id, speakers), warning=True)  # fmt: skip
        if known is None or name in known or (self.mirrors and name.startswith(MIRRORED)):
            return
        entities = [f"{own}.{each}" for each in known]
        yield Problem(f"there is no {entity_id}", where=where, hint=suggestion(entity_id, entities))


def _is_name(value: object) -> bool:
    return isinstance(value, str) and not is_template(value)
