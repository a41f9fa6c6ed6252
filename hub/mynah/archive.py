"""What is kept of sessions: who they were, and their finished exchanges, so that they outlast the hub's own life.

An exchange is handed to the storage before its end is told, and a turn waits with telling it until it is written. All
is deleted when `keep_days` are over; with 0 nothing is written at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from mynah.errors import StorageError
from mynah.kept_audio import DAY_S, KeptAudio
from mynah.session_protocol import Interpretation, SessionOptions
from mynah.storage import Storage, Work, statement_of
from mynah.values import Exchange

log = logging.getLogger(__name__)

WRITTEN_WITHIN_S: Final = 1.0
"""How long the end of a turn, or the return of a session, waits for the disk; then it goes on, with a warning."""

MOST_EXPORTED: Final = 100_000
"""Exchanges of one session that are exported at most, the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSession:
    """A session as it is kept; times are seconds since the epoch.

    `options` are those that it is to be opened with again. `turns` is the number of a turn that was not the last one by
    less than `TURNS_STEP`. `ended` tells that it is over for good, and `reason` why.
    """

    id: str
    options: SessionOptions
    created: float
    last_active: float
    turns: int = 0
    ended: float | None = None
    reason: str = ""

    def describe(self) -> dict[str, Any]:
        """Return it as plain data."""
        told = asdict(self)
        return {"id": told.pop("id"), **_told(told.pop("options")), **told}


TURNS_STEP: Final = 100
"""A session is written down at least once in so many turns."""

COLUMNS: Final = ("id", "origin", "options", "created", "last_active", "turns", "ended", "reason")
_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM session"
ForgetSpeech = Callable[[Collection[str] | None], Awaitable[None]]
"""Deletes recordings of the speech cache by their names, or all but stock phrases."""

_EXCHANGES: Final = "SELECT turn, user, reply, subject, outcome, language, at FROM exchange WHERE session_id = ?"


async def _has_no_cache(keys: Collection[str] | None) -> None:
    """Forget nothing."""


