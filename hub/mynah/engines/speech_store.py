"""Recordings of phrases on disk: a file each, in one folder that several hubs may share.

A file is `MAGIC`, the SHA-256 of all that follows (32 bytes), the length of the header (4 bytes, big-endian), the
header as JSON, and the audio. The header has the `key`, the audio's `format` as [codec, rate, channels], and `items` in
the order in which the engine gave them: {"bytes", "ms"} for a chunk of the audio, {"char_end", "end_ms"} for a word.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mynah.audio import AudioChunk, AudioFormat
from mynah.errors import AudioError, StorageError
from mynah.timeline import now
from mynah.values import WordMark

log = logging.getLogger(__name__)

VERSION: Final = 1
MAGIC: Final = b"MYNAHSP" + bytes([VERSION])

LONGEST_FILE: Final = 4 << 20
"""Bytes of a file that is looked at; what is longer was not written by `SpeechStore`."""

TRIM_TO: Final = 0.9
"""What share of the limit is left when the oldest entries go, so that they do not go one by one."""

RECOUNT_WRITES: Final = 64
"""Writes after which the folder is counted afresh: another hub may write to it as well."""

STOCK: Final = "stock"
"""The file that names the stock phrases, one a line: they are no session's."""

FORGOTTEN: Final = "forgotten"
"""The file that is touched whenever something was deleted, for others who have it in memory."""

STALE_S: Final = 60.0
"""Age of a temporary file whose writer is taken to be gone."""

PAUSE_S: Final = 60.0
"""How long nothing is written after the disk has refused."""

_HEAD: Final = len(MAGIC) + 32 + 4


class DamagedEntry(ValueError):
    """A file is not what was written."""


@dataclass(frozen=True, slots=True)
class Recording:
    """All that an engine gave for one phrase, in order. `size` is what it takes, in bytes."""

    items: tuple[AudioChunk | WordMark, ...]
    size: int


def encode(key: str, recording: Recording) -> bytes:
    """Return the file of a recording, whose audio is of one format."""
    chunks = [item for item in recording.items if isinstance(item, AudioChunk)]
    format = chunks[0].format
    header = {"key": key, "format": [format.codec, format.rate, format.channels], "items": _described(recording.items)}
    text = json.dumps(header, separators=(",", ":")).encode()
    body = b"".join((len(text).to_bytes(4, "big"), text, *(chunk.data for chunk in chunks)))
    return MAGIC + hashlib.sha256(body).digest() + body


def _described(items: Sequence[AudioChunk | WordMark]) -> list[dict[str, float]]:
    return [
        {"bytes": len(item.data), "ms": item.ms}
        if isinstance(item, AudioChunk)
        else {"char_end": item.char_end, "end_ms": item.end_ms}
        for item in items
    ]


def decode(key: str, data: bytes) -> Recording:
    """Return the recording in a file. Raises `DamagedEntry` where it is not exactly what was written for `key`."""
    if len(data) < _HEAD:
        raise DamagedEntry("it is cut short")
    if not data.startswith(MAGIC):
        raise DamagedEntry("it is of another version or of another program")
    body = memoryview(data)[len(MAGIC) + 32 :]
    if hashlib.sha256(body).digest() != data[len(MAGIC) : len(MAGIC) + 32]:
        raise DamagedEntry("its checksum is wrong")
    length = int.from_bytes(body[:4], "big")
    try:
        header = json.loads(bytes(body[4 : 4 + length]))
        items = _restored(header, key, bytes(body[4 + length :]))
    except DamagedEntry:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, AudioError) as error:
        raise DamagedEntry("its header makes no sense") from error
    return Recording(items, len(data))


def _restored(header: Any, key: str, audio: bytes) -> tuple[AudioChunk | WordMark, ...]:
    if header["key"] != key:
        raise DamagedEntry("it belongs to another phrase")
    codec, rate, channels = header["format"]
    format = AudioFormat(codec, rate, channels)
    items: list[AudioChunk | WordMark] = []
    at = 0
    for item in header["items"]:
        if "bytes" in item:
            end = at + item["bytes"]
            items.append(AudioChunk(audio[at:end], format, item["ms"]))
            at = end
        else:
            items.append(WordMark(item["char_end"], item["end_ms"]))
    if at != len(audio):
        raise DamagedEntry("its audio is not as long as it says")
    return tuple(items)


def speech_folder(data: Path) -> Path:
    """Return the folder of the recordings in a data folder."""
    return data / "cache" / "speech"


