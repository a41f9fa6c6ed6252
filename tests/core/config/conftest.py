from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import voluptuous as vol

from mynah.config import load_config
from mynah.errors import ConfigError
from mynah.specs import ComponentSpec, EngineSpec, PersonaSpec, Spec, ToolSpec


async def never(*_: Any) -> None:
    """Stand in for a component."""


def closed(*_: Any) -> AbstractAsyncContextManager[Any]:
    """Stand in for an engine, which is never opened here."""
    raise NotImplementedError


def even(value: Any) -> int:
    if not isinstance(value, int) or value % 2:
        raise vol.Invalid(f"{value} is not an even number")
    return value


BELL = {
    vol.Optional("port", default=8000, description="Where it listens."): vol.All(int, vol.Range(min=0, max=65535)),
    vol.Optional("host", default="127.0.0.1", description="Its address."): str,
    vol.Optional("loud", default=False, description="Whether it is loud."): bool,
    vol.Optional("ratio", default=0.5, description="A ratio."): vol.All(float, vol.Range(min=0, max=1)),
    vol.Optional("mode", default="ding", description="Its sound."): vol.In(["ding", "dong"]),
    vol.Optional("tones", default=list, description="Tones."): [vol.All(int, vol.Range(min=20))],
    vol.Optional("pairs", description="An even number."): even,
    vol.Optional("code", description="A code."): vol.All(str, vol.Match(r"^\d{4}$")),
    vol.Optional("url", description="A URL."): vol.Url(),
    vol.Optional("nick", default=None, description="A name."): vol.Any(None, str),
    vol.Optional("tls", description="Certificates."): {vol.Required("key", description="The key's file."): str},
    vol.Exclusive("red", "colour", description="Red light."): bool,
    vol.Exclusive("blue", "colour", description="Blue light."): bool,
    vol.Inclusive("user", "login", description="A name."): str,
    vol.Inclusive("password", "login", description="A password."): str,
}
SPECS: tuple[Spec, ...] = (
    ComponentSpec(name="bell", run=never, schema=BELL, description="Rings."),
    EngineSpec(name="whisper", kind="stt", open=closed, schema={vol.Optional("model", default="base.en"): str}),
    EngineSpec(name="edge_tts", kind="tts", open=closed),
    EngineSpec(name="espeak", kind="tts", open=closed, embedded=True, schema={vol.Optional("rate", default=160): int}),
    EngineSpec(
        name="openai",
        kind="llm",
        open=closed,
        schema={vol.Required("base_url", description="Where."): str, vol.Optional("key", default=""): str},
    ),
    EngineSpec(name="facts", kind="llm", open=closed, embedded=True, description="Looks facts up."),
    PersonaSpec(name="zoo_guide", title="A zoo guide"),
    ToolSpec(name="lamp", run=never),
)
PLUGINS = ("bell", "edge", "espeak", "facts", "whisper", "zoo_guide")


@pytest.fixture
def specs() -> tuple[Spec, ...]:
    return SPECS


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write files by name (a keyword's `__` is a `/`) and return the path of config.yaml."""

    def write_all(config: str, **others: str) -> Path:
        for name, text in {"config": config, **others}.items():
            file = tmp_path / (name.replace("__", "/") + ".yaml")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return tmp_path / "config.yaml"

    return write_all


@pytest.fixture
def problems(write: Callable[..., Path]) -> Callable[..., list[str]]:
    """Return every problem of a configuration, as shown."""

    def problems_of(config: str, **others: str) -> list[str]:
        try:
            load_config(write(config, **others), SPECS, plugins=PLUGINS)
        except ConfigError as error:
            return [str(problem) for problem in error.problems]
        return []

    return problems_of


@pytest.fixture
def values(write: Callable[..., Path]) -> Callable[..., Any]:
    """Return the values of a valid configuration."""
    return lambda config, **others: load_config(write(config, **others), SPECS, plugins=PLUGINS).values
