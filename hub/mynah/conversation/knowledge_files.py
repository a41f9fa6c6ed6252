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
from mynah.knowledge import Attribute, Fact, Knowledge, Question, Subject

Where = tuple[str | int, ...]

_text = vol.All(str, str.strip, vol.Length(min=1, msg="expected some text"))
_texts = vol.Any(None, [_text], msg="expected a list of texts")
_number = vol.All(vol.Any(int, float), vol.Coerce(float))
_ask = {
    vol.Required("say", msg="every question needs a sentence to say"): _text,
    vol.Required("answers", msg="every question needs the answers that are right"): vol.All(
        [_text], vol.Length(min=1, msg="expected a list of texts")
    ),
    "hint": vol.Any(None, str),
}
_fact_shape = {
    vol.Required("say", msg="every fact needs a sentence to say"): _text,
    "ask": _ask,
    "value": vol.Any(None, _number),
    "unit": vol.Any(None, str),
    "source": vol.Any(None, str),
    "tool": vol.Any(None, str),
}
_subject_shape = {
    vol.Required("id", msg="every subject needs an id"): vol.All(
        str, vol.Match(r"^[^\W]+$", msg="expected letters, digits and underscores")
    ),
    "name": _text,
    "plural": _text,
    "also": _texts,
    "kind": vol.Any(None, str),
    "facts": vol.Any(None, {_text: object}, msg="expected attributes with facts"),
}
_attribute_shape = {
    "title": _text,
    **{key: _texts for key in ("questions", "also", "more", "less", "most", "least")},
}
_language = vol.Any(
    None,
    vol.All(str, vol.Match(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*\Z")),
    msg="a language is written as a tag such as en or pt-BR",
)
_file_shape = {
    "language": _language,
    "subjects": vol.Any(None, [object]),
    "attributes": vol.Any(None, {_text: object}),
}
# Compiled once: to do it for each of a thousand values took longer than all the rest of reading them.
_fact, _facts, _subject, _attribute, _file = (
    vol.Schema(shape) for shape in (_fact_shape, [_fact_shape], _subject_shape, _attribute_shape, _file_shape)
)
_SLOT = re.compile(r"\{([^}]*)\}")
_SLOTS = {"name", "a_name", "plural"}


def load_knowledge(files: Sequence[Path]) -> Knowledge:
    """Read and merge knowledge files of one language, in order; see `load_by_language`."""
    return next(iter(load_by_language(files).values()))


def load_by_language(files: Sequence[Path]) -> dict[str, Knowledge]:
    """Read and merge knowledge files, in order, for each language that they say; files that say none are for all.

    Without any that says its language there is one knowledge, of the language "". Subjects merge by id: a later file
    adds facts, or replaces those of the same attribute, and may give new names. A subject needs a `name` somewhere;
    `plural` is `name` where it is not given, in English and where no language is said with an s. Attributes merge by
    id too: what a later file gives replaces what was there. Raises `ConfigError` with every mistake in every file.
    """
    problems: list[Problem] = []
    read = [found for file in files if (found := _read(Path(file), problems))]
    known = {}
    for language in dict.fromkeys(tag for _, tag, _ in read if tag) or [""]:
        merging = _Merging(language)
        for source, tag, data in read:
            if tag in ("", language):
                merging.add(source, data)
        known[language] = merging.result()
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return known


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


@dataclass(frozen=True)
class _Source:
    """One file: its text, for the lines of problems, and the problems."""

    path: Path
    text: str
    problems: list[Problem]

    def complain(self, message: str, where: Where, hint: str = "") -> None:
        self.problems.append(Problem(message, self.path, _line(self.text, where), where, hint))

    def check(self, schema: vol.Schema, value: Any, where: Where) -> Any:
        """Return the valid value, or None after noting every mistake."""
        try:
            return schema(value)
        except vol.MultipleInvalid as error:
            for mistake in error.errors:
                path: Where = tuple(step if isinstance(step, int) else str(step) for step in mistake.path)
                message, hint = _in_words(mistake, schema.schema)
                self.complain(message, (*where, *path), hint)
            return None


def _read(path: Path, problems: list[Problem]) -> tuple[_Source, str, Mapping[str, Any]] | None:
    """Return a file, its language and what it holds, or None after noting why not."""
    try:
        text = path.read_text(encoding="utf-8")
        data = yaml.load(text, Loader=_loader())
    except OSError as error:
        problems.append(
            Problem(f"cannot be read: {error.strerror or error}", path, hint="check the path under `knowledge:`")
        )
        return None
    except (ValueError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        message = f"is not YAML: {getattr(error, 'problem', None) or error}"
        problems.append(Problem(message, path, mark.line + 1 if mark else 0, hint="mind the indentation"))
        return None
    source = _Source(path, text, problems)
    valid = source.check(_file, {} if data is None else data, ()) or {}
    return source, valid.get("language") or "", valid


class _Merging:
    """Collects subjects and attributes of one language over all files."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._subjects: dict[str, dict[str, Any]] = {}
        self._seen: dict[str, tuple[_Source, Where]] = {}
        self._attributes: dict[str, Attribute] = {}

    def add(self, source: _Source, data: Mapping[str, Any]) -> None:
        for index, subject in enumerate(data.get("subjects") or ()):
            self._subject(source, subject, ("subjects", index))
        for id, attribute in (data.get("attributes") or {}).items():
            self._attribute(source, id, attribute or {}, ("attributes", id))

    def result(self) -> Knowledge:
        for id, subject in self._subjects.items():
            if "name" not in subject:
                source, where = self._seen[id]
                hint = "give it a `name`, or correct the id if it stands in another file"
                source.complain(f"no file says what '{id}' is called", where, hint)
        ending = "s" if self._language.lower().split("-")[0] in ("", "en") else ""
        subjects = {id: _as_subject(values, ending) for id, values in self._subjects.items() if "name" in values}
        return Knowledge(subjects, dict(self._attributes), self._language)

    def _subject(self, source: _Source, value: Any, where: Where) -> None:
        valid = source.check(_subject, value, where)
        if valid is None:
            return
        facts = {}
        for attribute, said in (valid.pop("facts", None) or {}).items():
            place = (*where, "facts", attribute)
            found = source.check(_facts if isinstance(said, list) else _fact, said, place)
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
    asked = values.get("ask")
    ask = Question(asked["say"], tuple(asked["answers"]), asked.get("hint") or "") if asked else None
    return Fact(
        values["say"],
        values.get("value"),
        values.get("unit") or "",
        values.get("source") or "",
        ask,
        values.get("tool") or "",
    )


def _as_subject(values: Mapping[str, Any], ending: str) -> Subject:
    name = values["name"]
    also = tuple(values.get("also") or ())
    return Subject(
        values["id"], name, values.get("plural") or f"{name}{ending}", also, values.get("kind", ""), values["facts"]
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
