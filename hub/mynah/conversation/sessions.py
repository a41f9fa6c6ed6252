"""Every open session: how many there may be, how long they live."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from mynah.archive import KeptSession
from mynah.conversation.persona import Persona
from mynah.conversation.session import Conversation
from mynah.conversation.surroundings import Surroundings
from mynah.errors import InputError, LimitError
from mynah.events import SessionClosed, SessionOpened
from mynah.session_protocol import SessionOptions
from mynah.speakers import Speakers
from mynah.timeline import now

log = logging.getLogger(__name__)

REAP_S: Final = 1.0
"""How often the ages of sessions are looked at."""

DRAIN_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsLimits:
    """How many sessions there may be and how long they live, in seconds.

    A session whose client has gone stays open for `resume_grace`, and is put away then.
    """

    max: int = 100
    idle_timeout: float = 3600.0
    max_age: float = 86_400.0
    resume_grace: float = 30.0

    def of(self, options: SessionOptions) -> SessionsLimits:
        """Return the limits of a session, which may have shorter ones of its own."""
        return replace(
            self,
            idle_timeout=min(self.idle_timeout, options.idle_timeout or self.idle_timeout),
            max_age=min(self.max_age, options.max_age or self.max_age),
        )


class Sessions:
    """Opens, finds and closes sessions."""

    def __init__(
        self, around: Surroundings, speakers: Speakers, limits: SessionsLimits, default_persona: str | None
    ) -> None:
        self._around = around
        self._speakers = speakers
        self._limits = limits
        self._default = default_persona
        self._sessions: dict[str, Conversation] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._accepting = True

    def __iter__(self) -> Iterator[Conversation]:
        return iter(tuple(self._sessions.values()))

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, options: SessionOptions) -> Conversation:
        """Begin a conversation."""
        self._require_room(options)
        speaker = self._speakers.get(options.speaker) if options.speaker else None
        persona = self.persona(options.persona or (speaker.persona if speaker else None))
        session = Conversation(
            secrets.token_urlsafe(12),
            self._around,
            persona,
            replace(
                options,
                language=options.language or (speaker.language if speaker else None),
                context={**(speaker.context if speaker else {}), **options.context},
            ),
        )
        self._around.archive.begin(session.kept())
        return self._take_in(session)

    def get(self, session_id: str) -> Conversation:
        """Return a session that is open, or that was put away and is opened again."""
        session = self._sessions.get(session_id)
        return session if session is not None else self._open_again(session_id)

    def _open_again(self, session_id: str) -> Conversation:
        kept = self._around.archive.find(session_id)
        persona = self._around.personas.get(kept.options.persona or "") if kept else None
        if kept is None or persona is None or self._is_past(kept):
            raise InputError(f"no session {session_id!r} is open; begin a new one")
        self._require_room(kept.options)
        session = Conversation(session_id, self._around, persona, kept.options)
        self._take_in(session).go_on(kept)
        log.info("session %s goes on, with %d exchanges", session_id, session.entries)
        return session

    def _is_past(self, kept: KeptSession) -> bool:
        """Whether a session that was kept cannot be gone on with."""
        idle_s, age_s = time.time() - kept.last_active, time.time() - kept.created
        limits = self._limits.of(kept.options)
        return kept.ended is not None or idle_s > limits.idle_timeout or age_s > limits.max_age

    def _require_room(self, options: SessionOptions) -> None:
        """Raise `LimitError` where no further session may be open."""
        if not self._accepting:
            raise LimitError("the hub is stopping; try again in a moment")
        most, there = options.origin_max, self.by_origin()[options.origin]
        if most is not None and there >= most:
            raise LimitError(f"{there} sessions of {options.origin or 'this kind'} are open already; close one")
        if len(self._sessions) >= self._limits.max:
            raise LimitError(f"{self._limits.max} sessions are open already; close one or raise 'sessions: max:'")

    def _take_in(self, session: Conversation) -> Conversation:
        self._sessions[session.id] = session
        persona = session.persona.spec
        self._around.bus.publish(
            SessionOpened(session_id=session.id, persona=persona.name, language=session.language or persona.language)
        )
        return session

    def by_origin(self) -> Counter[str]:
        """Return how many sessions of each origin are open."""
        return Counter(session.origin for session in self)

    def close(self, session_id: str, reason: str = "closed", *, put_away: bool = False) -> None:
        """End a conversation; its engines let go in the background. One that is `put_away` can be opened again."""
        session = self._sessions.pop(session_id, None)
        if session is None:
            self._close_kept(session_id, reason)
            return
        if session.entries or put_away:
            self._around.archive.note(session.kept(reason, ended=not put_away))
        else:
            self._around.archive.drop(session_id)  # nothing was said: there is nothing to keep
        session.end()
        task = asyncio.get_running_loop().create_task(session.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        self._around.bus.publish(SessionClosed(session_id=session_id, reason=reason))

    def _close_kept(self, session_id: str, reason: str) -> None:
        """End a session that was put away."""
        kept = self._around.archive.find(session_id)
        if kept is None or self._is_past(kept):
            raise InputError(f"no session {session_id!r} is open; begin a new one")
        self._around.archive.note(replace(kept, ended=time.time(), reason=reason))

    async def reap(self) -> None:
        """Close sessions that are idle, too old, or whose client did not come back; runs until cancelled."""
        while True:
            await asyncio.sleep(REAP_S)
            for session in self:
                reason = self._reason_to_close(session, now())
                if reason:
                    log.info("session %s closed: %s", session.id, reason)
                    self.close(session.id, reason, put_away=not self._is_past(session.kept()))

    async def drain(self, grace_s: float) -> None:
        """Take no new sessions, let replies that are being spoken finish within `grace_s`, then close all."""
        self._accepting = False
        for session in self:
            session.accepts_turns = False
        deadline = now() + grace_s
        while any(session.busy for session in self) and now() < deadline:  # noqa: ASYNC110  # the clock, not a signal, says that a loudspeaker is done
            await asyncio.sleep(DRAIN_POLL_S)
        for session in self:
            self.close(session.id, "the hub stopped", put_away=True)
        if self._closing:
            await asyncio.wait(self._closing, timeout=grace_s + 1)

    def _reason_to_close(self, session: Conversation, at: float) -> str:
        limits = self._limits.of(session.options)
        if at - session.opened_at > limits.max_age:
            return f"older than {limits.max_age:g} s"
        if not session.busy and at - session.last_active > limits.idle_timeout:
            return f"idle for {limits.idle_timeout:g} s"
        if session.detached_at is not None and at - session.detached_at > limits.resume_grace:
            if session.was_attached:
                return f"its client did not come back within {limits.resume_grace:g} s"
            session.expect_nobody()
        return ""

    def persona(self, name: str | None) -> Persona:
        """Return the persona of that name, or the default one. Raises `InputError` where there is none."""
        personas = self._around.personas
        name = name or self._default or next(iter(personas), None)
        if name is None:
            raise InputError("no persona is configured; add one under 'personas:' or enable a plugin that brings one")
        if name not in personas:
            raise InputError(f"no persona named {name!r}; known are {', '.join(sorted(personas))}")
        return personas[name]