class SpeechStore:
    """The folder, kept within `limit` bytes: the least recently used entries go first.

    Its methods block; `open` and `write` are for one thread, `read` for any. Nothing here raises for what a disk may
    do: an entry that cannot be read is missing, one that cannot be written is not kept.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._known: dict[str, int] | None = None
        self._writes = 0
        self._paused_until = 0.0
        self._complained = False

    @property
    def entries(self) -> int:
        """How many there are, as far as is known."""
        return len(self._known or ())

    @property
    def used(self) -> int:
        """What they take."""
        return sum(list((self._known or {}).values()))

    def may_hold(self, key: str) -> bool:
        """Whether it is worth reading: never blocks, and before `open` is done it says yes."""
        known = self._known
        return known is None or key in known

    def open(self) -> None:
        """Find out what there is, and make sure that the folder can be written to."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._recount()
        except OSError as error:
            self._known = {}
            self._complain(error)

    def read(self, key: str) -> Recording | None:
        """Return what is kept for `key`, if anything; a damaged entry is deleted."""
        file = self._file(key)
        try:
            with file.open("rb") as source:
                data = source.read(LONGEST_FILE)
            recording = decode(key, data)
        except OSError:
            self._forget(key)
            return None
        except DamagedEntry as damage:
            log.warning("%s cannot be used: %s; it was deleted and will be made again", file, damage)
            self._forget(key)
            with contextlib.suppress(OSError):
                file.unlink()
            return None
        with contextlib.suppress(OSError):  # a folder that is read-only can be used all the same
            os.utime(file)
        return recording

    def write(self, key: str, recording: Recording) -> None:
        """Keep a recording, unless there is one."""
        known = self._known
        if known is None or key in known or now() < self._paused_until:
            return
        data = encode(key, recording)
        if len(data) > min(self._limit, LONGEST_FILE - 1):
            return
        try:
            self._make_room(len(data))
            self._put(key, data)
        except OSError as error:
            self._complain(error)
        else:
            self._complained = False

    def forget(self, keys: Collection[str] | None = None) -> None:
        """Delete these recordings, or all; stock phrases stay. Raises `StorageError` where the disk refuses."""
        try:
            there = [file.name.removesuffix(".speech") for file in self._folder.glob("*.speech")]
            for key in set(there if keys is None else keys).intersection(there) - self.stock():
                self._file(key).unlink(missing_ok=True)
                self._forget(key)
        except OSError as error:
            raise StorageError(f"speech in {self._folder} cannot be deleted: {error.strerror or error}") from error
        with contextlib.suppress(OSError):  # then nobody else can have anything from there
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._folder / FORGOTTEN).touch(mode=0o600)

    def forgotten_at(self) -> int:
        """Return when something was last deleted by anybody, on the disk's own clock; 0 for never."""
        try:
            return (self._folder / FORGOTTEN).stat().st_mtime_ns
        except OSError:
            return 0

    def note_stock(self, keys: Collection[str]) -> None:
        """Note which recordings are of stock phrases, in the place of those that were."""
        try:
            self._write_file(self._folder / STOCK, "\n".join(sorted(keys)).encode())
        except OSError as error:
            self._complain(error)

    def stock(self) -> frozenset[str]:
        """Return which recordings are of stock phrases."""
        try:
            return frozenset((self._folder / STOCK).read_text("ascii").split())
        except (OSError, ValueError):
            return frozenset()

    def _put(self, key: str, data: bytes) -> None:
        self._write_file(self._file(key), data)
        if self._known is not None:
            self._known[key] = len(data)

    def _write_file(self, file: Path, data: bytes) -> None:
        # Readers, in other processes too, see a file that is whole or none. It need not outlive a power failure: the
        # checksum tells what was not written in time.
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._folder / f".{file.stem[:16]}-{os.getpid()}-{secrets.token_hex(4)}.tmp"
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                target.write(data)
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)

    def _make_room(self, size: int) -> None:
        self._writes += 1
        if self.used + size > self._limit or self._writes % RECOUNT_WRITES == 0:
            self._recount(size)

    def _recount(self, coming: int = 0) -> None:
        """See what is in the folder, delete what is left over, and what is too much with `coming` bytes more."""
        entries = []
        with os.scandir(self._folder) as files:
            for file in files:
                with contextlib.suppress(FileNotFoundError):  # another hub was faster
                    state = file.stat(follow_symlinks=False)
                    if file.name.endswith(".speech"):
                        entries.append((state.st_mtime_ns, file.name.removesuffix(".speech"), state.st_size))
                    elif file.name.endswith(".tmp") and time.time() - state.st_mtime > STALE_S:
                        Path(file.path).unlink()
        entries.sort()
        total = sum(size for _, _, size in entries)
        goal = self._limit * TRIM_TO if total + coming > self._limit else self._limit
        gone = 0
        while gone < len(entries) and total + coming > goal:
            _, key, size = entries[gone]
            self._file(key).unlink(missing_ok=True)
            total -= size
            gone += 1
        self._known = {key: size for _, key, size in entries[gone:]}

    def _forget(self, key: str) -> None:
        if self._known is not None:
            self._known.pop(key, None)

    def _complain(self, error: OSError) -> None:
        self._paused_until = now() + PAUSE_S
        if not self._complained:
            self._complained = True
            log.warning(
                "speech cannot be kept in %s (%s); the hub goes on without. Make the folder writable, or set "
                "'speech_cache: disk_mb: 0'", self._folder, error.strerror or error,
            )  # fmt: skip

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.speech"
