"""`mynah sessions`: what is kept, on the command line."""

from __future__ import annotations

import asyncio
import json
import stat
import time

import pytest

from mynah.archive import Archive, KeptSession
from mynah.audio import AudioChunk, AudioFormat
from mynah.engines.speech_store import Recording, SpeechStore
from mynah.kept_audio import KeptAudio
from mynah.session_protocol import SessionOptions
from mynah.storage import Storage
from mynah.values import Exchange


@pytest.fixture
def kept(config, folder):
    """Two sessions with an exchange each; the second was active last."""
    config()

    async def write(archive):
        for number, id in enumerate(("first", "second")):
            at = time.time() - 100 + number
            session = KeptSession(
                id=id, options=SessionOptions(persona="sparrow", speaker="hall"), created=at, last_active=at
            )
            archive.begin(session)
            await archive.keep(session, Exchange("t1", "What do lions eat?", "Meat.", at=at))

    storage = Storage(folder / "data")
    asyncio.run(write(Archive(storage, 30)))
    storage.close()


def test_sessions_are_listed_the_last_active_one_first(cli, kept):
    lines = cli("sessions", "list").out.splitlines()
    assert [line.split("\t")[0] for line in lines] == ["second", "first"]
    assert lines[0].split("\t")[2:] == ["sparrow", "hall", "1 exchanges"]
    assert len(cli("sessions", "list", "--most", "1").out.splitlines()) == 1


def test_one_session_is_exported(cli, kept):
    told = cli("sessions", "export", "first").json
    assert (told["id"], told["exchanges"][0]["reply"]) == ("first", "Meat.")


def test_all_sessions_are_exported_into_a_file_for_its_owner_only(cli, kept, folder):
    result = cli("sessions", "export", "--to", "all.jsonl")
    assert (result.code, result.out) == (0, "")
    lines = (folder / "all.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["first", "second"]
    assert stat.S_IMODE((folder / "all.jsonl").stat().st_mode) == 0o600


def test_recordings_are_copied_where_that_is_wanted(cli, kept, folder):
    audio = KeptAudio(folder / "data" / "audio", days=7, most_bytes=1 << 20)
    audio.keep("first", "t1", bytes(3200), {})
    audio.close()
    assert cli("sessions", "export", "first", "--audio", "sounds").json["audio"] == ["t1-said.wav"]
    assert (folder / "sounds" / "first" / "t1-said.wav").read_bytes()[44:] == bytes(3200)
    cli("sessions", "delete", "first")
    assert not (folder / "data" / "audio" / "first").exists()


def test_one_session_is_deleted_and_then_all(cli, kept):
    assert cli("sessions", "delete", "first").out == "deleted 1 sessions\n"
    assert [line.split("\t")[0] for line in cli("sessions", "list").out.splitlines()] == ["second"]
    assert cli("sessions", "delete", "--all").out == "deleted 1 sessions\n"
    assert cli("sessions", "list").out == ""


@pytest.mark.parametrize("action", ["export", "delete"])
def test_a_session_that_is_not_there_is_told_of(cli, kept, action):
    result = cli("sessions", action, "third")
    assert result.code == 1
    assert "nothing is kept of a session 'third'" in result.err


def test_a_file_that_cannot_be_written_is_told_of(cli, kept):
    result = cli("sessions", "export", "--to", "no/such/folder")
    assert (result.code, "cannot be written" in result.err) == (1, True)


def test_nothing_is_deleted_unless_it_is_said_what(cli, kept):
    assert cli("sessions", "delete").code == 2
    assert len(cli("sessions", "list").out.splitlines()) == 2


def test_what_a_session_had_said_goes_from_the_speech_cache(cli, config, folder):
    config()
    key, stock = "a" * 64, "b" * 64
    speech = SpeechStore(folder / "data" / "cache" / "speech", 1 << 20)
    speech.open()
    sound = AudioChunk(bytes(320), AudioFormat("pcm_s16le", 16_000, 1), 10.0)
    for each in (key, stock):
        speech.write(each, Recording((sound,), 320))
    speech.note_stock([stock])
    storage = Storage(folder / "data")

    async def write(archive):
        at = time.time()
        archive.begin(KeptSession(id="first", options=SessionOptions(), created=at, last_active=at))
        for each in (key, stock):
            archive.note_spoken("first", each)

    asyncio.run(write(Archive(storage, 30)))
    storage.close()
    assert cli("sessions", "delete", "first").code == 0
    assert [file.stem for file in (folder / "data" / "cache" / "speech").glob("*.speech")] == [stock]
