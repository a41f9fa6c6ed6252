"""Hubs for tests: the real thing, on plugins of the test's choice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mynah.config.check import load_config
from mynah.conversation.persona import personas
from mynah.hub import MynahHub
from mynah.plugins import LoadedPlugin, Plugins, load_plugins
from mynah.specs import EngineSpec, PersonaSpec, Spec
from mynah.testing.engines import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    ScriptedTranslator,
    ScriptedVoiceActivity,
    scripted,
)

SPARROW = PersonaSpec(name="sparrow", title="A sparrow", prompt="Answer as a sparrow.")
"""A persona for tests."""


def scripted_engines(
    *, stt: Any = None, llm: Any = None, tts: Any = None, vad: Any = None, translator: Any = None
) -> tuple[Spec, ...]:
    """Return specs of one engine of each kind, scripted ones where none is given, and a persona."""
    return (
        scripted("stt", stt or ScriptedSpeechToText()),
        scripted("llm", llm or ScriptedLanguageModel()),
        scripted("tts", tts or ScriptedTextToSpeech()),
        scripted("vad", vad or ScriptedVoiceActivity()),
        scripted("translator", translator or ScriptedTranslator()),
        SPARROW,
    )


@asynccontextmanager
async def run_hub(
    folder: Path,
    *,
    specs: Sequence[Spec] = (),
    config: Mapping[str, Any] | None = None,
    installed: Sequence[str] = (),
    within_s: float = 30.0,
) -> AsyncIterator[MynahHub]:
    """Run a hub in `folder` on `specs` and on the `installed` plugins of those names; everything else is left out.

    The folder is made where there is none. `config` is what a configuration file would hold. Engines are open when the
    hub is given; the http plugin, where installed, listens on a free port.
    """
    values = dict(config or {})
    if "http" in installed:
        values["http"] = {"port": 0, **values.get("http", {})}
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240  # nobody waits for anything yet
    file = folder / "config.yaml"
    file.write_text(json.dumps(values), encoding="utf-8")  # JSON is YAML
    found = [plugin for plugin in load_plugins().loaded if plugin.name in installed] if installed else []
    missing = set(installed) - {plugin.name for plugin in found}
    if missing:
        raise LookupError(f"not installed: {', '.join(sorted(missing))}")
    plugins = Plugins((*found, LoadedPlugin("test", "this test", tuple(specs))))
    checked = load_config(file, plugins.specs)
    hub = MynahHub(checked, plugins, personas(plugins.personas, checked.values["personas"], folder=folder))
    async with hub.running():
        if any(isinstance(spec, EngineSpec) for spec in plugins.specs):
            await hub.engines_settled(within_s)
        yield hub
