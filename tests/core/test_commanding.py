"""What speakers can be told to do, by their session or by a way of their own."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager

import pytest

from mynah.errors import InputError
from mynah.outputs import VolumeChanged
from mynah.session_protocol import OutletOptions, SessionOptions
from mynah.testing.hubs import run_hub, scripted_engines

CONFIG = {
    "speakers": {"lion_house": {"area": "savanna"}, "giraffe_deck": {"area": "savanna"}, "hall": {}},
    "groups": {"outside": ["savanna"], "house": ["savanna", "hall"]},
}


class FakeControl:
    """A way to one speaker."""

    def __init__(self, speaker: str) -> None:
        self.speaker = speaker
        self.told: list[tuple[str, dict]] = []

    def commands(self, speaker):
        return ("volume", "mute", "stop", "listen") if speaker == self.speaker else ()

    def state(self, speaker):
        return {"phase": "updating", "volume": 12, "latest": "2.0"} if speaker == self.speaker else {}

    async def command(self, speaker, command, fields):
        if fields.get("volume") == 99:
            raise InputError("it is too loud")
        self.told.append((command, dict(fields)))


@asynccontextmanager
async def house(folder):
    async with run_hub(folder, specs=scripted_engines(), config=CONFIG) as hub:
        yield hub


@asynccontextmanager
async def listener(session):
    """Attach a loudspeaker, and give the volumes that it is told."""
    volumes = []

    async def read():
        async with aclosing(session.outputs(OutletOptions())) as outputs:
            async for output in outputs:
                if isinstance(output, VolumeChanged):
                    volumes.append(output.percent)

    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    yield volumes
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task})


def row(hub, id):
    return next(each for each in hub.speakers() if each["id"] == id)


async def test_all_of_an_area_do_it_and_who_does_not_is_named_with_the_reason(tmp_path):
    async with house(tmp_path) as hub:
        session = hub.open_session(SessionOptions(speaker="lion_house"))
        report = await hub.command("savanna", "volume", {"volume": 30})
        assert report.done == ("lion_house",)
        assert report.missed == {"giraffe_deck": "it is not connected"}
        assert session.volume == 30


async def test_who_was_silenced_is_as_loud_as_before_afterwards(tmp_path):
    async with house(tmp_path) as hub:
        session = hub.open_session(SessionOptions(speaker="lion_house"))
        async with listener(session) as volumes:
            for command, value in (("volume", 70), ("mute", True), ("mute", True), ("volume", 60), ("mute", False)):
                assert (await hub.command("lion_house", command, {command: value})).done == ("lion_house",)
        assert volumes == [70, 0, 60]


async def test_button_of_the_loudspeaker_ends_its_silence_and_its_word_that_it_is_silent_does_not(tmp_path):
    async with house(tmp_path) as hub:
        session = hub.open_session(SessionOptions(speaker="lion_house"))
        session.set_mute(True)
        session.note_volume(0)
        assert session.muted
        session.note_volume(20)
        assert (session.muted, session.volume) == (False, 20)


async def test_settings_are_those_of_the_session(tmp_path):
    async with house(tmp_path) as hub:
        session = hub.open_session(SessionOptions(speaker="hall", persona="sparrow"))
        await hub.command("hall", "context", {"context": {"exhibit": "lion"}})
        await hub.command("hall", "language", {"language": "de"})
        report = await hub.command("hall", "persona", {"persona": "nobody"})
        assert "no persona named 'nobody'" in report.missed["hall"]
        assert (session.context, session.describe()["language"]) == ({"exhibit": "lion"}, "de")


async def test_control_does_it_where_it_reaches_the_speaker(tmp_path):
    async with house(tmp_path) as hub:
        hub.controls.append(control := FakeControl("lion_house"))
        session = hub.open_session(SessionOptions(speaker="lion_house"))
        await hub.command("lion_house", "volume", {"volume": 30})
        await hub.command("lion_house", "listen", {"seconds": 5})
        assert control.told == [("volume", {"volume": 30}), ("listen", {"seconds": 5})]
        assert session.volume == 100
        assert (await hub.command("lion_house", "volume", {"volume": 99})).missed == {"lion_house": "it is too loud"}
        assert (await hub.command("lion_house", "reboot", {})).missed == {
            "lion_house": "it cannot be told to reboot"
        }  # fmt: skip


async def test_what_only_a_control_can_do_is_refused_without_one(tmp_path):
    async with house(tmp_path) as hub:
        hub.open_session(SessionOptions(speaker="lion_house"))
        report = await hub.command("lion_house", "listen", {})
        assert "by which alone a speaker can be told to listen" in report.missed["lion_house"]


@pytest.mark.parametrize(
    ("where", "command", "told"),
    [
        ("nowhere", "stop", "no speaker, area or group named 'nowhere'"),
        ("hall", "dance", "there is no command 'dance'"),
        ("hall", "volume", "the command volume needs 'volume'"),
    ],
)
async def test_what_does_not_exist_is_an_error(tmp_path, where, command, told):
    async with house(tmp_path) as hub:
        with pytest.raises(InputError, match=told):
            await hub.command(where, command, {})


async def test_state_is_the_controls_where_it_knows_and_else_the_sessions(tmp_path):
    async with house(tmp_path) as hub:
        hub.controls.append(FakeControl("lion_house"))
        hub.open_session(SessionOptions(speaker="hall")).set_volume(40)
        lion_house, hall, away = row(hub, "lion_house"), row(hub, "hall"), row(hub, "giraffe_deck")
    assert (lion_house["phase"], lion_house["volume"], lion_house["latest"]) == ("updating", 12, "2.0")
    assert lion_house["commands"] == ["volume", "mute", "stop", "listen"]
    assert (hall["phase"], hall["volume"], hall["mute"]) == ("idle", 40, False)
    assert (away["phase"], away["volume"], away["commands"]) == (None, None, [])


async def test_groups_of_a_speaker_are_those_that_hold_it_or_its_area(tmp_path):
    async with house(tmp_path) as hub:
        assert row(hub, "lion_house")["groups"] == ["outside", "house"]
        assert row(hub, "hall")["groups"] == ["house"]


async def test_phase_follows_what_goes_on(tmp_path):
    async with run_hub(tmp_path, specs=scripted_engines(), config=CONFIG) as hub:
        session = hub.open_session(SessionOptions(speaker="hall"))
        phases = []
        async with aclosing(session.outputs(OutletOptions(buffer_ms=200))) as outputs:
            session.submit("What do lions eat?")
            phases.append(row(hub, "hall")["phase"])
            async for output in outputs:
                if type(output).__name__ == "SpeechChunk":
                    phases.append(row(hub, "hall")["phase"])
                    break
        assert phases == ["thinking", "speaking"]
