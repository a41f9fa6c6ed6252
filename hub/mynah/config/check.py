"""Checks a configuration against what the core and the plugins know, and reports every mistake at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from mynah.config.engine_entries import check_engines
from mynah.config.messages import UNKNOWN, Mistake, validate
from mynah.config.references import absolute, check_references
from mynah.config.schema import CORE_NAMES, PLUGINS, components, whole_schema
from mynah.config.text import Sourced, shown, suggest
from mynah.config.yaml_loader import Document, KeyPath, Place, read_yaml
from mynah.errors import ConfigError, PluginError, Problem
from mynah.specs import PersonaSpec, Spec, ToolSpec

HIDDEN: Final = "•••"
MIN_REDACTED: Final = 4
"""Shorter secrets are not looked for in messages: they would blot out ordinary words."""


@dataclass(frozen=True, slots=True)
class Config:
    """A valid configuration.

    `values` has every key of the core and of each component, defaults filled in. Paths in it are absolute.
    `engines` maps each kind to entries, every one a mapping; embedded engines stand in where none is configured.
    A persona has only the keys that were given. `folder` is that of the file, or the working directory. `overrides`
    are single values in `values` that were not in the file, section by section; `warnings` what may be a mistake.
    """

    values: Mapping[str, Any]
    file: Path | None = None
    folder: Path = field(default_factory=Path.cwd)
    places: Mapping[KeyPath, Place] = field(default_factory=dict)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class PluginSettings:
    """What the plugin loader must know before there are specs to check the rest with."""

    disabled: tuple[str, ...] = ()
    folder: Path | None = None


def plugin_settings(path: Path | None) -> PluginSettings:
    """Return the `plugins` section of the file. Raises `ConfigError` if it, or the YAML as such, is wrong."""
    document = read_yaml(path) if path else Document()
    if document.data is None and document.problems:
        raise ConfigError(list(document.problems))
    section = document.data.get("plugins") if isinstance(document.data, Mapping) else None
    value, mistakes = validate(PLUGINS, section, ("plugins",))
    if mistakes:
        raise ConfigError(_problems(document, mistakes))
    folder = value["folder"] and absolute(value["folder"], _folder(document))
    return PluginSettings(tuple(str(name) for name in value["disabled"]), folder or None)


def load_config(path: Path | None, specs: Sequence[Spec], *, plugins: Collection[str] = ()) -> Config:
    """Read and check the configuration in `path` (None: an empty one) against the plugins' `specs`.

    `plugins` names every plugin that is installed, so that wrong names in `plugins: disabled:` are found. Raises
    `ConfigError` with every problem.
    """
    return check(read_yaml(path) if path else Document(), specs, plugins=plugins)


def with_overrides(values: Mapping[str, Any], overrides: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return `values` with single ones replaced, section by section."""
    return {**values, **{name: {**values[name], **more} for name, more in overrides.items()}}


def check(document: Document, specs: Sequence[Spec], *, plugins: Collection[str] = ()) -> Config:
    """Check a document. Raises `ConfigError` with every problem."""
    for spec in components(specs):
        if spec.name in CORE_NAMES:
            raise PluginError(f"a component cannot be named {spec.name!r}: the core has a section of that name")
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        mistake = Mistake((), f"expected sections such as 'engines:', got {shown(data)}")
        raise ConfigError(_problems(document, [mistake]))
    folder = _folder(document)
    disabled = _disabled(data)
    specs = [spec for spec in specs if spec.name not in disabled]
    values, mistakes = validate(whole_schema(specs), data)
    mistakes = [*_disabled_sections(mistakes, disabled, plugins), *_disabled_names(data, plugins)]
    problems: list[Problem] = []
    warnings: list[Problem] = []
    chains, wrong_entries = check_engines(data.get("engines"), specs, disabled)
    mistakes += wrong_entries
    if not document.unread:  # a file that could not be included may hold the names that would be missed here
        names = frozenset(spec.name for spec in specs if isinstance(spec, PersonaSpec))
        tools = frozenset(spec.name for spec in specs if isinstance(spec, ToolSpec))
        mistakes += check_references(data, names, tools, disabled, folder)
        mistakes += _of_components(data, specs, folder, problems, warnings)
    if problems := [*problems, *_problems(document, mistakes)]:
        raise ConfigError(_in_order(problems, document))
    values = _plain({**values, "engines": chains})
    told = tuple(_in_order([_placed(warning, document) for warning in warnings], document))
    return Config(_with_paths(values, folder), document.file, folder, document.places, document.secrets, warnings=told)


