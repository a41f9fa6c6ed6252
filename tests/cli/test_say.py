"""`mynah say` and `mynah speakers`: what the house says, and who is there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from mynah.cli.speakers import ago
from mynah.testing import FakeSpeaker, run_hub, scripted_engines

HOUSE = {"lion_house": {"name": "Lion [house]", "area": "savanna"}, "giraffe_deck": {"area": "savanna"}}


@pytest.fixture
async def hub(tmp_path):
    config = {"speakers": HOUSE, "groups": {"empty": []}}
    async with run_hub(tmp_path, specs=scripted_engines(), config=config, installed=("http", "websocket")) as running:
        yield running


@pytest.fixture
def ask(cli, hub):
    """Call the program with the hub's address."""

    async def call(*arguments):
        return await asyncio.to_thread(cli, *arguments, "--url", hub.addresses["http"])

    return call


@asynccontextmanager
async def there(hub, *ids):
    speakers = [FakeSpeaker(hub.addresses["http"], speaker=id) for id in ids]
    for speaker in speakers:
        await speaker.connect()
    try:
        yield speakers
    finally:
        for speaker in speakers:
            await speaker.__aexit__(None, None, None)


async def test_what_everybody_heard_ends_with_success(ask, hub):
    async with there(hub, "lion_house", "giraffe_deck") as speakers:
        result = await ask("say", "savanna", "Feeding time")
        assert [turn.phrases for speaker in speakers for turn in speaker.turns.values()] == [["Feeding time"]] * 2
    assert (result.code, result.err) == (0, "")
    assert sorted(result.out.splitlines()) == ["giraffe_deck heard it", "lion_house heard it"]


async def test_who_missed_it_is_told_with_the_reason_and_by_the_exit_status(ask, hub):
    async with there(hub, "lion_house"):
        result = await ask("say", "all", "Feeding time")
    assert result.code == 3
    assert result.out == "lion_house heard it\n"
    assert result.err == "giraffe_deck did not hear it: it is not connected\n"


async def test_as_json_it_is_one_object(ask, hub):
    result = await ask("say", "lion_house", "Feeding time", "--json")
    assert (result.code, result.json) == (3, {"heard": [], "missed": {"lion_house": "it is not connected"}})


async def test_chime_volume_and_language_go_with_it(ask, hub):
    async with there(hub, "lion_house") as (speaker,):
        options = ("--no-chime", "--volume", "35", "--language", "de", "--alarm")
        assert (await ask("say", "lion_house", "Hallo", *options)).code == 0
        (turn,) = speaker.turns.values()
        with_chime = await ask("say", "lion_house", "Hallo")
        assert with_chime.code == 0
        second = list(speaker.turns.values())[1]
    assert turn.phrases == second.phrases == ["Hallo"]
    assert len(second.audio_bytes()) > len(turn.audio_bytes())


async def test_a_name_that_nothing_has_is_refused_with_those_that_there_are(ask):
    result = await ask("say", "lion_hose", "Hello")
    assert (result.code, result.out) == (1, "")
    assert "no speaker, area or group named 'lion_hose'; known are " in result.err


@pytest.mark.parametrize("volume", ["101", "-1", "loud"])
async def test_a_volume_that_is_none_is_refused(ask, volume):
    assert (await ask("say", "all", "Hello", f"--volume={volume}")).code == 2


async def test_speakers_are_listed_with_what_is_known_of_them(ask, hub):
    hub.note_speaker("giraffe_deck", {"firmware": "0.1.0", "formats": ["mp3"]})
    async with there(hub, "lion_house"):
        result = await ask("speakers")
        rows = (await ask("speakers", "--json")).json
    header, *lines = result.out.splitlines()
    assert header.split() == ["id", "name", "area", "online", "session", "plays", "last", "seen", "firmware"]
    assert lines[0].split()[:6] == ["lion_house", "Lion", "[house]", "savanna", "yes", "open"]
    assert lines[1].split()[3:6] == ["no", "–", "mp3"]
    assert lines[1].rstrip().endswith("0.1.0")
    assert [(row["id"], row["online"]) for row in rows] == [("lion_house", True), ("giraffe_deck", False)]


async def test_no_speakers_are_told_in_words(cli, tmp_path):
    async with run_hub(tmp_path, specs=scripted_engines(), installed=("http",)) as hub:
        result = await asyncio.to_thread(cli, "speakers", "--url", hub.addresses["http"])
    assert (result.code, "mynah speaker add" in result.out) == (0, True)


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0 s ago"), (59, "59 s ago"), (61, "1 min ago"), (7_300, "2 h ago"), (200_000, "2 d ago")]
)
def test_how_long_ago_is_told_in_one_unit(monkeypatch, seconds, told):
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert ago(1e9 - seconds) == told
    assert ago(None) == "never"
