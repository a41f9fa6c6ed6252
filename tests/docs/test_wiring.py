"""The wiring in docs/firmware.md: its table and its drawings say what firmware/app/boards.py says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
BOARDS = runpy.run_path(str(ROOT / "firmware" / "app" / "boards.py"))["BOARDS"]
PAGE = (ROOT / "docs" / "firmware.md").read_text(encoding="utf-8")


def pins(profile):
    """Return every pin of a profile once for each wire that ends at it."""
    found = [*profile["mic"][1:], profile["button"]]
    found += profile["vs1053"][1:] if "vs1053" in profile else profile["out"][1:]
    return found + [profile[name] for name in ("amp", "led", "pixel") if name in profile]


@pytest.mark.parametrize("name", BOARDS)
def test_a_drawing_has_a_wire_for_every_pin_of_the_profile(name):
    root = ElementTree.parse(ROOT / "docs" / "images" / f"wiring-{name}.svg").getroot()
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    drawn = sorted(int(found[1]) for text in texts if (found := re.fullmatch(r"GPIO (\d+)", text or "")))
    assert drawn == sorted(pins(BOARDS[name]))


@pytest.mark.parametrize("name", BOARDS)
def test_the_page_shows_the_drawing_and_the_table_has_the_same_pins(name):
    assert f"images/wiring-{name}.svg" in PAGE
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")
    ]
    heads = next(row for row in rows if f"`{name}`" in row)
    column = heads.index(f"`{name}`")
    cells = [row[column] for row in rows[rows.index(heads) + 1 : rows.index(heads) + 8]]
    table = sorted(int(number) for cell in cells for number in re.findall(r"\b\d+\b", cell))
    assert table == sorted(pins(BOARDS[name]))


def test_no_two_wires_share_a_pin_unless_they_take_turns():
    for name, profile in BOARDS.items():
        assert len(set(pins(profile))) == len(pins(profile)), name


def test_the_modules_of_the_firmware_are_named_on_the_page():
    for module in (ROOT / "firmware" / "app").glob("*.py"):
        assert f"`{module.stem}`" in PAGE, module.stem