def _disabled(data: Mapping[str, Any]) -> frozenset[str]:
    section = data.get("plugins")
    names = section.get("disabled") if isinstance(section, Mapping) else None
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()


def _disabled_sections(
    mistakes: Iterable[Mistake], disabled: frozenset[str], plugins: Collection[str]
) -> Iterator[Mistake]:
    """Say of unknown sections that bear the name of a plugin why they are unknown."""
    for mistake in mistakes:
        name = mistake.path[0] if mistake.path else ""
        if len(mistake.path) != 1 or mistake.message != UNKNOWN or name not in {*plugins, *disabled}:
            yield mistake
        elif name in disabled:
            yield Mistake(mistake.path, f"plugin {name!r} is disabled", "remove this section, or enable the plugin")
        else:
            hint = "`mynah plugins` says what it has, or why it could not be loaded"
            yield Mistake(mistake.path, f"plugin {name!r} has no section of its name", hint)


def _disabled_names(data: Mapping[str, Any], plugins: Collection[str]) -> Iterator[Mistake]:
    section = data.get("plugins")
    names = section.get("disabled") if isinstance(section, Mapping) else None
    for index, name in enumerate(names if isinstance(names, list) and plugins else ()):
        if isinstance(name, str) and name not in plugins:
            yield Mistake(("plugins", "disabled", index), f"no plugin named {shown(name)}", suggest(name, plugins))


def _problems(document: Document, mistakes: Iterable[Mistake]) -> list[Problem]:
    """Return every problem in the order of the files' lines, without the values of secrets."""
    problems = list(document.problems)
    for mistake in mistakes:
        if mistake.path in document.unread:
            continue  # its value could not be read, and that is reported
        problems.append(_placed(Problem(mistake.message, where=mistake.path, hint=mistake.hint), document))
    return _in_order(problems, document)


def _placed(problem: Problem, document: Document) -> Problem:
    """Return a problem with its file and line, if it has none yet, and without the values of secrets."""
    file, line = document.place(problem.where) if problem.file is None else (problem.file, problem.line)
    message, hint = (redacted(text, document.secrets) for text in (problem.message, problem.hint))
    return replace(problem, message=message, hint=hint, file=file, line=line)


def _in_order(problems: Iterable[Problem], document: Document) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.file != document.file, str(problem.file), problem.line))


def _of_components(
    data: Mapping[str, Any], specs: Sequence[Spec], folder: Path, elsewhere: list[Problem], warnings: list[Problem]
) -> Iterator[Mistake]:
    """Yield what the components' own checks find, but problems in files of their own and warnings, which go there."""
    for spec in components(specs):
        for problem in spec.check(data, specs, folder):
            if problem.warning:
                warnings.append(problem)
            elif problem.file is None:
                yield Mistake(problem.where, problem.message, problem.hint)
            else:
                elsewhere.append(problem)


def redacted(text: str, secrets: frozenset[str]) -> str:
    """Return `text` with the values of secrets blotted out, all but very short ones."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= MIN_REDACTED:
            text = text.replace(secret, HIDDEN)
    return text


def _folder(document: Document) -> Path:
    return document.file.parent if document.file else Path.cwd()


def _plain(value: Any) -> Any:
    """Return `value` with text that remembers its source turned into plain text."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Sourced) else value


def _with_paths(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Make the core's paths absolute."""

    def full(path: str | None) -> str | None:
        return path and str(absolute(path, folder))

    personas = {
        name: {**persona, "knowledge": [full(file) for file in persona["knowledge"]]}
        if "knowledge" in persona
        else persona
        for name, persona in values["personas"].items()
    }
    return {
        **values,
        "data": full(values["data"]),
        "log": {**values["log"], "file": full(values["log"]["file"])},
        "plugins": {**values["plugins"], "folder": full(values["plugins"]["folder"])},
        "personas": personas,
    }
