"""What the pages on engines tell people to write is a valid configuration, and every engine can be found there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mynah.cli.main import main
from mynah.plugins import load_plugins

PAGES = sorted((Path(__file__).parents[2] / "docs" / "engines").glob("*.md"))
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(BLOCK.findall(page.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_what_a_page_shows_is_a_valid_configuration(block: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(block, encoding="utf-8")
    (tmp_path / "secrets.yaml").write_text("openai_key: sk-123456\n", encoding="utf-8")
    assert main(["check-config", str(tmp_path / "config.yaml")]) == 0


def test_the_first_page_names_every_engine_and_links_to_every_other_page() -> None:
    text = next(page for page in PAGES if page.name == "README.md").read_text(encoding="utf-8")
    for engine in load_plugins().engines:
        assert f"`{engine.name}`" in text, engine.name
    for page in PAGES:
        assert page.name == "README.md" or f"]({page.name})" in text
