"""What is kept: one data folder and in it one SQLite database with a versioned schema.

Everything is written by one thread, in the order in which it was given, each piece of work in a transaction of its own.
What is read by its key is read at once: in WAL mode a reader never waits for a writer.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from mynah.errors import StorageError

log = logging.getLogger(__name__)
T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

MIGRATIONS: Final[tuple[str, ...]] = (
    # 1: credentials. Only the hash of a token is kept; a token is shown once, when it is made.
    """
    CREATE TABLE credential (
        name TEXT PRIMARY KEY,
        role TEXT NOT NULL CHECK (role IN ('admin', 'speaker', 'viewer')),
        token_hash TEXT NOT NULL UNIQUE,
        created REAL NOT NULL
    ) STRICT;
    """,
    # 2: speakers that came by themselves, and what configured ones have told of themselves.
    """
    CREATE TABLE speaker (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        area TEXT,
        formats TEXT NOT NULL,
        last_seen REAL NOT NULL
    ) STRICT;
    """,
    # 3: what a speaker's updates are signed with. The hub must know the key itself, not only its hash.
    """
    CREATE TABLE speaker_key (
        id TEXT PRIMARY KEY,
        key BLOB NOT NULL CHECK (length(key) = 32),
        created REAL NOT NULL
    ) STRICT;
    """,
    # 4: sessions and their finished exchanges. `turns` is the number of the last turn that is known here; `options` are
    # those of the session, as JSON.
    """
    CREATE TABLE session (
        id TEXT PRIMARY KEY,
        origin TEXT NOT NULL,
        options TEXT NOT NULL,
        created REAL NOT NULL,
        last_active REAL NOT NULL,
        turns INTEGER NOT NULL,
        ended REAL,
        reason TEXT NOT NULL
    ) STRICT;
    CREATE INDEX session_last_active ON session (last_active);
    CREATE TABLE exchange (
        session_id TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        turn INTEGER NOT NULL,
        at REAL NOT NULL,
        user TEXT NOT NULL,
        reply TEXT NOT NULL,
        subject TEXT NOT NULL,
        outcome TEXT NOT NULL,
        language TEXT NOT NULL,
        PRIMARY KEY (session_id, turn)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX exchange_at ON exchange (at);
    """,
    # 5: which recordings of the speech cache hold what a session had said, by their names there.
    """
    CREATE TABLE spoken (
        session_id TEXT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
        key TEXT NOT NULL,
        PRIMARY KEY (session_id, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX spoken_key ON spoken (key);
    """,
)
"""Each entry brings the schema from version n to n + 1. Entries are only ever appended."""

BUSY_S: Final = 5.0
"""How long to wait for another program that is writing to the database."""

MOST_WAITING: Final = 10_000
"""Pieces of work that wait for the disk at most; more are refused."""


@dataclass(frozen=True, slots=True)
class SpeakerRow:
    """What is kept of a speaker; `last_seen` in seconds since the epoch."""

    id: str
    name: str
    area: str | None
    formats: tuple[str, ...]
    last_seen: float


def remembered_speakers(folder: Path) -> Mapping[str, str | None]:
    """Return the area of each speaker that is remembered in a data folder, whether or not a hub runs on it.

    It changes nothing there. Where nothing can be read, nothing is known.
    """
    file = folder.absolute() / "mynah.sqlite3"
    try:
        with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=0.1)) as connection:
            return dict(connection.execute("SELECT id, area FROM speaker"))
    except sqlite3.Error:
        return {}


class Storage:
    """The data folder and its database. Opening it creates both, and migrates an older database.

    What was written survives the end of this process at any moment. A power failure may take what the operating system
    had not put on the disk yet, half a minute's work as a rule, but leaves the database sound.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "mynah.sqlite3"
        self.trouble = ""
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="storage")
        self._writing = threading.local()
        self._waiting = 0
        self._count = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.database.touch(mode=0o600)
            self._connection = self._connect()
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        try:
            self._use_wal()
            self._migrate()
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise self._unusable(error) from error
        except StorageError:
            self.close()
            raise

    def close(self) -> None:
        """Write what is waiting, and close the database."""
        self._writer.submit(self._disconnect)
        self._writer.shutdown()
        self._connection.close()

    @property
    def version(self) -> int:
        """The version of the database's schema."""
        return int(self.read("PRAGMA user_version")[0][0])

    @property
    def waiting(self) -> int:
        """Pieces of work that wait for the disk."""
        return self._waiting

    # ------------------------------------------------------------ reading and writing

    def read(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the rows of a `query` at once; for what is found by a key, in the thread that opened the storage."""
        return self._connection.execute(query, values).fetchall()

    def write(self, work: Work[T]) -> Future[T]:
        """Have the writing thread do `work` in a transaction that is rolled back if it raises.

        The future raises `StorageError` where the database refuses; so does this where too much is waiting already.
        """
        return self._writer.submit(self._admit(), work)

    def write_soon(self, work: Work[T]) -> asyncio.Future[T]:
        """Have the writing thread do `work`, as `write` does, for code that runs in a loop."""
        return asyncio.get_running_loop().run_in_executor(self._writer, self._admit(), work)

    def _admit(self) -> Callable[[Work[T]], T]:
        with self._count:
            if self._waiting >= MOST_WAITING:
                raise StorageError(f"{self._waiting} pieces of work wait for the disk of {self.folder} already")
            self._waiting += 1
        return self._do

    def _do(self, work: Work[T]) -> T:
        try:
            with self._transaction(self._own()) as connection:
                result = work(connection)
        except StorageError as error:
            self.trouble = str(error)
            raise
        else:
            self.trouble = ""
            return result
        finally:
            with self._count:
                self._waiting -= 1

    @contextlib.contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
        """Give `connection` inside one transaction. Raises `StorageError` where the database refuses."""
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def scrub(self) -> Future[None]:
        """Have nothing left of what was deleted, in the log neither; programs that read keep it a little longer."""
        return self._writer.submit(self._scrub)

    def _scrub(self) -> None:
        with contextlib.suppress(sqlite3.Error):  # it is overwritten sooner or later in any case
            self._own().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _own(self) -> sqlite3.Connection:
        """Return the writing thread's connection."""
        try:
            found: sqlite3.Connection | None = getattr(self._writing, "connection", None)
            if found is None:
                found = self._writing.connection = self._connect()
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        return found

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.database, isolation_level=None, timeout=BUSY_S)
        # A commit is in the operating system's hands then, which the end of this process does not touch.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        # What was deleted is overwritten: it was deleted for a reason.
        connection.execute("PRAGMA secure_delete = ON")
        return connection

    def _disconnect(self) -> None:
        connection: sqlite3.Connection | None = getattr(self._writing, "connection", None)
        if connection is not None:
            connection.close()

    def _use_wal(self) -> None:
        # SQLite does not wait for another program that is changing the journal mode of the same file, so this does.
        deadline = time.monotonic() + BUSY_S
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    def _migrate(self) -> None:
        if self.version == len(MIGRATIONS):
            return
        with self._transaction(self._connection) as connection:
            version = self.version  # once more, as another program may have migrated the database meanwhile
            if version > len(MIGRATIONS):
                raise StorageError(
                    f"{self.database} was written by a newer Mynah (schema {version}, this one knows "
                    f"{len(MIGRATIONS)}); install that version or use another data folder"
                )
            for script in MIGRATIONS[version:]:
                for statement in _statements(script):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _unusable(self, error: Exception) -> StorageError:
        return StorageError(
            f"the data folder {self.folder} cannot be used ({error}); make it writable or set 'data:' to another one"
        )

    # ------------------------------------------------------------ speakers

    def speakers(self) -> Sequence[SpeakerRow]:
        """Return every speaker that is kept, by id."""
        rows = self.read("SELECT id, name, area, formats, last_seen FROM speaker ORDER BY id")
        return [SpeakerRow(id, name, area, tuple(json.loads(formats)), seen) for id, name, area, formats, seen in rows]

    def keep_speaker(self, row: SpeakerRow) -> None:
        """Keep what is known of a speaker, in place of what was; that it cannot be is only logged."""
        values = (row.id, row.name, row.area, json.dumps(row.formats), row.last_seen)
        self._write_or_log(
            "INSERT OR REPLACE INTO speaker (id, name, area, formats, last_seen) VALUES (?, ?, ?, ?, ?)", values
        )

    def forget_speaker(self, id: str) -> None:
        """Keep nothing of a speaker any more; that it cannot be done is only logged."""
        self._write_or_log("DELETE FROM speaker WHERE id = ?", (id,))

    def _write_or_log(self, statement: str, values: Sequence[Any]) -> None:
        try:
            self.write(statement_of(statement, values)).add_done_callback(_log_failure)
        except StorageError as error:
            log.warning("not written: %s", error)

    # ------------------------------------------------------------ keys of speakers

    def make_key(self, id: str) -> bytes:
        """Make the 32 bytes that a speaker's updates are signed with, in place of earlier ones."""
        key = secrets.token_bytes(32)
        statement = "INSERT OR REPLACE INTO speaker_key (id, key, created) VALUES (?, ?, ?)"
        self.write(statement_of(statement, (id, key, time.time()))).result()
        return key

    def key(self, id: str) -> bytes | None:
        """Return a speaker's key, or None where it has none."""
        rows = self.read("SELECT key FROM speaker_key WHERE id = ?", (id,))
        return bytes(rows[0][0]) if rows else None

    # ------------------------------------------------------------ credentials

    def issue_token(self, name: str, role: str) -> str:
        """Make a token for `name`, replacing an earlier one; only its hash is kept. Waits until it is written."""
        token = secrets.token_urlsafe(24)
        statement = (
            "INSERT INTO credential (name, role, token_hash, created) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET role = excluded.role, token_hash = excluded.token_hash, "
            "created = excluded.created"
        )
        values = (name, role, _hash(token), time.time())
        self.write(statement_of(statement, values)).result()
        return token

    def revoke(self, name: str) -> bool:
        """Void the token and the key of `name`; return whether it had any."""

        def work(connection: sqlite3.Connection) -> bool:
            tokens = connection.execute("DELETE FROM credential WHERE name = ?", (name,)).rowcount
            keys = connection.execute("DELETE FROM speaker_key WHERE id = ?", (name,)).rowcount
            return bool(tokens + keys)

        return self.write(work).result()

    def credentials(self) -> Mapping[str, str]:
        """Return the role of each name that has a token."""
        return dict(self.read("SELECT name, role FROM credential ORDER BY name"))

    def credential(self, token: str) -> tuple[str, str] | None:
        """Return (name, role) of whom `token` belongs to, or None."""
        digest = _hash(token)
        for name, role, found in self.read(
            "SELECT name, role, token_hash FROM credential WHERE token_hash = ?", (digest,)
        ):
            return (name, role) if hmac.compare_digest(found, digest) else None
        return None


def statement_of(statement: str, values: Sequence[Any]) -> Work[None]:
    """Return the work of executing one statement."""

    def work(connection: sqlite3.Connection) -> None:
        connection.execute(statement, values)

    return work


def _log_failure(done: Future[Any]) -> None:
    if not done.cancelled() and (error := done.exception()) is not None:
        log.warning("not written: %s", error)


def _hash(token: str) -> str:
    # The token is 192 random bits, so a plain hash cannot be searched; no slow key derivation is needed. What a client
    # sends in place of a token may hold lone surrogates; it is wrong, but no reason to fail.
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of `script` one by one, so that they can run inside a transaction that is open already."""
    statement = ""
    for part in script.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
