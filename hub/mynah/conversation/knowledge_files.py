"""Knowledge files: YAML in, `Knowledge` out, every mistake with its file and line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import voluptuous as vol
import yaml

from mynah.errors import ConfigError, Problem
from mynah.knowledge import Attribute, Fact, Knowledge, Subject

Where = tuple[str | int, ...]

_text = vol.All(str, str.strip, vol.Length(min=1, msg="expected some text"))
_texts = vol.Any(None, [_text], msg="expected a list of texts")
_number = vol.All(vol.Any(int, float), vol.Coerce(float))
_fact = {
    vol.Required("say", msg="every fact needs a sentence to say"): _text,
    "value": vol.Any(None, _number),
    "unit": vol.Any(None, str),
    "source": vol.Any(None, str),
}
_subject = {
    vol.Required("id", msg="every subject needs an id"): vol.All(
        str, vol.Match(r"^[^\W]+$", msg="expected letters, digits and underscores")
    ),
    "name": _text,
    "plural": _text,
    "also": _texts,
    "kind": vol.Any(None, str),
    "facts": vol.Any(None, {_text: object}, msg="expected attributes with facts"),
}
_attribute = {
    "title": _text,
    **{key: _texts for key in ("questions", "also", "more", "less", "most", "least")},
}
_file = {"subjects": vol.Any(None, [object]), "attributes": vol.Any(None, {_text: object})}
_SLOT = re.compile(r"\{([^}]*)\}")
_SLOTS = {"name", "a_name", "plural"}


def load_knowledge(files: Sequence[Path]) -> Knowledge:
    """Read and merge knowledge files, in order.

    Subjects merge by id: a later file adds facts, or replaces those of the same attribute, and may give new names. A
    subject needs a `name` somewhere; `plural` is `name` with an s where it is not given. Attributes merge by id too:
    what a later file gives replaces what was there. Raises `ConfigError` with every mistake in every file.
    """
    reading = _Reading()
    for file in files:
        reading.read(Path(file))
    return reading.result()


def holds_attributes(file: Path) -> bool:
    """Return whether a knowledge file says how people ask; False where it cannot be read."""
    try:
        data = yaml.load(file.read_text(encoding="utf-8"), Loader=_loader())
    except (OSError, ValueError, yaml.YAMLError):
        return False
    return isinstance(data, dict) and bool(data.get("attributes"))


def _loader() -> Any:
    """Return PyYAML's safe loader, the one in C where it was built."""
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class _Source:
    """One file: its text, for the lines of problems, and the problems."""

    path: Path
    text: str
    problems: list[Problem]

    def complain(self, message: str, where: Where, hint: str = "") -> None:
        self.problems.append(Problem(message, self.path, _line(self.text, where), where, hint))

    def check(self, schema: Any, value: Any, where: Where) -> Any:
        """Return the valid value, or None after noting every mistake."""
        try:
            return vol.Schema(schema)(value)
        except vol.MultipleInvalid as error:
            for mistake in error.errors:
                path: Where = tuple(step if isinstance(step, int) else str(step) for step in mistake.path)
                message, hint = _in_words(mistake, schema)
                self.complain(message, (*where, *path), hint)
            return None


class _Reading:
    """Collects subjects and attributes over all files."""

    def __init__(self) -> None:
        self._subjects: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, tuple[_Source, Where]] = {}
        self._attributes: dict[str, Attribute] = {}
        self._problems: list[Problem] = []

    def read(self, path: Path) -> None:
        try:
            text = path.read_text(encoding="utf-8")
            data = yaml.load(text, Loader=_loader())
        except OSError as error:
            self._problems.append(
                Problem(f"cannot be read: {error.strerror or error}", path, hint="check the path under `knowledge:`")
            )
            return
        except (ValueError, yaml.YAMLError) as error:
            mark = getattr(error, "problem_mark", None)
            message = f"is not YAML: {getattr(error, 'problem', None) or error}"
            self._problems.append(Problem(message, path, mark.line + 1 if mark else 0, hint="mind the indentation"))
            return
        source = _Source(path, text, self._problems)
        valid = source.check(_file, {} if data is None else data, ())
        for index, subject in enumerate((valid or {}).get("subjects") or ()):
            self._subject(source, subject, ("subjects", index))
        for id, attribute in ((valid or {}).get("attributes") or {}).items():
            self._attribute(source, id, attribute or {}, ("attributes", id))

    def result(self) -> Knowledge:
        for id, subject in self._subjects.items():
            if "name" not in subject:
                source, where = self._seen[id]
                hint = "give it a `name`, or correct the id if it stands in another file"
                source.complain(f"no file says what '{id}' is called", where, hint)
        if self._problems:
            raise ConfigError(self._problems)
        return Knowledge({id: _as_subject(values) for id, values in self._subjects.items()}, dict(self._attributes))

    def _subject(self, source: _Source, value: Any, where: Where) -> None:
        valid = source.check(_subject, value, where)
        if valid is None:
            return
        facts = {}
        for attribute, said in (valid.pop("facts", None) or {}).items():
            place = (*where, "facts", attribute)
            found = source.check([_fact] if isinstance(said, list) else _fact, said, place)
            if found:
                facts[attribute] = tuple(_as_fact(f) for f in (found if isinstance(said, list) else [found]))
            elif found is not None:
                source.complain("is empty", place, "write a fact, or leave the attribute out")
        self._seen.setdefault(valid["id"], (source, where))
        known = self._subjects.setdefault(valid["id"], {"facts": {}})
        known.update({key: item for key, item in valid.items() if item is not None})
        known["facts"] = {**known["facts"], **facts}

    def _attribute(self, source: _Source, id: str, value: Any, where: Where) -> None:
        valid = source.check(_attribute, value, where)
        if valid is None:
            return
        for key in ("questions", "also"):
            for index, question in enumerate(valid.get(key) or ()):
                for slot in set(_SLOT.findall(question)) - _SLOTS:
                    hint = "a question may hold {name}, {a_name} or {plural}"
                    source.complain(f"nothing is called {{{slot}}}", (*where, key, index), hint)
        known = self._attributes.get(id) or Attribute(id, id.replace("_", " "))
        given: dict[str, Any] = {key: item if key == "title" else tuple(item or ()) for key, item in valid.items()}
        self._attributes[id] = replace(known, **given)


def _as_fact(values: Mapping[str, Any]) -> Fact:
    return Fact(values["say"], values.get("value"), values.get("unit") or "", values.get("source") or "")


def _as_subject(values: Mapping[str, Any]) -> Subject:
    name = values["name"]
    also = tuple(values.get("also") or ())
    return Subject(
        values["id"], name, values.get("plural") or f"{name}s", also, values.get("kind", ""), values["facts"]
    )


def _in_words(mistake: vol.Invalid, schema: Any) -> tuple[str, str]:
    """Return a message and a hint for a mistake that voluptuous found."""
    if isinstance(mistake, vol.RequiredFieldInvalid):
        return mistake.msg, ""
    keys = schema if isinstance(schema, dict) else schema[0]
    if mistake.msg.startswith("extra keys") or mistake.msg.startswith("not a valid option"):
        return "unknown key", f"known are {', '.join(sorted(str(key) for key in keys))}"
    return mistake.msg, ""


def _line(text: str, where: Where) -> int:
    """Return the line of the value at `where`, or of the nearest thing around it that exists."""
    node = yaml.compose(text, Loader=_loader())
    line = 1
    for step in where:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, value) for key, value in node.value if key.value == str(step)]
            if not pairs:
                break
            line, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            break
    return line