class Archive:
    """Sessions and exchanges in the database; what the speech cache holds of a session goes with it."""

    def __init__(
        self,
        storage: Storage,
        keep_days: float,
        *,
        audio_days: float = 0.0,
        audio_mb: int = 0,
        forget_speech: ForgetSpeech = _has_no_cache,
    ) -> None:
        self.keeps = keep_days > 0
        self.audio = KeptAudio(
            storage.folder / "audio", days=audio_days if self.keeps else 0.0, most_bytes=audio_mb << 20
        )
        self._storage = storage
        self._forget_speech = forget_speech
        self._keep_s = keep_days * DAY_S
        self._unwritten: dict[str, int] = {}

    def close(self) -> None:
        """Write what waits of audio; the storage is closed by whoever opened it."""
        self.audio.close()

    # ------------------------------------------------------------ writing

    def begin(self, session: KeptSession) -> None:
        """Keep a session that begins."""
        marks = ", ".join("?" * len(COLUMNS))
        statement, values = f"INSERT OR IGNORE INTO session ({', '.join(COLUMNS)}) VALUES ({marks})", _row(session)
        self._write(session.id, statement_of(statement, values))

    def note(self, session: KeptSession) -> None:
        """Keep what has changed about a session; nothing where it was deleted meanwhile."""
        self._write(session.id, lambda connection: _update(connection, session))

    def drop(self, session_id: str) -> None:
        """Keep nothing of a session any more."""
        self._write(session_id, statement_of("DELETE FROM session WHERE id = ?", (session_id,)))

    def keep(self, session: KeptSession, exchange: Exchange) -> asyncio.Future[None] | None:
        """Keep an exchange, in place of what was known of its turn; the future is done when it is written.

        Of a session that was deleted meanwhile nothing is kept.
        """
        values = (
            session.id, int(exchange.turn_id[1:]), exchange.at, exchange.user, exchange.reply, exchange.subject,
            exchange.outcome, exchange.language,
        )  # fmt: skip

        def work(connection: sqlite3.Connection) -> None:
            if _update(connection, session):
                statement = f"INSERT OR REPLACE INTO exchange VALUES ({', '.join('?' * len(values))})"
                connection.execute(statement, values)

        return self._write(session.id, work)

    def note_spoken(self, session_id: str, key: str) -> bool:
        """Note that the speech cache may hold something under `key` that was said in a session.

        Returns whether it may: not for a session that was deleted while it is open.
        """
        if not self.keeps:
            return True
        if not self.holds(session_id):
            return False
        statement = "INSERT OR IGNORE INTO spoken SELECT id, ? FROM session WHERE id = ?"
        self._write(session_id, statement_of(statement, (key, session_id)))
        return True

    def _write(self, session_id: str, work: Work[Any]) -> asyncio.Future[None] | None:
        if not self.keeps:
            return None
        try:
            future = self._storage.write_soon(work)
        except StorageError as error:
            log.warning("session %s: not written: %s", session_id, error)
            return None
        self._unwritten[session_id] = self._unwritten.get(session_id, 0) + 1
        future.add_done_callback(lambda done: self._written(session_id, done))
        return future

    def _written(self, session_id: str, done: asyncio.Future[None]) -> None:
        self._unwritten[session_id] -= 1
        if not self._unwritten[session_id]:
            del self._unwritten[session_id]
        if not done.cancelled() and (error := done.exception()) is not None:
            log.warning("session %s: not written: %s", session_id, error)

    # ------------------------------------------------------------ reading

    def find(self, session_id: str) -> KeptSession | None:
        """Return the session of that id, or None."""
        if session_id in self._unwritten:  # it was open a moment ago
            with contextlib.suppress(TimeoutError, StorageError):
                self._storage.write(lambda connection: None).result(WRITTEN_WITHIN_S)
        rows = self._storage.read(f"{_SELECT} WHERE id = ?", (session_id,)) if self.keeps else []
        return _session(rows[0]) if rows else None

    def holds(self, session_id: str) -> bool:
        """Whether something of a session is kept, or about to be: not where it was deleted while it was open."""
        if not self.keeps or session_id in self._unwritten:
            return self.keeps
        return bool(self._storage.read("SELECT 1 FROM session WHERE id = ?", (session_id,)))

    def exchanges(self, session_id: str, most: int) -> list[Exchange]:
        """Return the last `most` exchanges of a session, in order."""
        rows = self._storage.read(f"{_EXCHANGES} ORDER BY turn DESC LIMIT ?", (session_id, most))
        return [_exchange(row) for row in reversed(rows)]

    def count(self, session_id: str) -> int:
        """Return how many exchanges of a session are kept."""
        return int(self._storage.read("SELECT count(*) FROM exchange WHERE session_id = ?", (session_id,))[0][0])

    async def sessions(self, most: int, before: float | None = None) -> list[Mapping[str, Any]]:
        """Return up to `most` sessions, the one that was active last first; those active `before` that time only."""

        def work(connection: sqlite3.Connection) -> list[Mapping[str, Any]]:
            rows = connection.execute(
                f"{_SELECT} WHERE last_active < ? ORDER BY last_active DESC, id LIMIT ?", (before or 1e12, most)
            ).fetchall()
            counted = "SELECT count(*) FROM exchange WHERE session_id = ?"
            return [
                {**_session(row).describe(), "entries": int(connection.execute(counted, (row[0],)).fetchone()[0])}
                for row in rows
            ]

        return await self._storage.write_soon(work)

    async def ids(self) -> list[str]:
        """Return the ids of all sessions that are kept, the one that began first first."""

        def work(connection: sqlite3.Connection) -> list[str]:
            return [id for (id,) in connection.execute("SELECT id FROM session ORDER BY created, id")]

        return await self._storage.write_soon(work)

    async def export(self, session_id: str) -> Mapping[str, Any] | None:
        """Return all that is kept of a session, as plain data, or None where nothing is."""

        def work(connection: sqlite3.Connection) -> Mapping[str, Any] | None:
            row = connection.execute(f"{_SELECT} WHERE id = ?", (session_id,)).fetchone()
            if row is None:
                return None
            found = connection.execute(f"{_EXCHANGES} ORDER BY turn DESC LIMIT ?", (session_id, MOST_EXPORTED))
            exchanges = [asdict(_exchange(each)) for each in reversed(found.fetchall())]
            return {**_session(row).describe(), "exchanges": exchanges, "audio": self.audio.files(session_id)}

        return await self._storage.write_soon(work)

    # ------------------------------------------------------------ deleting

    async def delete(self, session_id: str | None = None) -> int:
        """Delete all that is kept of one session, or of all; return of how many something was.

        What was said in it is deleted from the speech cache too, unless another session had it said as well. Where
        nothing is kept of sessions, nobody knows whose that is: all but stock phrases goes.
        """
        own = None if session_id is None or not self.keeps else await self._own((session_id,))
        if own is None or own:
            await self._forget_speech(own)
        where, values = ("WHERE id = ?", (session_id,)) if session_id is not None else ("", ())
        count = await self._scrubbed(lambda connection: _count(connection, f"DELETE FROM session {where}", values))
        if count or session_id is None:
            await asyncio.wrap_future(self.audio.delete(session_id))
        return count

    async def expire(self, spared: Collection[str] = ()) -> int:
        """Delete what is older than it may be; a session that is `spared` is kept, but not its old exchanges."""
        before = time.time() - self._keep_s

        def find(connection: sqlite3.Connection) -> list[str]:
            old = connection.execute("SELECT id FROM session WHERE last_active < ?", (before,))
            return [id for (id,) in old if id not in spared]

        gone = await self._storage.write_soon(find)
        if own := await self._own(gone):
            await self._forget_speech(own)

        def work(connection: sqlite3.Connection) -> int:
            connection.executemany("DELETE FROM session WHERE id = ?", [(id,) for id in gone])
            exchanges = connection.execute("DELETE FROM exchange WHERE at < ?", (before,)).rowcount
            return len(gone) + exchanges

        count = await self._scrubbed(work)
        await asyncio.wrap_future(self.audio.expire(await self.ids()))
        return count

    async def _own(self, session_ids: Collection[str]) -> list[str]:
        """Return the names of recordings of the speech cache that only these sessions had said."""

        def work(connection: sqlite3.Connection) -> list[str]:
            listed = json.dumps(list(session_ids))
            found = connection.execute(
                "SELECT DISTINCT key FROM spoken AS mine WHERE session_id IN (SELECT value FROM json_each(?1)) AND NOT "
                "EXISTS (SELECT 1 FROM spoken AS other WHERE other.key = mine.key AND other.session_id NOT IN "
                "(SELECT value FROM json_each(?1)))",
                (listed,),
            )
            return [key for (key,) in found]

        return await self._storage.write_soon(work)

    async def _scrubbed(self, work: Work[int]) -> int:
        count = await self._storage.write_soon(work)
        if count:
            await asyncio.wrap_future(self._storage.scrub())
        return count


