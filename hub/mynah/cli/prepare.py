"""What most commands begin with: plugins, configuration, personas."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mynah.config.check import Config, load_config, plugin_settings, with_overrides
from mynah.conversation.persona import Persona, personas
from mynah.errors import ConfigError, MynahError
from mynah.plugins import Plugins, load_plugins

DEFAULT_FILE = Path("config.yaml")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that a hub is built from."""

    config: Config
    plugins: Plugins
    personas: Mapping[str, Persona]

    def speaking(self, name: str | None) -> Mapping[str, Persona]:
        """Return who is to speak alone, so that engines need not make ready for all the others; None: the default one.

        Where there is none of that name, it is all of them: the hub says then which there are.
        """
        name = name or self.config.values["persona"] or next(iter(self.personas), "")
        return {name: self.personas[name]} if name in self.personas else self.personas

    def interpreter(self) -> str | None:
        """Return who puts things into another language: the default persona where it does that, else the first one."""
        names = (self.config.values["persona"], *self.personas)
        return next((name for name in names if name in self.personas and self.personas[name].spec.interpret), None)


def add_config_argument(parser: argparse.ArgumentParser) -> None:
    """Add `-c FILE`."""
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        metavar="FILE",
        help="the configuration; without it config.yaml in this folder, or the embedded defaults",
    )


def chosen_file(file: Path | None) -> Path | None:
    """Return the configuration that is meant: `file`, or config.yaml in this folder where there is one."""
    return DEFAULT_FILE if file is None and DEFAULT_FILE.exists() else file


def prepare(file: Path | None, overrides: Mapping[str, Mapping[str, Any]] | None = None) -> Prepared:
    """Load plugins and the configuration. Raises `ConfigError` with every mistake.

    `overrides` replaces single values, section by section, after the file was checked.
    """
    file = chosen_file(file)
    settings = plugin_settings(file)
    plugins = load_plugins(settings.disabled, settings.folder)
    config = load_config(file, plugins.specs, plugins=plugins.names)
    for section in overrides or {}:
        if section not in config.values:
            raise MynahError(f"there is no plugin {section!r}, or it could not be loaded; see `mynah plugins`")
    if overrides:
        config = replace(config, values=with_overrides(config.values, overrides), overrides=overrides)
    known = personas(plugins.personas, config.values["personas"], folder=config.folder)
    problems = [problem for persona in known.values() for problem in _knowledge_problems(persona)]
    if problems:
        raise ConfigError(problems)
    return Prepared(config, plugins, known)


def _knowledge_problems(persona: Persona) -> list[Any]:
    try:
        _ = persona.knowledge
    except ConfigError as error:
        return list(error.problems)
    return []
