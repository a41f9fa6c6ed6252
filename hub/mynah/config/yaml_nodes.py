"""YAML text to PyYAML's tree of nodes, within limits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.composer import ComposerError
from yaml.reader import ReaderError

from mynah.config.yaml_errors import plain_words

MAX_BYTES: Final = 1 << 20
MAX_NODES: Final = 100_000
MAX_DEPTH: Final = 50

STANDARD: Final = "tag:yaml.org,2002:"
NULL, BOOL, INT, FLOAT, STR = (STANDARD + name for name in ("null", "bool", "int", "float", "str"))
CONTAINERS: Final = (STANDARD + "map", STANDARD + "seq")
TOO_MANY: Final = f"more than {MAX_NODES:,} values; is an alias (*name) repeated too often?"
TOO_DEEP: Final = f"nested more than {MAX_DEPTH} levels deep"


class FileProblem(Exception):
    """A file that cannot be used; `line` counts from 1 (0: the whole file)."""

    def __init__(self, message: str, line: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.hint = hint


class NodeLoader(yaml.SafeLoader):
    """PyYAML's safe loader, bounded, with the scalars of YAML 1.2's core schema."""

    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # PyYAML's way

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = 0
        self.nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose one node, counting."""
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        self.nodes += 1
        self.depth += 1
        if self.nodes > MAX_NODES:
            raise ComposerError(None, None, TOO_MANY, mark)
        if self.depth > MAX_DEPTH:
            raise ComposerError(None, None, TOO_DEEP, mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


NodeLoader.add_implicit_resolver(NULL, re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
NodeLoader.add_implicit_resolver(BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
NodeLoader.add_implicit_resolver(INT, re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"), list("-+0123456789"))
NodeLoader.add_implicit_resolver(
    FLOAT,
    re.compile(
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)


def read_text(file: Path) -> str:
    """Return the text of `file`. Raises `FileProblem` if it cannot be read, is too large or no UTF-8."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise FileProblem("there is no such file") from None
    except OSError as error:
        raise FileProblem(f"cannot be read: {(error.strerror or str(error)).lower()}") from error
    if len(data) > MAX_BYTES:
        raise FileProblem(f"larger than {MAX_BYTES // 1024} KiB, the most that is read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileProblem("not UTF-8 text", data.count(b"\n", 0, error.start) + 1, "save it as UTF-8") from None


def compose(text: str) -> yaml.Node | None:
    """Return the root node of `text`, or None if it holds nothing. Raises `FileProblem` with a line."""
    loader = None
    try:
        loader = NodeLoader(text)
        return loader.get_single_node()
    except ReaderError as error:
        line = text.count("\n", 0, max(error.position, 0)) + 1
        raise FileProblem(f"a control character (code {ord(text[error.position]):#x})", line, "remove it") from None
    except yaml.YAMLError as error:
        raise FileProblem(*plain_words(error)) from None
    finally:
        if loader is not None:
            loader.dispose()


def scalar(node: yaml.ScalarNode) -> Any:
    """Return the value of a scalar with a standard tag. Raises `ValueError` if it does not fit its tag."""
    text = node.value
    if node.tag == NULL:
        return None
    if node.tag == BOOL:
        return {"true": True, "false": False}[text.lower()]
    if node.tag == INT:
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if node.tag == FLOAT:
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text
