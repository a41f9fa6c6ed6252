"""When something that a speaker was told to say has sounded, or will not any more."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from mynah import Event, Hub, Replied, ReplyFailed, ReplyInterrupted, SessionClosed
from mynah_mqtt.reading import Refusal

log = logging.getLogger(__name__)

POLL_S: Final = 0.1
LONGEST_S: Final = 300.0

Turn = tuple[str, str]
"""A session's id and a turn's."""


class Sounding:
    """Follows turns from when they were asked for to when they have sounded. `run` must run meanwhile."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._waits: dict[Turn, asyncio.Future[None]] = {}
        self._made: set[Turn] = set()
        self._something_made = asyncio.Event()

    def follow(self, session_id: str, turn_id: str) -> asyncio.Future[None]:
        """Return what ends when the turn has sounded; ends with `Refusal` where it has not to its end."""
        turn = (session_id, turn_id)
        future = self._waits[turn] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda _: self._forget(turn))
        return future

    async def wait(self, future: asyncio.Future[None]) -> None:
        """Wait for a turn that is followed, for a bounded time. Raises `Refusal`."""
        try:
            async with asyncio.timeout(LONGEST_S):
                await future
        except TimeoutError:
            raise Refusal("failed", f"it had not sounded after {LONGEST_S:g} s") from None

    async def run(self) -> None:
        """Follow the hub's events until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(), name="mqtt: turns")
            group.create_task(self._watch(), name="mqtt: loudspeakers")

    def _forget(self, turn: Turn) -> None:
        self._waits.pop(turn, None)
        self._made.discard(turn)

    async def _listen(self) -> None:
        with self._hub.bus.subscribe(Event, name="mqtt: turns", maxsize=4096) as events:
            async for event in events:
                self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case Replied(session_id=session, turn_id=turn) if (session, turn) in self._waits:
                self._made.add((session, turn))
                self._something_made.set()
            case ReplyFailed(session_id=session, turn_id=turn, error=error):
                self._fail((session, turn), Refusal("failed", error))
            case ReplyInterrupted(session_id=session, turn_id=turn, reason=reason):
                self._fail((session, turn), Refusal("failed", f"it was interrupted: {reason}"))
            case SessionClosed(session_id=session):
                for each in [each for each in self._waits if each[0] == session]:
                    self._fail(each, Refusal("offline", "the speaker went away"))

    def _fail(self, turn: Turn, error: Refusal) -> None:
        future = self._waits.get(turn)
        if future is not None and not future.done():
            future.set_exception(error)

    async def _watch(self) -> None:
        """Look at the loudspeakers while something sounds; the hub has no event for silence."""
        while True:
            if not self._made:
                self._something_made.clear()
                await self._something_made.wait()
            await asyncio.sleep(POLL_S)
            sessions = {session["id"]: session for session in self._hub.sessions()}
            for turn in tuple(self._made):
                session = sessions.get(turn[0])
                future = self._waits.get(turn)
                if session is not None and session["attached"] and not session["busy"] and future is not None:
                    self._made.discard(turn)
                    if not future.done():
                        future.set_result(None)
