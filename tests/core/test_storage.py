"""The data folder and its database: made, migrated, refused; and the tokens in it."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading

import pytest

from mynah.errors import StorageError
from mynah.storage import MIGRATIONS, Storage


@pytest.fixture
def storage(tmp_path):
    storage = Storage(tmp_path / "data")
    yield storage
    storage.close()


def test_a_fresh_folder_is_made_with_its_parents(tmp_path):
    storage = Storage(tmp_path / "a" / "b" / "data")
    assert storage.database.is_file()
    assert storage.version == len(MIGRATIONS)
    assert storage.credentials() == {}
    storage.close()


def test_nobody_else_may_read_the_database(storage):
    storage.issue_token("admin", "admin")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in storage.folder.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_nobody_else_may_look_into_a_folder_that_it_made(tmp_path):
    Storage(tmp_path / "data").close()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_the_database_is_in_wal_mode(storage):
    with sqlite3.connect(storage.database) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_database_of_version_0_is_migrated(tmp_path):
    connection = sqlite3.connect(tmp_path / "mynah.sqlite3")
    connection.execute("CREATE TABLE something_else (x)")
    connection.commit()
    connection.close()
    storage = Storage(tmp_path)
    assert storage.version == len(MIGRATIONS)
    assert storage.credential(storage.issue_token("hall", "speaker")) == ("hall", "speaker")
    storage.close()


def test_opening_again_keeps_what_is_there(tmp_path):
    first = Storage(tmp_path)
    token = first.issue_token("hall", "speaker")
    first.close()
    second = Storage(tmp_path)
    assert second.credential(token) == ("hall", "speaker")
    second.close()


def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr("mynah.storage.MIGRATIONS", (*MIGRATIONS, "CREATE TABLE more (x); CREATE TABLE more (x);"))
    with pytest.raises(StorageError, match="more"):
        Storage(tmp_path)
    monkeypatch.undo()
    storage = Storage(tmp_path)
    tables = {name for (name,) in sqlite3.connect(storage.database).execute("SELECT name FROM sqlite_schema")}
    assert "more" not in tables
    assert storage.version == len(MIGRATIONS)
    storage.close()


def test_migrations_run_in_order_from_the_version_that_is_there(tmp_path, monkeypatch):
    Storage(tmp_path).close()
    more = (
        "CREATE TABLE note (text TEXT); -- one; two\n",
        "INSERT INTO note VALUES ('a; b'); INSERT INTO note VALUES ('c')",
    )
    monkeypatch.setattr("mynah.storage.MIGRATIONS", (*MIGRATIONS, *more))
    storage = Storage(tmp_path)
    assert storage.read("SELECT text FROM note") == [("a; b",), ("c",)]
    assert storage.version == len(MIGRATIONS) + 2
    storage.close()


def test_a_database_of_a_newer_mynah_is_refused_and_left_alone(tmp_path):
    Storage(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "mynah.sqlite3")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StorageError, match=r"newer Mynah \(schema 99.*install that version or use another data folder"):
        Storage(tmp_path)
    connection = sqlite3.connect(tmp_path / "mynah.sqlite3")
    assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    connection.close()


def test_a_folder_below_a_file_is_refused_with_advice(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match=r"the data folder .*file/data cannot be used .*set 'data:'"):
        Storage(tmp_path / "file" / "data")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "data").write_text("not a folder")
    with pytest.raises(StorageError, match="cannot be used"):
        Storage(tmp_path / "data")


def test_something_else_in_place_of_the_database_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mynah.sqlite3").write_text("these are my notes, not a database, and quite a lot of them" * 20)
    with pytest.raises(StorageError, match="not a database"):
        Storage(tmp_path)
    assert (tmp_path / "mynah.sqlite3").read_text().startswith("these are my notes")


def test_a_folder_in_place_of_the_database_is_refused(tmp_path):
    (tmp_path / "mynah.sqlite3").mkdir()
    with pytest.raises(StorageError, match="cannot be used"):
        Storage(tmp_path)


def test_a_token_is_found_by_its_hash_alone(storage):
    token = storage.issue_token("hall", "speaker")
    assert len(token) >= 32
    stored = b"".join(file.read_bytes() for file in storage.folder.iterdir())
    assert token.encode() not in stored
    assert storage.credential(token) == ("hall", "speaker")


def test_a_new_token_voids_the_one_before_and_takes_its_role(storage):
    first = storage.issue_token("hall", "speaker")
    second = storage.issue_token("hall", "viewer")
    assert first != second
    assert storage.credential(first) is None
    assert storage.credential(second) == ("hall", "viewer")
    assert storage.credentials() == {"hall": "viewer"}


def test_credentials_are_listed_by_name(storage):
    storage.issue_token("hall", "speaker")
    storage.issue_token("admin", "admin")
    assert list(storage.credentials().items()) == [("admin", "admin"), ("hall", "speaker")]


@pytest.mark.parametrize("token", ["", "wrong", "x" * 1000, "\x00", "\udcff", "\ud800!", "hall", "' OR 1=1 --", "鳥"])
def test_anything_else_is_nobodys_token(storage, token):
    storage.issue_token("hall", "speaker")
    assert storage.credential(token) is None


def test_a_role_that_does_not_exist_is_refused_and_changes_nothing(storage):
    token = storage.issue_token("hall", "speaker")
    with pytest.raises(StorageError):
        storage.issue_token("hall", "emperor")
    assert storage.credential(token) == ("hall", "speaker")


def test_a_transaction_whose_body_raises_is_rolled_back(storage):
    token = storage.issue_token("hall", "speaker")

    def fail(connection):
        connection.execute("DELETE FROM credential")
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        storage.write(fail).result()
    assert storage.credential(token) == ("hall", "speaker")
    assert storage.issue_token("deck", "speaker")  # the connection is free for the next transaction


def test_two_storages_on_one_folder_see_each_others_tokens(tmp_path):
    one, two = Storage(tmp_path), Storage(tmp_path)
    token = one.issue_token("hall", "speaker")
    assert two.credential(token) == ("hall", "speaker")
    again = two.issue_token("hall", "speaker")
    assert one.credential(token) is None
    assert one.credential(again) == ("hall", "speaker")
    one.close()
    two.close()


def test_a_database_that_stays_locked_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr("mynah.storage.BUSY_S", 0.05)
    storage = Storage(tmp_path)
    other = sqlite3.connect(storage.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="locked"):
        storage.issue_token("hall", "speaker")
    other.execute("ROLLBACK")
    assert storage.issue_token("hall", "speaker")
    other.close()
    storage.close()


@pytest.mark.parametrize("attempt", range(5))
def test_many_may_open_a_fresh_folder_at_once(tmp_path, attempt):
    start, troubles = threading.Barrier(8), []

    def open_one():
        start.wait()
        try:
            storage = Storage(tmp_path / "data")
            storage.issue_token(threading.current_thread().name, "speaker")
            storage.close()
        except StorageError as error:
            troubles.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    storage = Storage(tmp_path / "data")
    assert len(storage.credentials()) == 8
    storage.close()


def test_two_processes_may_open_a_fresh_folder_at_once(tmp_path):
    program = (
        "import pathlib, sys, mynah.storage as s; sys.stdin.read(1);"
        "x = s.Storage(pathlib.Path(sys.argv[1])); x.issue_token(sys.argv[2], 'speaker'); x.close()"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "data"), name], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for name in ("one", "two")
    ]
    for process in running:
        process.stdin.write(b"x")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[1] for process in running] == [b"", b""]
    storage = Storage(tmp_path / "data")
    assert set(storage.credentials()) == {"one", "two"}
    storage.close()


def test_a_speaker_has_one_key_which_is_kept_and_made_anew(tmp_path):
    first = Storage(tmp_path)
    assert first.key("hall") is None
    key = first.make_key("hall")
    first.make_key("kitchen")
    first.close()
    second = Storage(tmp_path)
    assert len(key) == 32
    assert second.key("hall") == key
    assert second.make_key("hall") == second.key("hall") != key
    second.close()


def test_revoking_voids_token_and_key_of_one_name(storage):
    tokens = {name: storage.issue_token(name, "speaker") for name in ("hall", "kitchen")}
    for name in tokens:
        storage.make_key(name)
    assert storage.revoke("hall")
    assert not storage.revoke("hall")
    assert [storage.credential(token) for token in tokens.values()] == [None, ("kitchen", "speaker")]
    assert (storage.key("hall"), len(storage.key("kitchen"))) == (None, 32)
