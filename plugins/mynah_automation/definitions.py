"""The sections of the configuration, read: automations and scripts, with every mistake and its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mynah import MynahError, Problem, State, checked
from mynah_automation.automations import Definition
from mynah_automation.blueprints import Blueprint, Blueprints, placed
from mynah_automation.config import AUTOMATION, SCRIPT
from mynah_automation.names import Names, automation_id, slug
from mynah_automation.reading import Reader
from mynah_automation.templates import Templates

Where = tuple[str | int, ...]
OLD = {"trigger": "triggers", "condition": "conditions", "action": "actions"}


def _unknown(*_: Any) -> Any:
    raise ValueError("neither states nor the time are known here, as this is read once")


class Definitions:
    """Reads automations and scripts; `problems` has what is wrong.

    Where it is said which speakers are `remembered`, with their areas, a name that no speaker has is a warning.
    """

    def __init__(
        self, specs: Sequence[object], folder: Path, remembered: Mapping[str, str | None] | None = None
    ) -> None:
        self.problems: list[Problem] = []
        self._specs = specs
        self._templates = Templates(_unknown, _unknown, _unknown, strict=True)
        self._blueprints = Blueprints(folder)
        self._taken: dict[str, str] = {}
        self._names = Names({})
        self._remembered = remembered

    def read(self, values: Mapping[str, Any]) -> list[Definition]:
        """Return every automation and script of a configuration that can be read."""
        found: list[Definition | None] = []
        self._names = Names.of(values, self._specs, self._remembered)
        automations = values.get("automations")
        for index, raw in enumerate(automations if isinstance(automations, list) else ()):
            if isinstance(raw, Mapping):
                found.append(self._automation(raw, index))
        scripts = values.get("scripts")
        for name, raw in scripts.items() if isinstance(scripts, Mapping) else ():
            if isinstance(raw, Mapping):
                found.append(self._script(name, raw))
        return [definition for definition in found if definition is not None]

    def _automation(self, raw: Mapping[str, Any], index: int) -> Definition | None:
        where: Where = ("automations", index)
        value = self._checked(AUTOMATION, raw, where)
        if value is None:
            return None
        id = automation_id(value, index)
        self._claim(f"automation.{id}", where)
        body, document = self._body(value, "automation", where)
        if body is None:
            return None
        reader = Reader(self._specs, self._templates, self._names)
        root: Where = () if document else where
        reader.at(root)
        shared = self._shared(value, body)
        begins = {"id": id, "friendly_name": value.get("alias") or id, "mode": shared["mode"], "current": 0,
                  "last_triggered": None}  # fmt: skip
        this = State(f"automation.{id}", "off" if value.get("initial_state") is False else "on", begins)
        given = self._given(reader, body["trigger_variables"], (*root, "trigger_variables"), this)
        known = {**given, "this": this}
        reader.know(known)
        parts: dict[str, Any] = {}
        for old, new in OLD.items():
            if old in body and new in body:
                reader.problems.append(
                    Problem(f"{old!r} and {new!r} mean the same", where=(*root, old), hint="keep one")
                )
            key = new if new in body else old
            more = (known,) if new == "triggers" else ()
            parts[new] = getattr(reader, new)(body.get(key), (*root, key), *more)
        if not body.keys() & {"actions", "action"}:
            reader.problems.append(Problem("'actions' is missing", where=root))
        self._note(reader, document, where)
        return Definition("automation", id, value.get("alias") or id, (raw, body), where,
                          variables=body.get("variables") or {}, enabled=value.get("initial_state"),
                          trigger_variables=given, **shared, **parts)  # fmt: skip

    def _script(self, name: str, raw: Mapping[str, Any]) -> Definition | None:
        where: Where = ("scripts", name)
        value = self._checked(SCRIPT, raw, where)
        if value is None:
            return None
        body, document = self._body(value, "script", where)
        if body is None:
            return None
        root: Where = () if document else where
        reader = Reader(self._specs, self._templates, self._names).at(root)
        if "sequence" not in body:
            reader.problems.append(Problem("'sequence' is missing", where=root))
        actions = reader.actions(body.get("sequence"), (*root, "sequence"))
        self._note(reader, document, where)
        return Definition("script", slug(name), value.get("alias") or name, (raw, body), where, actions=actions,
                          variables=body.get("variables") or {}, fields=value["fields"],
                          **self._shared(value, body))  # fmt: skip

    def _given(self, reader: Reader, raw: Mapping[str, Any], where: Where, this: State) -> dict[str, Any]:
        """Return the variables that triggers may have in their templates, each made of `this` and those before it."""
        given: dict[str, Any] = {}
        for name, value in raw.items():
            try:
                given[name] = self._templates.render(value, {**given, "this": this})
            except MynahError as error:
                reader.problems.append(Problem(str(error), where=(*where, name)))
        return given

    def _checked(self, schema: Any, raw: Mapping[str, Any], where: Where) -> dict[str, Any] | None:
        value, problems = checked(schema, raw, where)
        self.problems += problems
        return value  # type: ignore[no-any-return]  # what `checked` makes of a mapping

    def _claim(self, entity_id: str, where: Where) -> None:
        if entity_id in self._taken:
            message = f"an automation of that name stands at {self._taken[entity_id]} already"
            self.problems.append(Problem(message, where=where, hint="give it another alias"))
        self._taken.setdefault(entity_id, " → ".join(map(str, where)))

    def _body(
        self, value: Mapping[str, Any], kind: str, where: Where
    ) -> tuple[Mapping[str, Any] | None, Blueprint | None]:
        """Return what holds the triggers and actions: the entry itself, or the blueprint that it uses."""
        use = value.get("use_blueprint")
        if use is None:
            return value, None
        blueprint = self._blueprints.get(use["path"], kind, (*where, "use_blueprint", "path"))
        if isinstance(blueprint, list):
            self.problems += blueprint
            return None, None
        filled, problems = self._blueprints.filled(blueprint, use["input"], (*where, "use_blueprint", "input"))
        self.problems += problems
        schema = AUTOMATION if kind == "automation" else SCRIPT
        body, wrong = checked(schema, filled)
        self.problems += [placed(problem, blueprint.document) for problem in wrong]
        return (None if problems or wrong else body), blueprint

    @staticmethod
    def _shared(value: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "description": value["description"],
            "mode": body["mode"],
            "max": body["max"],
            "max_exceeded": body["max_exceeded"],
            "stored_traces": value["trace"]["stored_traces"],
        }

    def _note(self, reader: Reader, blueprint: Blueprint | None, where: Where) -> None:
        if blueprint is None:
            self.problems += reader.problems
        else:
            self.problems += [placed(problem, blueprint.document) for problem in reader.problems]
