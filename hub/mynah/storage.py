"""What is kept: one data folder and in it one SQLite database with a versioned schema."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mynah.errors import StorageError

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
)
"""Each entry brings the schema from version n to n + 1. Entries are only ever appended."""

BUSY_S: Final = 5.0
"""How long to wait for another program that is writing to the database."""


@dataclass(frozen=True, slots=True)
class SpeakerRow:
    """What is kept of a speaker; `last_seen` in seconds since the epoch."""

    id: str
    name: str
    area: str | None
    formats: tuple[str, ...]
    last_seen: float


class Storage:
    """The data folder and its database. Opening it creates both, and migrates an older database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "mynah.sqlite3"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.database.touch(mode=0o600)
            self._connection = sqlite3.connect(self.database, isolation_level=None, timeout=BUSY_S)
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
        """Close the database."""
        self._connection.close()

    @property
    def version(self) -> int:
        """The version of the database's schema."""
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside one transaction that is rolled back if the body raises.

        Raises `StorageError` where the database refuses.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

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
        with self.transaction() as connection:
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
        rows = self._connection.execute("SELECT id, name, area, formats, last_seen FROM speaker ORDER BY id")
        return [SpeakerRow(id, name, area, tuple(json.loads(formats)), seen) for id, name, area, formats, seen in rows]

    def keep_speaker(self, row: SpeakerRow) -> None:
        """Keep what is known of a speaker, in place of what was."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO speaker (id, name, area, formats, last_seen) VALUES (?, ?, ?, ?, ?)",
                (row.id, row.name, row.area, json.dumps(row.formats), row.last_seen),
            )

    def forget_speaker(self, id: str) -> None:
        """Keep nothing of a speaker any more."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM speaker WHERE id = ?", (id,))

    # ------------------------------------------------------------ keys of speakers

    def make_key(self, id: str) -> bytes:
        """Make the 32 bytes that a speaker's updates are signed with, in place of earlier ones."""
        key = secrets.token_bytes(32)
        with self.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO speaker_key (id, key, created) VALUES (?, ?, ?)", (id, key, time.time())
            )
        return key

    def key(self, id: str) -> bytes | None:
        """Return a speaker's key, or None where it has none."""
        row = self._connection.execute("SELECT key FROM speaker_key WHERE id = ?", (id,)).fetchone()
        return bytes(row[0]) if row else None

    # ------------------------------------------------------------ credentials

    def issue_token(self, name: str, role: str) -> str:
        """Make a token for `name`, replacing an earlier one; only its hash is kept."""
        token = secrets.token_urlsafe(24)
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO credential (name, role, token_hash, created) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET role = excluded.role, token_hash = excluded.token_hash, "
                "created = excluded.created",
                (name, role, _hash(token), time.time()),
            )
        return token

    def revoke(self, name: str) -> bool:
        """Void the token and the key of `name`; return whether it had any."""
        with self.transaction() as connection:
            tokens = connection.execute("DELETE FROM credential WHERE name = ?", (name,)).rowcount
            keys = connection.execute("DELETE FROM speaker_key WHERE id = ?", (name,)).rowcount
        return bool(tokens + keys)

    def credentials(self) -> Mapping[str, str]:
        """Return the role of each name that has a token."""
        return dict(self._connection.execute("SELECT name, role FROM credential ORDER BY name"))

    def credential(self, token: str) -> tuple[str, str] | None:
        """Return (name, role) of whom `token` belongs to, or None."""
        digest = _hash(token)
        row = self._connection.execute(
            "SELECT name, role, token_hash FROM credential WHERE token_hash = ?", (digest,)
        ).fetchone()
        return (row[0], row[1]) if row and hmac.compare_digest(row[2], digest) else None


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
