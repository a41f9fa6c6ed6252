from __future__ import annotations

import re
from pathlib import Path

import mynah

PAGE = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")


def test_every_class_that_the_glossary_names_is_public():
    named = set(re.findall(r"`([A-Z]\w+)`", PAGE))
    assert named
    assert sorted(named - set(mynah.__all__)) == []


def test_no_term_is_explained_twice():
    terms = [term for line in PAGE.splitlines() if line.startswith("- ") for term in re.findall(r"\*\*(.+?)\*\*", line)]
    assert len(terms) > 50
    assert sorted(term for term in terms if terms.count(term) > 1) == []
