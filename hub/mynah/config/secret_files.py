"""Secrets: `secrets.yaml` beside the file that asks, or in a folder above it up to that of the main file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

from mynah.config.text import suggest
from mynah.config.yaml_nodes import FileProblem, compose, read_text

NAME: Final = "secrets.yaml"


class SecretFiles:
    """Finds secrets by name, reading each file once.

    Values are text as written, whatever it looks like.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[Path, dict[str, str]] = {}

    @property
    def values(self) -> frozenset[str]:
        """Every value of every file that was read, used or not."""
        return frozenset(value for secrets in self._read.values() for value in secrets.values() if value)

    def find(self, name: str, folder: Path) -> str:
        """Return the secret called `name`, looking from `folder` upwards. Raises `FileProblem`."""
        known: set[str] = set()
        files = [file for file in self._files(folder) if file.is_file()]
        for file in files:
            secrets = self._secrets(file)
            if secrets.get(name):
                return secrets[name]
            if name in secrets:
                raise FileProblem(f"the secret {name!r} is empty in {NAME}")
            known.update(secrets)
        if not files:
            raise FileProblem(f"there is no {NAME} for the secret {name!r}", hint=f"create one with a line '{name}: …'")
        raise FileProblem(f"no secret named {name!r} in {NAME}", hint=suggest(name, known))

    def _files(self, folder: Path) -> list[Path]:
        folders = [folder]
        while folders[-1] != self._root and self._root in folders[-1].parents:
            folders.append(folders[-1].parent)
        return [each / NAME for each in folders]

    def _secrets(self, file: Path) -> dict[str, str]:
        if file not in self._read:
            self._read[file] = {}  # a broken file is reported once per secret, and read once
            self._read[file] = _parse(file)
        return self._read[file]


def _parse(file: Path) -> dict[str, str]:
    try:
        node = compose(read_text(file))
    except FileProblem as problem:
        at = f" line {problem.line}" if problem.line else ""
        raise FileProblem(f"{NAME}{at}: {problem.message}", hint=problem.hint) from None
    if node is None:
        return {}
    pairs = node.value if isinstance(node, yaml.MappingNode) else [(node, node)]
    secrets: dict[str, str] = {}
    for key, value in pairs:
        line = key.start_mark.line + 1
        if not (isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode)) or key is value:
            raise FileProblem(f"{NAME} line {line}: expected 'name: value', the value on the same line")
        if key.value in secrets:
            raise FileProblem(f"{NAME} line {line}: the secret {key.value!r} is given twice")
        secrets[key.value] = value.value
    return secrets
