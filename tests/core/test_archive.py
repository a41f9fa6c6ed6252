"""What is kept of sessions, in the database itself."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import replace

import pytest

from mynah.archive import DAY_S, Archive, KeptSession, written
from mynah.errors import StorageError
from mynah.session_protocol import Interpretation, SessionOptions
from mynah.storage import Storage
from mynah.values import Exchange

NOW = time.time()
OPTIONS = SessionOptions(
    origin="study", persona="sparrow", language="de", context={"exhibit": "lion"}, policy="queue", speaker="hall",
    replies=False, interpret=Interpretation(target="es", both_ways=True), idle_timeout=600.0, max_age=3600.0,
)  # fmt: skip
SESSION = KeptSession(id="s1", options=OPTIONS, created=NOW - 60, last_active=NOW, turns=3)


def exchange(turn=1, reply="They eat meat.", at=NOW):
    return Exchange(f"t{turn}", "What do lions eat?", reply, "lion", "answered", "en", at)


@pytest.fixture
def storage(tmp_path):
    storage = Storage(tmp_path / "data")
    yield storage
    storage.close()


@pytest.fixture
def archive(storage):
    return Archive(storage, 30)


async def test_a_session_comes_back_as_it_was(archive):
    archive.begin(SESSION)
    assert archive.find("s1") == SESSION
    assert archive.find("s2") is None


async def test_what_changes_is_kept(archive):
    archive.begin(SESSION)
    changed = replace(SESSION, options=SessionOptions(persona="crow"), turns=9, ended=NOW, reason="closed")
    archive.note(changed)
    assert archive.find("s1") == changed


async def test_exchanges_come_back_in_order_the_last_ones_only(archive):
    archive.begin(SESSION)
    for turn in (2, 10, 1):
        await archive.keep(SESSION, exchange(turn))
    assert archive.exchanges("s1", 2) == [exchange(2), exchange(10)]
    assert archive.count("s1") == 3


async def test_an_exchange_takes_the_place_of_what_was_known_of_its_turn(archive):
    archive.begin(SESSION)
    await archive.keep(SESSION, exchange(reply="They eat meat. They hunt."))
    await archive.keep(SESSION, exchange(reply="They eat"))
    assert [each.reply for each in archive.exchanges("s1", 5)] == ["They eat"]


async def test_of_a_session_that_was_deleted_nothing_more_is_kept(archive, storage):
    archive.begin(SESSION)
    await archive.keep(SESSION, exchange(1))
    assert await archive.delete("s1") == 1
    await archive.keep(SESSION, exchange(2))
    archive.note(SESSION)
    assert archive.find("s1") is None
    assert storage.read("SELECT count(*) FROM exchange") == [(0,)]


async def test_a_session_and_all_its_exchanges_are_exported(archive):
    archive.begin(SESSION)
    await archive.keep(SESSION, exchange(1))
    told = await archive.export("s1")
    assert (told["persona"], told["context"]) == ("sparrow", {"exhibit": "lion"})
    assert [each["reply"] for each in told["exchanges"]] == ["They eat meat."]
    assert await archive.export("s2") is None


async def test_sessions_are_listed_by_when_they_were_active_page_by_page(archive):
    for number in range(5):
        archive.begin(replace(SESSION, id=f"s{number}", last_active=NOW - number))
    first = await archive.sessions(2)
    assert [row["id"] for row in first] == ["s0", "s1"]
    assert [row["id"] for row in await archive.sessions(9, first[-1]["last_active"])] == ["s2", "s3", "s4"]
    assert {row["entries"] for row in first} == {0}


async def test_what_is_older_than_it_may_be_is_deleted(archive):
    archive.begin(replace(SESSION, last_active=NOW - 31 * DAY_S))
    archive.begin(replace(SESSION, id="s2"))
    await archive.keep(replace(SESSION, id="s2"), exchange(1, at=NOW - 31 * DAY_S))
    await archive.keep(replace(SESSION, id="s2"), exchange(2, at=NOW - 29 * DAY_S))
    await archive.expire()
    assert archive.find("s1") is None
    assert [each.turn_id for each in archive.exchanges("s2", 9)] == ["t2"]


async def test_an_open_session_is_not_taken_away_from_under_its_client(archive):
    archive.begin(replace(SESSION, last_active=NOW - 31 * DAY_S))
    await archive.expire({"s1"})
    assert archive.find("s1") is not None


async def test_where_nothing_is_to_be_kept_nothing_is_written_and_what_there_was_goes(storage):
    before = Archive(storage, 30)
    before.begin(SESSION)
    await before.keep(SESSION, exchange())
    off = Archive(storage, 0)
    off.begin(replace(SESSION, id="s2"))
    assert off.keep(replace(SESSION, id="s2"), exchange()) is None
    assert off.find("s1") is None
    await off.expire()
    assert storage.read("SELECT count(*) FROM session") == storage.read("SELECT count(*) FROM exchange") == [(0,)]


async def test_nothing_of_what_was_deleted_is_left_in_the_files(archive, storage):
    secret = "the-word-nobody-may-find"
    archive.begin(SESSION)
    for turn in range(50):
        await archive.keep(SESSION, exchange(turn, reply=secret * 40))
    assert any(secret.encode() in file.read_bytes() for file in storage.folder.iterdir())
    await archive.delete()
    assert not any(secret.encode() in file.read_bytes() for file in storage.folder.iterdir())


async def test_an_exchange_is_there_for_others_when_its_future_is_done(archive, storage):
    archive.begin(SESSION)
    await written(archive.keep(SESSION, exchange()), "s1")
    other = sqlite3.connect(storage.database)
    assert other.execute("SELECT reply FROM exchange").fetchall() == [("They eat meat.",)]
    other.close()


async def test_a_database_that_refuses_is_told_of_and_stops_nothing(archive, storage, monkeypatch, caplog):
    monkeypatch.setattr("mynah.storage.BUSY_S", 0.05)
    archive.begin(SESSION)
    other = sqlite3.connect(storage.database, isolation_level=None)
    archive.find("s1")
    other.execute("DROP TABLE exchange")
    await written(archive.keep(SESSION, exchange()), "s1")
    assert "session s1: not written" in caplog.text
    assert "no such table" in storage.trouble
    other.close()


async def test_more_than_the_disk_can_take_is_refused(archive, storage, monkeypatch, caplog):
    monkeypatch.setattr("mynah.storage.MOST_WAITING", 0)
    assert archive.keep(SESSION, exchange()) is None
    assert "wait for the disk" in caplog.text
    with pytest.raises(StorageError, match="wait for the disk"):
        storage.write(lambda connection: None)


async def test_a_disk_that_hangs_holds_a_turn_up_for_a_moment_only(archive, storage, monkeypatch, caplog):
    monkeypatch.setattr("mynah.archive.WRITTEN_WITHIN_S", 0.05)
    archive.begin(SESSION)
    other = sqlite3.connect(storage.database, isolation_level=None)
    archive.find("s1")
    other.execute("BEGIN IMMEDIATE")
    future = archive.keep(SESSION, exchange())
    await written(future, "s1")
    assert not future.done()
    assert "the disk is slow" in caplog.text
    other.execute("ROLLBACK")
    await future
    assert archive.count("s1") == 1
    other.close()


# ---------------------------------------------------------------- what the speech cache has of sessions


@pytest.fixture
def forgetting(storage):
    """An archive whose speech cache only writes down what it is to forget, and that."""
    forgotten = []

    async def forget(keys):
        forgotten.append(keys if keys is None else sorted(keys))

    return Archive(storage, 30, forget_speech=forget), forgotten


async def test_with_a_session_goes_what_only_it_had_said(forgetting):
    archive, forgotten = forgetting
    for id, keys in (("s1", ("mine", "ours")), ("s2", ("ours", "theirs"))):
        archive.begin(replace(SESSION, id=id))
        for key in (*keys, *keys):
            archive.note_spoken(id, key)
    await archive.delete("s1")
    assert forgotten == [["mine"]]
    await archive.delete("s2")
    assert forgotten[1:] == [["ours", "theirs"]]


async def test_with_all_sessions_goes_everything(forgetting):
    archive, forgotten = forgetting
    archive.begin(SESSION)
    await archive.delete()
    assert forgotten == [None]


async def test_what_a_session_had_said_is_kept_no_longer_than_the_session(forgetting):
    archive, forgotten = forgetting
    for id, at in (("old", NOW - 31 * DAY_S), ("new", NOW)):
        archive.begin(replace(SESSION, id=id, last_active=at))
        for key in (id, "ours"):
            archive.note_spoken(id, key)
    await archive.expire()
    await archive.expire()
    assert forgotten == [["old"]]


async def test_of_a_session_that_is_not_kept_nobody_knows_what_it_said(storage):
    forgotten = []

    async def forget(keys):
        forgotten.append(keys)

    archive = Archive(storage, 0, forget_speech=forget)
    archive.begin(SESSION)
    archive.note_spoken("s1", "mine")
    assert storage.read("SELECT count(*) FROM spoken") == [(0,)]
    await archive.delete("s1")
    assert forgotten == [None]
