"""What is kept of the audio of sessions, where that is configured: a WAV of what was said, and one of each reply.

Files are written by one thread with a short queue, which nobody waits for; what does not fit into it is not kept.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

from mynah.audio import LISTENING, AudioChunk, AudioFormat, converter, wav_header
from mynah.errors import AudioError, InputError

log = logging.getLogger(__name__)

DAY_S: Final = 86_400.0

MOST_WAITING: Final = 32
"""Turns whose audio waits for the disk; of more nothing is kept."""

ROOM: Final = 0.9
"""How much of the room is left filled when the oldest files are deleted, so that this is not done for every turn."""

MOST_BYTES: Final = 16 << 20
"""Audio of a reply that is kept at most, as the engine made it."""

_SAFE: Final = re.compile(r"[\w-]+\Z", re.ASCII)
_FILE: Final = re.compile(r"t\d+-(said|reply|original)\.wav\Z", re.ASCII)

Phrase = tuple[int, AudioChunk]
"""A piece of a reply's audio, and the number of the phrase that it belongs to."""


class KeptAudio:
    """WAV files in `folder`, a folder each session: for `days` (0: none are), up to `most_bytes` in all."""

    def __init__(self, folder: Path, *, days: float, most_bytes: int) -> None:
        self.keeps = days > 0
        self._folder = folder
        self._keep_s = days * DAY_S
        self._most_bytes = most_bytes
        self._used: int | None = None
        self._waiting = 0
        self._lock = threading.Lock()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="kept-audio")

    def close(self) -> None:
        """Write what is waiting."""
        self._writer.shutdown()

    def keep(self, session_id: str, turn_id: str, said: bytes, replies: Mapping[str, Sequence[Phrase]]) -> None:
        """Keep what was said in a turn, as `LISTENING` PCM, and its replies by name."""
        with self._lock:
            if self._waiting >= MOST_WAITING:
                log.warning("session %s: the audio of turn %s is not kept: the disk is too slow", session_id, turn_id)
                return
            self._waiting += 1
        self._writer.submit(self._write, session_id, turn_id, said, replies)

    def files(self, session_id: str) -> list[str]:
        """Return the names of the files of a session, in order."""
        try:
            return sorted(name for name in os.listdir(self._of(session_id)) if _FILE.match(name))
        except FileNotFoundError:  # nothing is kept of it, or not any more
            return []

    def file(self, session_id: str, name: str) -> Path:
        """Return where a file of a session is. Raises `InputError` where there is none."""
        path = self._of(session_id) / name
        if not _FILE.match(name) or not path.is_file():
            raise InputError(f"no audio {name!r} of the session {session_id!r} is kept")
        return path

    def delete(self, session_id: str | None = None) -> Future[None]:
        """Delete the files of a session, or all; what waits to be written is written before."""
        return self._writer.submit(self._delete, self._folder if session_id is None else self._of(session_id))

    def expire(self, known: Collection[str]) -> Future[None]:
        """Delete what is older than it may be, and what belongs to no `known` session."""
        return self._writer.submit(self._expire, set(known))

    def _of(self, session_id: str) -> Path:
        if not _SAFE.match(session_id):
            raise InputError(f"{session_id!r} is no id of a session")
        return self._folder / session_id

    # ------------------------------------------------------------ in the thread

    def _write(self, session_id: str, turn_id: str, said: bytes, replies: Mapping[str, Sequence[Phrase]]) -> None:
        try:
            folder = self._of(session_id)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if said:
                self._write_wav(folder / f"{turn_id}-said.wav", LISTENING, said)
            for name, phrases in replies.items():
                format, pcm = decoded(phrases)
                if pcm:
                    self._write_wav(folder / f"{turn_id}-{name}.wav", format, pcm)
            if self._size() > self._most_bytes:
                self._make_room()
        except (OSError, AudioError) as error:
            log.warning("session %s: the audio of turn %s is not kept: %s", session_id, turn_id, error)
        finally:
            with self._lock:
                self._waiting -= 1

    def _write_wav(self, path: Path, format: AudioFormat, pcm: bytes) -> None:
        part = path.with_suffix(".part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(wav_header(format, len(pcm)) + pcm)
        part.replace(path)
        self._used = self._size() + 44 + len(pcm)

    def _size(self) -> int:
        if self._used is None:
            self._used = sum(size for _, size, _ in self._all())
        return self._used

    def _all(self) -> list[tuple[float, int, Path]]:
        """Return when each file was written, how large it is, and where, the oldest first."""
        found = []
        for file in self._folder.glob("*/*.wav"):
            with contextlib.suppress(FileNotFoundError):
                stat = file.stat()
                found.append((stat.st_mtime, stat.st_size, file))
        return sorted(found)

    def _make_room(self) -> None:
        self._used = None
        for _, size, file in self._all():
            if self._size() <= self._most_bytes * ROOM:
                return
            file.unlink(missing_ok=True)
            self._used = self._size() - size

    def _expire(self, known: set[str]) -> None:
        before = time.time() - self._keep_s
        for written, _, file in self._all():
            if written < before or file.parent.name not in known:
                file.unlink(missing_ok=True)
        for folder in self._folder.glob("*/"):
            with contextlib.suppress(OSError):  # there is something in it
                folder.rmdir()
        self._used = None

    def _delete(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self._used = None


def decoded(phrases: Sequence[Phrase]) -> tuple[AudioFormat, bytes]:
    """Return the audio of a reply as PCM, one phrase after the other, and its format: mono, at the rate of the first.

    Raises `AudioError` where it cannot be decoded.
    """
    if not phrases:
        return LISTENING, b""
    target = AudioFormat("pcm_s16le", phrases[0][1].format.rate, 1)
    pcm = bytearray()
    stream, current = None, None
    for phrase, chunk in phrases:
        if (phrase, chunk.format) != current:
            if stream is not None:
                pcm += b"".join(each.data for each in stream.flush())
            stream, current = converter(chunk.format, target), (phrase, chunk.format)
        if stream is not None:
            pcm += b"".join(each.data for each in stream.feed(chunk.data))
    if stream is not None:
        pcm += b"".join(each.data for each in stream.flush())
    return target, bytes(pcm)
