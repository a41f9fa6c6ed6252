"""Hubs for the clients of the older systems' wires."""

from __future__ import annotations

import io
from contextlib import asynccontextmanager

import aiohttp
import pytest

from mynah import PersonaSpec
from mynah.testing import (
    ScriptedLanguageModel,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    run_hub,
    scripted_engines,
)
from wire.wire_clients import House, tone

REPLY = ("Yes. ", "Lions eat meat. ", "They sleep a lot.")
"""A reply of three phrases."""


@pytest.fixture
def house(tmp_path):
    """Run a hub on scripted engines: stt=, llm=, tts= in place of the usual ones, personas= besides, dialects=."""

    @asynccontextmanager
    async def run(*, config=None, personas=(), dialects=None, specs=(), **engines):
        engines.setdefault("stt", ScriptedSpeechToText())
        engines.setdefault("llm", ScriptedLanguageModel(REPLY))
        engines.setdefault("tts", ScriptedTextToSpeech())
        values = {"persona": "sparrow", **(config or {})}
        if dialects is not None:
            values["dialects"] = dialects
        known = [PersonaSpec(name=name, title=name) for name in personas]
        async with (
            run_hub(
                tmp_path,
                specs=[*scripted_engines(**engines), *known, *specs],
                config=values,
                installed=("dialects", "http"),
            ) as hub,
            aiohttp.ClientSession() as http,
        ):
            yield House(hub, http)

    return run


@pytest.fixture(scope="session")
def recording():
    """Make a second of sound as a browser records it: "webm" or "ogg", with Opus."""

    def make(kind, ms=1_000):
        import av

        file = io.BytesIO()
        live = {"live": "1"} if kind == "webm" else {}  # as MediaRecorder does: sizes are not known
        with av.open(file, "w", format=kind, options=live) as container:
            stream = container.add_stream("libopus", rate=48_000, layout="mono")
            frame = av.AudioFrame(format="s16", layout="mono", samples=48 * ms)
            frame.planes[0].update(tone(ms, 48_000))
            frame.rate = 48_000
            for packet in (*stream.encode(frame), *stream.encode(None)):
                container.mux(packet)
        return file.getvalue()

    return make
