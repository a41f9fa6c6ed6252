"""docs/hooks.md has a section for every hook, with every argument of what it yields, and tells of no others."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from mynah import Bus, Hub, Session, hookspecs
from mynah.plugins import HOOKS

PAGE = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)


def spec_of(hook: str) -> type[Any]:
    """Return the dataclass that a hook yields."""
    (spec,) = get_args(get_type_hints(getattr(hookspecs, hook))["return"])
    return spec


def documented(hook: str) -> dict[str, tuple[str, str]]:
    """Return what the hook's table says: argument → default, meaning."""
    return {name: (default, meaning) for name, default, meaning in ROW.findall(SECTIONS.get(hook, ""))}


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_section_that_names_its_spec_and_shows_an_example(hook):
    assert hook in SECTIONS, f"docs/hooks.md has no section {hook!r}"
    assert f"def {hook}() -> Iterable[{spec_of(hook).__name__}]:" in SECTIONS[hook]
    assert f"[`{hook}`](#{hook}) | `{spec_of(hook).__name__}`" in PAGE


def test_no_section_tells_of_a_hook_that_does_not_exist():
    assert [title for title in SECTIONS if title.startswith("mynah_") and title not in HOOKS] == []


@pytest.mark.parametrize("hook", HOOKS)
def test_every_argument_of_a_hook_is_explained_and_no_other(hook):
    fields = [field.name for field in dataclasses.fields(spec_of(hook))]
    assert list(documented(hook)) == fields


@pytest.mark.parametrize("hook", HOOKS)
def test_defaults_are_the_real_ones(hook):
    for field in dataclasses.fields(spec_of(hook)):
        told = documented(hook)[field.name][0]
        if field.default_factory is not dataclasses.MISSING:
            assert told.strip("`") == shown(field.default_factory()), field.name
        elif field.default is dataclasses.MISSING:
            assert told == "required", field.name
        elif not callable(field.default) and "apology" not in told:
            assert told.strip("`").replace('"', "'") == repr(field.default), field.name


def shown(value: Any) -> str:
    """Return a default as the page writes it."""
    return f"{type(value).__name__}()" if dataclasses.is_dataclass(value) else repr(value)


@pytest.mark.parametrize("protocol", [Hub, Bus, Session])
def test_everything_that_a_plugin_may_ask_of_the_hub_is_mentioned(protocol):
    section = SECTIONS["What a plugin may ask of the hub"]
    members = [name for name in vars(protocol) if not name.startswith("_")]
    missing = [name for name in members if not re.search(rf"\b{name}\b", section)]
    assert members
    assert missing == []