async def written(future: asyncio.Future[None] | None, session_id: str) -> None:
    """Wait until it is written, but for `WRITTEN_WITHIN_S` at most: a slow disk must not stop a conversation."""
    if future is not None:
        done, _ = await asyncio.wait({future}, timeout=WRITTEN_WITHIN_S)
        if not done:
            log.warning("session %s: the disk is slow; an exchange is told before it is written", session_id)


def _told(options: dict[str, Any]) -> dict[str, Any]:
    """Return options without what says nothing about the session itself."""
    return {name: value for name, value in options.items() if name not in ("origin_max", "origin_voices")}


def _count(connection: sqlite3.Connection, statement: str, values: Sequence[Any]) -> int:
    return connection.execute(statement, values).rowcount


def _row(session: KeptSession) -> tuple[Any, ...]:
    options = json.dumps(asdict(session.options))
    return (
        session.id, session.options.origin, options, session.created, session.last_active, session.turns, session.ended,
        session.reason,
    )  # fmt: skip


def _session(row: Sequence[Any]) -> KeptSession:
    id, _, options, created, last_active, turns, ended, reason = row
    return KeptSession(
        id=id, options=_options(json.loads(options)), created=created, last_active=last_active, turns=turns,
        ended=ended, reason=reason,
    )  # fmt: skip


def _options(told: Mapping[str, Any]) -> SessionOptions:
    """Return options as they were; those that this version does not know are left out."""
    known = {each.name for each in fields(SessionOptions)}
    values = {name: value for name, value in told.items() if name in known}
    if values.get("interpret"):
        values["interpret"] = Interpretation(**values["interpret"])
    return SessionOptions(**values)


def _exchange(row: Sequence[Any]) -> Exchange:
    turn, *rest = row
    return Exchange(f"t{turn}", *rest)


def _update(connection: sqlite3.Connection, session: KeptSession) -> bool:
    """Write what may change about a session; return whether it is there."""
    names = [name for name in COLUMNS if name != "id"]
    values = (*_row(session)[1:], session.id)
    return bool(
        connection.execute(f"UPDATE session SET {', '.join(f'{name} = ?' for name in names)} WHERE id = ?", values)
        .rowcount
    )  # fmt: skip
