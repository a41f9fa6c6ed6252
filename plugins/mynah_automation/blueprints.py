"""Blueprints: automations with blanks, `!input NAME`, that are filled in where they are used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import voluptuous as vol

from mynah import DURATION, ConfigError, Document, Problem, checked, read_yaml
from mynah_automation.config import ENTITY, TEXT, VALUE

INPUT: Final = {
    vol.Optional("name"): TEXT,
    vol.Optional("description"): str,
    vol.Optional("default"): object,
    vol.Optional("selector"): vol.Any(None, {str: object}),
}
HEAD: Final = {
    vol.Required("name"): TEXT,
    vol.Optional("description"): str,
    vol.Required("domain"): vol.In(["automation", "script"]),
    vol.Optional("author"): str,
    vol.Optional("homeassistant"): dict,
    vol.Optional("source_url"): str,
    vol.Optional("input", default=dict): {str: vol.Any(None, dict)},
}


@dataclass(frozen=True, slots=True)
class Blank:
    """`!input NAME` in a blueprint."""

    name: str


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A blueprint's file, its head, and the automation with its blanks."""

    document: Document
    head: Mapping[str, Any]
    body: Mapping[str, Any]


def options(value: Any) -> list[Any]:
    """Return what a selector lets one choose from."""
    given = (value or {}).get("options", [])
    return [each["value"] if isinstance(each, Mapping) else each for each in given]


def selector_schema(selector: Any) -> Any:
    """Return what a selector takes; of one that is not known, anything."""
    if not isinstance(selector, Mapping) or len(selector) != 1:
        return object
    (kind, how), *_ = selector.items()
    how = how if isinstance(how, Mapping) else {}
    number = vol.All(float, vol.Range(min=how.get("min"), max=how.get("max")))
    single: Any = {
        "boolean": bool,
        "text": str,
        "template": str,
        "number": number,
        "entity": ENTITY,
        "speaker": TEXT,
        "area": TEXT,
        "time": vol.All(str, vol.Match(r"^\d{1,2}:\d\d(:\d\d)?\Z", msg="a time is written like '11:30'")),
        "duration": DURATION,
        "select": vol.In(options(how)) if not how.get("custom_value") else VALUE,
        "constant": VALUE,
    }.get(str(kind), object)
    return vol.Any([single], single) if how.get("multiple") else single


class Blueprints:
    """The blueprints of a folder; each file is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Blueprint | list[Problem]] = {}

    def get(self, path: str, kind: str, where: tuple[str | int, ...]) -> Blueprint | list[Problem]:
        """Return a blueprint, or what is wrong: with `path`, which stands at `where`, or in the file."""
        file = (self._folder / path).resolve()
        if not file.is_relative_to(self._folder.resolve()):
            return [Problem(f"the blueprint {path!r} leaves its folder", where=where, hint="move it into the folder")]
        if not file.is_file():
            hint = f"it is looked for in {self._folder}"
            return [Problem(f"there is no blueprint {path!r}", where=where, hint=hint)]
        if path not in self._known:
            self._known[path] = _read(file)
        found = self._known[path]
        if isinstance(found, Blueprint) and found.head["domain"] != kind:
            return [Problem(f"the blueprint {path!r} is for {found.head['domain']}s", where=where)]
        return found

    def filled(
        self, blueprint: Blueprint, given: Mapping[str, Any], where: tuple[str | int, ...]
    ) -> tuple[Any, list[Problem]]:
        """Return the body with `given` in its blanks, and what is wrong with that."""
        inputs = {name: about or {} for name, about in _flat(blueprint.head["input"]).items()}
        problems: list[Problem] = []
        values: dict[str, Any] = {}
        for name in given:
            if name not in inputs:
                known = ", ".join(inputs) or "none"
                problems.append(
                    Problem("the blueprint has no such input", where=(*where, name), hint=f"known are {known}")
                )
        for name, about in inputs.items():
            if name in given:
                _, wrong = checked(selector_schema(about.get("selector")), given[name], (*where, name))
                problems += wrong
                values[name] = given[name]
            elif "default" in about:
                values[name] = about["default"]
            else:
                problems.append(Problem(f"the blueprint's input {name!r} is missing", where=where))
                values[name] = None
        return _fill(blueprint.body, values), problems


def _read(file: Path) -> Blueprint | list[Problem]:
    try:
        document = read_yaml(file, tags={"!input": Blank})
    except ConfigError as error:
        return list(error.problems)
    if document.problems:
        return list(document.problems)
    data = document.data
    if not isinstance(data, Mapping) or not isinstance(data.get("blueprint"), Mapping):
        return [Problem("a blueprint begins with 'blueprint:' and its name", file, 1)]
    head, problems = checked(HEAD, data["blueprint"], ("blueprint",))
    inputs = _flat(data["blueprint"].get("input") or {})
    for name, about in inputs.items():
        problems += checked(INPUT, about or {}, ("blueprint", "input", name))[1]
    body = {key: value for key, value in data.items() if key != "blueprint"}
    for blank, where in _blanks(body, ()):
        if blank.name not in inputs:
            problems.append(Problem(f"there is no input {blank.name!r}", where=where))
    if problems:
        return [placed(problem, document) for problem in problems]
    return Blueprint(document, head, body)


def _flat(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs without the sections that they may be in."""
    flat: dict[str, Any] = {}
    for name, about in inputs.items():
        if isinstance(about, Mapping) and isinstance(about.get("input"), Mapping):
            flat.update(about["input"])
        else:
            flat[name] = about
    return flat


def placed(problem: Problem, document: Document) -> Problem:
    """Return a problem with its file and line in `document`."""
    file, line = document.place(problem.where)
    return replace(problem, file=file, line=line)


def _blanks(value: Any, where: tuple[str | int, ...]) -> list[tuple[Blank, tuple[str | int, ...]]]:
    if isinstance(value, Blank):
        return [(value, where)]
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, each in pairs for found in _blanks(each, (*where, key))]


def _fill(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, Blank):
        return values.get(value.name)
    if isinstance(value, Mapping):
        return {key: _fill(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [_fill(each, values) for each in value]
    return value
