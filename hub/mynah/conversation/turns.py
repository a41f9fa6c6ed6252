"""The turns of a session: begun, told of when they end, stopped, and forgotten once they were heard."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any, Final

from mynah.archive import written
from mynah.bus import EventBus
from mynah.conversation.delivery import Delivery
from mynah.conversation.history import turn_number
from mynah.conversation.turn import Links, Turn
from mynah.errors import LimitError, MynahError
from mynah.events import Replied, ReplyFailed, ReplyInterrupted
from mynah.loop import begin
from mynah.outputs import Interrupted, StageStarted, TurnDropped, TurnFailed
from mynah.statistics import Statistics
from mynah.timeline import Timeline
from mynah.values import Exchange, ExchangeOutcome

log = logging.getLogger(__name__)

CLEANUP_S: Final = 5.0
"""How long engines of a stopped turn may take to let go before that is worth a warning."""

NEW_INPUT: Final = "new input"
"""Why a reply gives way to what a person says next."""

ANNOUNCEMENT: Final = "announcement"
"""Why a reply gives way to what is announced, where it shall not go on."""

GENTLE: Final = (NEW_INPUT, ANNOUNCEMENT)
"""Reasons that stop no alarm."""

MAX_TURNS: Final = 32
"""Turns of one session that may be under way at once; more are refused."""


Remember = Callable[[Turn, Exchange], asyncio.Future[None] | None]


class Turns:
    """Every turn of one session that is not over and heard. `links` gives what a new one needs.

    `remember(turn, exchange)` puts a finished exchange into the history and onto the disk; its future is done when it
    is there. `count` is the number of the last turn, `begun` how many there were since the session was opened.
    """

    def __init__(
        self,
        session_id: str,
        origin: str,
        bus: EventBus,
        delivery: Delivery,
        statistics: Statistics,
        remember: Remember,
        links: Callable[[], Links],
    ) -> None:
        self.count = 0
        self.begun = 0
        self.known: dict[str, Turn] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._session_id = session_id
        self._origin = origin
        self._bus = bus
        self._delivery = delivery
        self._statistics = statistics
        self._remember = remember
        self._links = links
        self._cleanups: set[asyncio.Task[None]] = set()

    def start(self, **what: Any) -> Turn:
        """Begin a turn."""
        if len(self.tasks) >= MAX_TURNS:
            raise LimitError(f"{MAX_TURNS} turns are under way in this session already; wait for one to end")
        self._forget_done()
        self.count += 1
        self.begun += 1
        turn = Turn(f"t{self.count}", self._links(), **what)
        self.known[turn.id] = turn
        encodings = turn.speech.encodings if turn.speech else None
        self._delivery.begin(turn.id, turn.urgency, encodings, main=turn.track, beside=turn.beside)
        if turn.being_heard:
            self._delivery.post(StageStarted(turn_id=turn.id, stage="listening"))
        if turn.utterance is None and turn.speech is None:
            begin(self._run(turn), partial(self._task_of, turn))
        else:  # a person goes on speaking, and what is recorded for many begins when all know of it
            self._task_of(turn, self._run(turn))
        return turn

    def _task_of(self, turn: Turn, run: Coroutine[Any, Any, None], **options: Any) -> asyncio.Task[None]:
        """Make a turn's task, and know of it before it begins."""
        name = f"turn {self._session_id}/{turn.id}"
        task = self.tasks[turn.id] = asyncio.get_running_loop().create_task(run, name=name, **options)
        task.add_done_callback(lambda _: self.tasks.pop(turn.id, None))
        return task

    async def _run(self, turn: Turn) -> None:
        try:
            await turn.run()
        except Exception:
            # A defect in one turn must not end the session; the person is told, the log has the rest.
            log.exception("session %s: turn %s failed", self._session_id, turn.id)
            turn.trouble = turn.trouble or MynahError("internal error")
            if turn.ended is None:
                self._take_down(turn)
                for output in turn.failure("internal error"):
                    self._delivery.post(output)
                    turn.ended = output
        turn.utterance = turn.clip = None  # the audio is not needed any more
        if not turn.over:
            self._tell(turn)

    def _tell(self, turn: Turn) -> None:
        """Tell the bus, the statistics and the log of a turn that ended by itself."""
        session_id = self._session_id
        if isinstance(turn.ended, TurnDropped):
            self._note_dropped(turn, turn.ended.reason)
            return
        if isinstance(turn.ended, TurnFailed):
            self._count_turn(turn, _outcome(turn))
            log.warning("session %s: turn %s failed: %s", session_id, turn.id, turn.ended.message)
            self._bus.publish(ReplyFailed(error=turn.ended.message, **self._facts(turn)))
            return
        if turn.recipe == "transcribe":
            self._count_turn(turn, _outcome(turn))
            log.info("session %s: turn %s transcribed in %s", session_id, turn.id, turn.timeline)
            return
        self._count_turn(turn, turn.outcome)
        self._bus.publish(Replied(text=turn.reply, outcome=turn.outcome, **self._facts(turn)))
        log.info("session %s: turn %s %s in %s", session_id, turn.id, turn.outcome, turn.timeline)

    def _facts(self, turn: Turn) -> dict[str, Any]:
        """Return what every `TurnOver` tells."""
        timeline = turn.timeline
        return {
            "session_id": self._session_id,
            "turn_id": turn.id,
            "origin": self._origin,
            "recipe": turn.recipe,
            "timeline": timeline.ms(),
            "engine_ms": dict(timeline.engine_ms),
            "engines": dict(timeline.engines),
            "troubles": dict(timeline.troubles),
        }

    def _count_turn(self, turn: Turn, outcome: str) -> None:
        if turn.recipe == "say":
            self._statistics.note_said()
        else:
            self._statistics.note_turn(outcome, turn.timeline)

    def _note_dropped(self, turn: Turn, reason: str) -> None:
        self._statistics.note_turn("dropped", Timeline())
        log.info("session %s: turn %s dropped: %s", self._session_id, turn.id, reason)

    async def keep(self, turn: Turn) -> None:
        """Put a turn whose end is about to be told into history, and wait until it is written."""
        await written(self._take_down(turn), self._session_id)

    def _take_down(self, turn: Turn) -> asyncio.Future[None] | None:
        if turn.over:
            return None  # it was taken down as it was stopped; something of it kept the cancellation to itself
        exchange = replace(turn.exchange, outcome=_outcome(turn))
        if turn.is_exchange and (exchange.reply or exchange.outcome in ("transcribed", "failed")):
            return self._remember(turn, exchange)
        return None

    # ------------------------------------------------------------ what is known

    @property
    def transcribing(self) -> int:
        """Utterances whose words are not known yet."""
        going = (self.known[id] for id in self.tasks)
        return sum(turn.utterance is not None and "transcript" not in turn.timeline.marks for turn in going)

    @property
    def held(self) -> tuple[int, int]:
        """How many pieces of recorded audio are held, and their bytes."""
        utterances = [turn.utterance for turn in self.known.values() if turn.utterance is not None]
        return sum(each.pieces for each in utterances), sum(each.size for each in utterances)

    def before(self, turn: Turn) -> list[asyncio.Task[None]]:
        """Return the tasks of the turns that began before `turn`, are under way and will be heard."""
        return [
            task
            for id, task in self.tasks.items()
            if turn_number(id) < turn_number(turn.id) and self.known[id].recipe != "transcribe"
        ]

    def is_sounding(self, turn: Turn) -> bool:
        """Whether audio of `turn` is still waiting or still heard."""
        return not turn.over and turn.audible and self._delivery.is_sounding(turn.id)

    def any_sounding(self, *, but: Turn | None = None) -> bool:
        """Whether audio of any turn but `but` is still waiting or still heard."""
        return any(self.is_sounding(turn) for turn in self.known.values() if turn is not but)

    def outcome(self, turn: Turn) -> str | None:
        """Return why a turn was not heard to its end, "" where it was, None while it may still be."""
        if turn.stopped:
            return f"it was interrupted: {turn.stopped}"
        if turn.over:
            return "its conversation has ended"
        if isinstance(turn.ended, TurnFailed):
            return turn.ended.message
        if turn.ended is None or (turn.id in self.known and self._delivery.is_sounding(turn.id)):
            return None
        return turn.speaking.trouble if turn.speaking else ""

    # ------------------------------------------------------------ stopping

    def interrupt(self, reason: str, *, keep: Turn | None = None, only: str | None = None) -> bool:
        """Stop every reply but `keep`, or `only` one turn's, at once; return whether there was one."""
        stopped = False
        for turn in list(self.known.values()):
            spared = (
                turn is keep
                or (turn.being_heard and not turn.audible)
                or (turn.urgency == "alarm" and reason in GENTLE)
            )
            meant = only in (None, turn.id) and not turn.over and not spared
            if meant and turn.id not in self.tasks and not self._delivery.was_attached:
                self.silence(turn)  # it is made, and nobody ever listened: no reply is stopped by that
            elif meant and (turn.id in self.tasks or self.is_sounding(turn)):
                self.stop(turn, reason)
                stopped = True
        return stopped

    def stop(self, turn: Turn, reason: str) -> None:
        """Stop `turn`: first, and at once, nothing more of it goes out; its engines let go in their own time."""
        playback = self._delivery.main(turn.id)
        heard_ms = playback.heard_ms
        heard = turn.heard(playback.made_ms(heard_ms))
        turn.stopped = reason
        self.silence(turn)
        made = turn.ended is not None
        if turn.is_exchange and (self._delivery.was_attached or not made):
            # Where nobody ever listened, what was made whole was read, if anything: it stays as it was kept.
            outcome = _outcome(turn) if made and heard == turn.heard(math.inf) else "interrupted"
            self._remember(turn, replace(turn.exchange, reply=heard, outcome=outcome))
        self._delivery.spool.put_now(
            Interrupted(turn_id=turn.id, heard_ms=round(heard_ms, 1), heard=heard, reason=reason)
        )
        turn.timeline.mark("finished")
        if not made:
            self._count_turn(turn, "interrupted")
        self._statistics.note_interruption()
        self._bus.publish(
            ReplyInterrupted(heard=heard, heard_ms=heard_ms, reason=reason, made=made, **self._facts(turn))
        )

    def drop(self, turn: Turn, reason: str) -> None:
        """Forget a turn that is being heard: nobody said anything to be answered."""
        if turn.being_heard and not turn.over:
            self.silence(turn)
            self._delivery.spool.put_now(TurnDropped(turn_id=turn.id, reason=reason))
            self._note_dropped(turn, reason)

    def give_way(self, turn: Turn, reason: str) -> None:
        """Forget a turn, whether it is still being heard or not: somebody else answers."""
        if turn.ended is None and not turn.over:
            turn.stopped = reason
            self.silence(turn)
            self._delivery.spool.put_now(TurnDropped(turn_id=turn.id, reason=reason))
            self._note_dropped(turn, reason)

    def silence(self, turn: Turn) -> None:
        """Stop `turn` without a word."""
        turn.over = True
        self._delivery.purge(turn.id)
        task = self.tasks.pop(turn.id, None)
        if task is not None and not task.done():
            task.cancel()
            cleanup = asyncio.get_running_loop().create_task(self._await_end(turn, task))
            self._cleanups.add(cleanup)
            cleanup.add_done_callback(self._cleanups.discard)

    def silence_all(self) -> None:
        """Stop every turn without a word."""
        for turn in self.known.values():
            self.silence(turn)

    async def cleaned_up(self) -> None:
        """Wait for the engines of stopped turns to let go, as long as they may take."""
        if self._cleanups:
            await asyncio.wait(self._cleanups)

    async def _await_end(self, turn: Turn, task: asyncio.Task[None]) -> None:
        done, _ = await asyncio.wait({task}, timeout=CLEANUP_S)
        if not done:
            log.warning("session %s: turn %s was stopped, but an engine has not let go", self._session_id, turn.id)

    def _forget_done(self) -> None:
        """Forget turns that were stopped, or have been heard and will not be asked for again."""
        unheard = self._delivery.unheard_turns()
        for turn_id, turn in list(self.known.items()):
            if turn.over or not (turn_id in self.tasks or turn_id in unheard or self.is_sounding(turn)):
                del self.known[turn_id]
                self._delivery.forget(turn_id)


def _outcome(turn: Turn) -> ExchangeOutcome:
    """Return how a turn that was not stopped ended."""
    if turn.trouble is not None:
        return "failed"
    return "transcribed" if turn.recipe == "transcribe" else turn.outcome
