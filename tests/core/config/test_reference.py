# ruff: noqa: E501  # tables of mistakes are easier to read with a line for each
from __future__ import annotations

import pytest

from mynah.config.reference import reference
from mynah.config.schema import CORE


@pytest.fixture
def page(specs):
    return reference(specs)


def test_every_section_of_the_core_and_of_components_has_a_heading(page):
    for key in CORE:
        assert f"## {key}\n" in page or f"| `{key}` |" in page
    assert "## bell\n\nRings.\n" in page


@pytest.mark.parametrize(
    "row",
    [
        "| `level` | one of debug, info, warning, error | `\"info\"` | The least important messages that are logged. |",
        "| `port` | a whole number from 0 to 65535 | `8000` | Where it listens. |",
        "| `idle_timeout` | a number from 1 to 604800 | `3600` | Seconds without any input or output after which one is closed. |",
        "| `<name>.voice.rate` | a number from 0.25 to 4 |  | Speed; 1 is as it comes. |",
        "| `tls.key` | text | required | The key's file. |",
        "| `base_url` | text | required | Where. |",
        "| `tones` | a list (a whole number of at least 20 each) |  | Tones. |",
    ],
)  # fmt: skip
def test_every_key_has_a_row_with_type_default_and_meaning(page, row):
    assert row in page.splitlines()


def test_engines_are_listed_by_kind_with_their_own_keys(page):
    assert "### engines: tts" in page
    assert "#### facts (llm)\n\nLooks facts up. Used where no engine of this kind is configured.\n" in page
    assert "Voice activity detectors. No installed plugin has one." in page


def test_the_introduction_explains_tags_and_errors(page):
    for words in ("`!secret door_pin`", "`!env_var PORT 8000`", "`!include speakers.yaml`", "did you mean 'edge_tts'?"):
        assert words in page


def test_it_is_the_same_each_time_and_ends_with_one_line_break(page, specs):
    assert page == reference(tuple(reversed(specs)))
    assert page.endswith("|\n")
