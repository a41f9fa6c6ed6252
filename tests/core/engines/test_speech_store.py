"""Recordings on disk: whole or not there, whoever else writes; never more than the limit."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import time

import pytest

from mynah.audio import AudioChunk, AudioFormat
from mynah.engines.speech_store import MAGIC, PAUSE_S, STALE_S, DamagedEntry, Recording, SpeechStore, decode, encode
from mynah.errors import StorageError
from mynah.values import WordMark

MIB = 1 << 20
MP3 = AudioFormat("mp3", 24_000, 1)


def key_of(number):
    return hashlib.sha256(str(number).encode()).hexdigest()


def recording_of(size=1000, fill=7):
    half = size // 2
    items = (
        AudioChunk(bytes([fill]) * half, MP3, 12.5),
        WordMark(5, 11.25),
        AudioChunk(b"", MP3, 0.0),
        AudioChunk(bytes([fill]) * (size - half), MP3),
        WordMark(11, 30),
    )
    return Recording(items, size)


KEY, RECORDING = key_of("a"), recording_of()


def store_in(folder, limit=MIB):
    store = SpeechStore(folder, limit)
    store.open()
    return store


def age(folder, key, seconds):
    then = time.time() - seconds
    os.utime(folder / f"{key}.speech", (then, then))


def kept(folder):
    return {file.name for file in folder.iterdir()}


# ---------------------------------------------------------------- what a file is


def test_a_file_gives_back_every_chunk_and_mark_in_order():
    assert decode(KEY, encode(KEY, RECORDING)).items == RECORDING.items


def test_raw_audio_of_two_channels_comes_back_as_it_was():
    format = AudioFormat("pcm_s16le", 44_100, 2)
    items = tuple(AudioChunk(os.urandom(4 * number), format, number / 3) for number in range(1, 50))
    assert decode(KEY, encode(KEY, Recording(items, 1))).items == items


def test_a_file_that_is_cut_anywhere_is_refused():
    data = encode(KEY, recording_of(60))
    for length in range(len(data)):
        with pytest.raises(DamagedEntry):
            decode(KEY, data[:length])
    with pytest.raises(DamagedEntry):
        decode(KEY, data + b"\0")


def test_a_file_with_any_byte_changed_is_refused():
    data = encode(KEY, recording_of(60))
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << (place % 8)
        with pytest.raises(DamagedEntry):
            decode(KEY, bytes(changed))


def test_the_file_of_another_phrase_is_refused():
    with pytest.raises(DamagedEntry, match="another phrase"):
        decode(key_of("b"), encode(KEY, RECORDING))


@pytest.mark.parametrize(
    "header",
    [b"", b"[]", b"7", b"{", b"{}", b'{"key": 1}', b'{"key": "KEY", "format": [], "items": []}', b"\xff",
     b'{"key": "KEY", "format": ["mp4", 8000, 1], "items": []}',
     b'{"key": "KEY", "format": ["mp3", 8000, 1], "items": 1}',
     b'{"key": "KEY", "format": ["mp3", 8000, 1], "items": [{"bytes": "1", "ms": 1}]}',
     b'{"key": "KEY", "format": ["mp3", 8000, 1], "items": [{"bytes": 1, "ms": 1}]}'],
)  # fmt: skip
def test_a_header_that_makes_no_sense_is_refused(header):
    header = header.replace(b"KEY", KEY.encode())
    body = len(header).to_bytes(4, "big") + header
    with pytest.raises(DamagedEntry):
        decode(KEY, MAGIC + hashlib.sha256(body).digest() + body)


# ---------------------------------------------------------------- the folder


def test_what_was_written_is_there_for_the_next_start(tmp_path):
    store_in(tmp_path).write(KEY, RECORDING)
    again = store_in(tmp_path)
    assert again.may_hold(KEY)
    assert again.read(KEY).items == RECORDING.items
    assert not again.may_hold(key_of("b"))


def test_entries_are_for_their_owner_alone(tmp_path):
    store_in(tmp_path / "speech").write(KEY, RECORDING)
    assert (tmp_path / "speech").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "speech" / f"{KEY}.speech").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: data.replace(MAGIC, MAGIC[:-1] + b"\x09"),
        lambda data: b"something else",
    ],
    ids=["empty", "half", "flipped", "other version", "no entry"],
)
def test_a_damaged_entry_is_deleted_with_one_line_and_made_again(tmp_path, caplog, damage):
    store = store_in(tmp_path)
    store.write(KEY, RECORDING)
    file = tmp_path / f"{KEY}.speech"
    file.write_bytes(damage(file.read_bytes()))
    assert store.read(KEY) is None
    assert store.read(KEY) is None
    assert len(caplog.records) == 1
    assert str(file) in caplog.text
    assert not file.exists()
    store.write(KEY, RECORDING)
    assert store.read(KEY).items == RECORDING.items


def test_an_entry_that_somebody_deleted_is_missing_and_made_again(tmp_path, caplog):
    store = store_in(tmp_path)
    store.write(KEY, RECORDING)
    (tmp_path / f"{KEY}.speech").unlink()
    assert store.read(KEY) is None
    store.write(KEY, RECORDING)
    assert store.read(KEY).items == RECORDING.items
    assert caplog.records == []


def test_the_least_recently_used_go_first(tmp_path):
    store = store_in(tmp_path, limit=12_000)
    for number in range(8):
        store.write(key_of(number), recording_of(1000))
        age(tmp_path, key_of(number), 1000 - number)
    assert store.read(key_of(0)) is not None  # used, and so the last to go
    for number in range(8, 12):
        store.write(key_of(number), recording_of(1000))
    assert store.read(key_of(0)) is not None
    assert store.read(key_of(1)) is None
    assert store.read(key_of(11)) is not None


def test_the_folder_never_holds_more_than_its_limit(tmp_path):
    store = store_in(tmp_path, limit=20_000)
    for number in range(100):
        store.write(key_of(number), recording_of(500 + 37 * number))
        total = sum(file.stat().st_size for file in tmp_path.iterdir())
        assert total == store.used <= 20_000
    assert store.entries == len(kept(tmp_path)) > 2


def test_a_smaller_limit_is_kept_from_the_next_start_on(tmp_path):
    store = store_in(tmp_path)
    for number in range(20):
        store.write(key_of(number), recording_of(1000))
    assert store_in(tmp_path, limit=5_000).used <= 5_000
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 5_000


def test_what_is_larger_than_the_limit_is_not_kept(tmp_path):
    store = store_in(tmp_path, limit=5_000)
    store.write(KEY, RECORDING)
    store.write(key_of("b"), recording_of(6_000))
    assert kept(tmp_path) == {f"{KEY}.speech"}


def test_what_a_crash_left_half_written_is_swept_away_and_what_is_being_written_is_not(tmp_path):
    old, new = tmp_path / ".a-1-1.tmp", tmp_path / ".b-2-2.tmp"
    for file in (old, new):
        file.write_bytes(b"half")
    then = time.time() - STALE_S - 1
    os.utime(old, (then, then))
    store = store_in(tmp_path)
    assert kept(tmp_path) == {new.name}
    assert store.entries == 0


def test_a_writer_whose_disk_is_full_leaves_nothing_behind(tmp_path, caplog, monkeypatch):
    store = store_in(tmp_path)

    def refuse(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    for number in range(3):
        store.write(key_of(number), RECORDING)
    assert kept(tmp_path) == set()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "No space left on device" in caplog.text


def test_a_disk_that_has_refused_is_tried_again_after_a_while(tmp_path, monkeypatch):
    store = store_in(tmp_path)
    clock = [1000.0]
    monkeypatch.setattr("mynah.engines.speech_store.now", lambda: clock[0])
    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        store.write(KEY, RECORDING)
    store.write(KEY, RECORDING)
    assert store.read(KEY) is None
    clock[0] += PAUSE_S + 1
    store.write(KEY, RECORDING)
    assert store.read(KEY).items == RECORDING.items


def test_a_folder_that_cannot_be_made_is_told_once_and_nothing_is_kept(tmp_path, caplog):
    (tmp_path / "cache").write_text("a file where the folder should be")
    store = store_in(tmp_path / "cache" / "speech")
    store.write(KEY, RECORDING)
    assert store.read(KEY) is None
    assert len(caplog.records) == 1
    assert "disk_mb: 0" in caplog.text


# ---------------------------------------------------------------- two hubs on one folder

WRITER = """
import hashlib, sys, time
from pathlib import Path
from mynah.audio import AudioChunk, AudioFormat
from mynah.engines.speech_store import Recording, SpeechStore
folder, fill = Path(sys.argv[1]), int(sys.argv[2])
store = SpeechStore(folder, 60_000)
store.open()
end, number = time.monotonic() + 1.0, 0
while time.monotonic() < end:
    number += 1
    key = hashlib.sha256(str(number % 9).encode()).hexdigest()
    store.write(key, Recording((AudioChunk(bytes([fill]) * 12_000, AudioFormat("mp3", 24_000, 1), 1.0),), 1))
    store.read(key)
