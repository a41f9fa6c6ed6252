"""Reads YAML with `!secret`, `!env_var` and `!include`, and remembers where each value stands.

Scalars are read as YAML 1.2 does: `yes`, `no`, `on` and `off` are text, and so are dates and `12:30`. Keys are text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from mynah.config.secret_files import SecretFiles
from mynah.config.text import Sourced
from mynah.config.yaml_nodes import (
    BOOL,
    CONTAINERS,
    FLOAT,
    INT,
    MAX_DEPTH,
    MAX_NODES,
    NULL,
    STR,
    TOO_DEEP,
    TOO_MANY,
    FileProblem,
    compose,
    read_text,
    scalar,
)
from mynah.errors import ConfigError, Problem

KeyPath = tuple[str | int, ...]
Place = tuple[Path, int]

MAX_INCLUDES: Final = 10
SCALARS: Final = (NULL, BOOL, INT, FLOAT, STR)
# Variables that hold credentials by their name are redacted in logs like secrets.
CREDENTIAL: Final = re.compile(r"KEY|TOKEN|SECRET|PASS", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file and all it includes.

    `places` maps the path of keys to each value to its file and line, counted from 1; a key's own line, not its
    value's. `secrets` holds every value that must not be logged. What could not be read is None in `data`, has a
    problem in `problems` and its path in `unread`.
    """

    data: Any = None
    places: Mapping[KeyPath, Place] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    unread: frozenset[KeyPath] = frozenset()
    file: Path | None = None

    def place(self, path: KeyPath) -> tuple[Path | None, int]:
        """Return file and line of the value at `path`, or of the nearest one around it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.places:
                return self.places[path[:end]]
        return self.file, 0


def read_yaml(
    file: Path, environment: Mapping[str, str] | None = None, tags: Mapping[str, Callable[[str], Any]] | None = None
) -> Document:
    """Read `file` with everything it includes; mistakes are in the document's `problems`.

    `tags` are further tags, such as `!input`, each with what makes a value of the name that stands after it.
    Raises `ConfigError` only past the limits: too many values, nested too deep.
    """
    file = Path(os.path.abspath(file))
    reader = _Reader(file, os.environ if environment is None else environment, tags or {})
    data = reader.read(file, ())
    return Document(data, reader.places, reader.secrets, tuple(reader.problems), frozenset(reader.unread), file)


class _Reader:
    """Turns nodes into data, noting places and problems on the way."""

    def __init__(self, file: Path, environment: Mapping[str, str], tags: Mapping[str, Callable[[str], Any]]) -> None:
        self.places: dict[KeyPath, Place] = {}
        self.problems: list[Problem] = []
        self.unread: set[KeyPath] = set()
        self._root = file.parent
        self._environment = environment
        self._credentials: set[str] = set()
        self._secret_files = SecretFiles(file.parent)
        self._open: list[Path] = []
        self._nodes = 0
        self._tags: Mapping[str, Callable[[str, KeyPath], Any]] = {
            "!secret": self._secret,
            "!env_var": self._env_var,
            "!include": self._include,
            **{tag: lambda name, path, make=make: make(name) for tag, make in tags.items()},  # type: ignore[misc]  # bound
        }

    @property
    def secrets(self) -> frozenset[str]:
        return self._secret_files.values | self._credentials

    def read(self, file: Path, path: KeyPath) -> Any:
        """Return the data of `file`, which stands at `path` of the whole."""
        self._open.append(file)
        try:
            node = compose(read_text(file))
            if not path:
                self.places[()] = (file, 1)
            return None if node is None else self._value(node, path)
        except FileProblem as problem:
            self.problems.append(Problem(problem.message, file, problem.line, (), problem.hint))
            self.unread.add(path)
            return None
        finally:
            self._open.pop()

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise ConfigError([*self.problems, self._problem(TOO_MANY, node, ())])
        # An alias within itself has no end either.
        if len(path) > MAX_DEPTH:
            raise ConfigError([*self.problems, self._problem(TOO_DEEP, node, ())])
        try:
            return self._tagged(node, path)
        except FileProblem as problem:
            self.problems.append(self._problem(problem.message, node, path, problem.hint))
            self.unread.add(path)
            return None

    def _tagged(self, node: yaml.Node, path: KeyPath) -> Any:
        if node.tag in self._tags:
            if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
                raise FileProblem(f"{node.tag} needs a name after it")
            return self._tags[node.tag](node.value.strip(), path)
        if isinstance(node, yaml.MappingNode) and node.tag in CONTAINERS:
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag in CONTAINERS:
            return self._sequence(node, path)
        if isinstance(node, yaml.ScalarNode) and node.tag in SCALARS:
            try:
                return scalar(node)
            except (ValueError, KeyError):
                raise FileProblem("a number or truth value that cannot be read") from None
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        raise FileProblem(f"unknown tag {tag}", hint=f"known are {', '.join(self._tags)}")

    def _sequence(self, node: yaml.SequenceNode, path: KeyPath) -> list[Any]:
        items = []
        for index, child in enumerate(node.value):
            self.places[(*path, index)] = self._place(child)
            items.append(self._value(child, (*path, index)))
        return items

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, child in self._pairs(node, path):
            here = (*path, key.value)
            if key.value in data:
                message = f"this key is given a second time; the first is in line {self.places[here][1]}"
                self.problems.append(self._problem(message, key, here, "remove one"))
                continue
            self.places[here] = self._place(key)
            data[key.value] = self._value(child, here)
        return data

    def _pairs(self, node: yaml.MappingNode, path: KeyPath) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        pairs = []
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag not in SCALARS or not key.value:
                self.problems.append(self._problem("a key must be plain text", key, path))
            elif key.value == "<<" and key.style is None:
                hint = "put what is shared into a file and use !include"
                self.problems.append(self._problem("merging with << is not supported", key, path, hint))
            else:
                pairs.append((key, child))
        return pairs

    def _secret(self, name: str, path: KeyPath) -> Sourced:
        return Sourced.of(self._secret_files.find(name, self._open[-1].parent), f"!secret {name}")

    def _env_var(self, text: str, path: KeyPath) -> Sourced:
        name, *default = text.split(maxsplit=1)
        if name not in self._environment and not default:
            hint = f"set it, or give a default: !env_var {name} value"
            raise FileProblem(f"the environment variable {name!r} is not set", hint=hint)
        value = self._environment.get(name, default[0] if default else "")
        if value and CREDENTIAL.search(name):
            self._credentials.add(value)
        return Sourced.of(value, f"!env_var {name}")

    def _include(self, name: str, path: KeyPath) -> Any:
        file = Path(os.path.normpath(self._open[-1].parent / name))
        if not file.is_relative_to(self._root):
            raise FileProblem(f"!include {name} leaves the folder of the configuration", hint="move the file into it")
        if file in self._open:
            chain = " → ".join(each.name for each in [*self._open[self._open.index(file) :], file])
            raise FileProblem(f"!include {name} goes in circles: {chain}")
        if len(self._open) > MAX_INCLUDES:
            raise FileProblem(f"!include {name}: more than {MAX_INCLUDES} files include one another")
        if not file.is_file():
            raise FileProblem(f"!include {name}: there is no such file in {file.parent.name or file.parent}")
        return self.read(file, path)

    def _place(self, node: yaml.Node) -> Place:
        return self._open[-1], node.start_mark.line + 1

    def _problem(self, message: str, node: yaml.Node, path: KeyPath, hint: str = "") -> Problem:
        file, line = self._place(node)
        return Problem(message, file, line, path, hint)
