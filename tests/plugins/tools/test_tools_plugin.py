"""The tools that come with the hub, each used by a model that is scripted to."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from mynah import InputError, OutletOptions, SessionOptions, ToolCall
from mynah.outputs import LAST, SpeechStarted, ToolUsed, VolumeChanged
from mynah.testing import run_hub, scripted_engines
from mynah.testing.engines import ScriptedLanguageModel
from mynah.testing.hubs import SPARROW

TOOLS = ("time_of_day", "volume", "stop", "announce")
HOUSE = {
    "speakers": {
        "kitchen": {"area": "downstairs"},
        "hall": {"area": "downstairs"},
        "attic": {},
    },
    "groups": {"high_and_low": ["attic", "hall"]},
}


class Used:
    """What came of using a tool: what the model was told, and the outputs."""

    def __init__(self, llm: ScriptedLanguageModel, outputs: list[Any], session: Any) -> None:
        self.told = [message.content for message in llm.asked[-1] if message.role == "tool"]
        self.outputs = outputs
        self.session = session

    @property
    def data(self) -> Any:
        return json.loads(self.told[0])

    def of(self, kind: type) -> list[Any]:
        return [output for output in self.outputs if isinstance(output, kind)]


@pytest.fixture
def use(tmp_path):
    """Have a model use a tool, after `prepare(hub, session)`."""

    async def run(name: str, arguments: dict[str, Any] | None = None, prepare: Any = None) -> Used:
        llm = ScriptedLanguageModel(rounds=[[ToolCall("1", name, arguments or {})]])
        specs = [replace(spec, tools=TOOLS) if spec is SPARROW else spec for spec in scripted_engines(llm=llm)]
        async with run_hub(tmp_path, specs=specs, installed=["tools"], config=HOUSE) as hub:
            session = hub.open_session(SessionOptions(speaker="attic"))
            if prepare:
                prepare(hub, session)
            outputs: list[Any] = []
            session.submit("please")
            async with aclosing(session.outputs(OutletOptions())) as source:
                async for output in source:
                    outputs.append(output)
                    if isinstance(output, LAST):
                        return Used(llm, outputs, session)
        raise AssertionError

    return run


async def test_the_time_of_day_is_told_with_date_and_weekday(use):
    used = await use("time_of_day")
    told = datetime.fromisoformat(f"{used.data['date']} {used.data['time']}")
    assert abs((datetime.now() - told).total_seconds()) < 120
    assert used.data["weekday"] == told.strftime("%A")


@pytest.mark.parametrize(
    ("arguments", "percent", "told"),
    [
        ({}, 50, []),
        ({"percent": 20}, 20, [20]),
        ({"change": 15}, 65, [65]),
        ({"change": -80}, 0, [0]),
        ({"percent": 50}, 50, []),
    ],
)
async def test_the_volume_is_read_set_and_changed(use, arguments, percent, told):
    used = await use("volume", arguments, lambda hub, session: session.note_volume(50))
    assert used.data == {"percent": percent}
    assert used.session.volume == used.session.describe()["volume"] == percent
    assert [output.percent for output in used.of(VolumeChanged)] == told


@pytest.mark.parametrize("arguments", [{"percent": 101}, {"percent": "loud"}, {"percent": 10, "change": 5}])
async def test_a_volume_that_there_is_not_is_refused(use, arguments):
    used = await use("volume", arguments)
    assert not used.of(VolumeChanged)
    assert [output.ok for output in used.of(ToolUsed)] == [False]


async def test_stop_ends_the_reply_itself(use):
    used = await use("stop")
    assert used.outputs[-1].reason == "stop"
    assert not used.of(SpeechStarted)


@pytest.mark.parametrize(
    ("where", "took"),
    [
        ("kitchen", ["kitchen"]),
        ("downstairs", ["kitchen", "hall"]),
        ("high_and_low", ["hall", "attic"]),
        ("all", ["kitchen", "hall", "attic"]),
    ],
)
async def test_an_announcement_goes_to_a_speaker_an_area_a_group_or_all(use, where, took):
    sessions: dict[str, Any] = {}

    def connect(hub, attic):
        sessions["attic"] = attic
        for speaker in ("kitchen", "hall"):
            sessions[speaker] = hub.open_session(SessionOptions(speaker=speaker))

    used = await use("announce", {"text": "Dinner is ready.", "where": where}, connect)
    assert sorted(used.data["announced_at"]) == sorted(took)
    said = {name for name, session in sessions.items() if session.describe()["turns"] == (name == "attic") + 1}
    assert said == set(took)


async def test_an_announcement_that_nobody_can_hear_is_told_to_the_model(use):
    used = await use("announce", {"text": "Dinner is ready.", "where": "downstairs"})
    assert "nobody heard it" in used.told[0]


async def test_a_place_that_there_is_not_is_told_to_the_model_with_those_that_there_are(use):
    used = await use("announce", {"text": "Dinner is ready.", "where": "cellar"})
    assert "no speaker, area or group named 'cellar'" in used.told[0]
    assert "downstairs" in used.told[0]


async def test_the_hub_announces_for_anybody_and_refuses_unknown_places(tmp_path):
    async with run_hub(tmp_path, specs=scripted_engines(), config=HOUSE) as hub:
        assert hub.announce("Hello", "all").taken == ()
        hub.open_session(SessionOptions(speaker="hall"))
        assert hub.announce("Hello", "downstairs", urgency="alarm").taken == ("hall",)
        with pytest.raises(InputError, match="cellar"):
            hub.announce("Hello", "cellar")
        for text in (" ", "x" * 5000):
            with pytest.raises(InputError, match="the text"):
                hub.announce(text, "hall")