print(number)
"""


def test_two_processes_that_write_the_same_entries_never_show_a_half(tmp_path, caplog):
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [
        subprocess.Popen([*command, str(fill)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for fill in (1, 2)
    ]
    found = set()
    reader = SpeechStore(tmp_path, MIB)
    while any(writer.poll() is None for writer in writers):
        for number in range(9):
            recording = reader.read(key_of(number))
            if recording is not None:
                (chunk,) = recording.items
                assert len(chunk.data) == 12_000
                assert len(set(chunk.data)) == 1
                found.add(chunk.data[0])
        time.sleep(0.001)
    for writer in writers:
        output, errors = writer.communicate()
        assert (writer.returncode, errors) == (0, b"")
        assert int(output) > 20
    assert found == {1, 2}
    assert caplog.records == []
    assert all(name.endswith(".speech") for name in kept(tmp_path))


# ---------------------------------------------------------------- what is deleted for a session


def three_in(folder):
    store = store_in(folder)
    for number in range(3):
        store.write(key_of(number), recording_of())
    return store


def test_recordings_are_deleted_by_their_names(tmp_path):
    store = three_in(tmp_path)
    store.forget([key_of(0), key_of("never written")])
    assert [store.read(key_of(number)) is not None for number in range(3)] == [False, True, True]
    assert store.entries == 2


def test_all_are_deleted_but_stock_phrases(tmp_path):
    store = three_in(tmp_path)
    store.note_stock([key_of(1)])
    SpeechStore(tmp_path, MIB).forget()  # another program's
    assert [store.read(key_of(number)) is not None for number in range(3)] == [False, True, False]


def test_a_stock_phrase_is_nobodys_own(tmp_path):
    store = three_in(tmp_path)
    store.note_stock([key_of(0)])
    store.note_stock([key_of(1)])
    store.forget([key_of(0), key_of(1)])
    assert [store.read(key_of(number)) is not None for number in range(3)] == [False, True, True]


def test_others_can_see_that_something_was_deleted(tmp_path):
    store = SpeechStore(tmp_path / "not there yet", MIB)
    assert store.forgotten_at() == 0
    store.forget()
    assert store.forgotten_at() > 0


def test_a_folder_that_cannot_be_there_holds_nothing_to_delete(tmp_path):
    (tmp_path / "speech").write_text("a file")
    SpeechStore(tmp_path / "speech", MIB).forget([KEY])


def test_what_cannot_be_deleted_is_told(tmp_path, monkeypatch):
    def refuse(file, missing_ok=False):
        raise PermissionError(13, "Permission denied")

    store = three_in(tmp_path)
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    with pytest.raises(StorageError, match="cannot be deleted: Permission denied"):
        store.forget()
