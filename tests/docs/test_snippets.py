"""What the pages tell people to write and to type works as it stands there.

The code blocks of a page are followed in order, in an empty folder. A block that begins with a comment naming a file
is added to that file. Python is run, all of a page in one namespace, but for files named test_*, which are for pytest.
YAML is checked as a configuration, TOML is read, and of a console's commands those of `mynah` and `python` are run.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from mynah.cli.main import main

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("writing_plugins.md", "hooks.md", "bench.md")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\S+\.(?:py|yaml|toml))\n")
PROGRAMS = {"mynah": [sys.executable, "-m", "mynah.cli.main"], "python": [sys.executable]}


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the line where that begins, and the file that it names."""

    language: str
    text: str
    line: int
    file: str


def blocks(page: str) -> Iterator[Block]:
    for found in BLOCK.finditer(page):
        text = found[2]
        named = FILE.match(text)
        yield Block(found[1], text, page.count("\n", 0, found.start(2)) + 1, named[1] if named else "")


class Reader:
    """Does what a page says."""

    def __init__(self, page: str, folder: Path, module: ModuleType) -> None:
        self.page = page
        self.folder = folder
        self.module = module

    def follow(self, block: Block) -> None:
        if block.file:
            path = self.folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(block.text)
        getattr(self, block.language)(block)

    def python(self, block: Block) -> None:
        if not Path(block.file).name.startswith("test_"):
            code = compile("\n" * (block.line - 1) + block.text, str(DOCS / self.page), "exec", dont_inherit=True)
            exec(code, vars(self.module))

    def yaml(self, block: Block) -> None:
        path = self.folder / (block.file or "snippet.yaml")
        if not block.file:
            path.write_text(block.text, encoding="utf-8")
        assert main(["check-config", str(path)]) == 0

    def toml(self, block: Block) -> None:
        assert tomllib.loads(block.text)

    def console(self, block: Block) -> None:
        for line in block.text.splitlines():
            program, *arguments = shlex.split(line.removeprefix("$ "))
            if line.startswith("$ ") and program in PROGRAMS:
                command = [*PROGRAMS[program], *arguments]
                done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120)
                assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_followed_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = ModuleType("snippets")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    reader = Reader(page, tmp_path, module)
    found = list(blocks((DOCS / page).read_text(encoding="utf-8")))
    assert found
    for block in found:
        reader.follow(block)


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_links_between_pages_lead_somewhere(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    targets = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [target for target in targets if target and not (DOCS / target).exists()] == []
