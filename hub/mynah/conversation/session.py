"""A session: one conversation. It listens, owns its turns and their outputs, and outlives any socket."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from mynah.audio import LISTENING, AudioFormat
from mynah.bus import EventBus
from mynah.conversation.listening import ListeningOptions, OpenMicrophone
from mynah.conversation.microphone import Microphone
from mynah.conversation.outlet import Outlet
from mynah.conversation.persona import Persona
from mynah.conversation.playback import Playback
from mynah.conversation.spool import Spool
from mynah.conversation.turn import Exchange, Links, Scene, Turn, TurnLimits
from mynah.conversation.utterance import Utterance
from mynah.engines.chain import Chain, closing
from mynah.engines.protocols import SpeechDetector
from mynah.errors import InputError, LimitError
from mynah.events import Heard, Replied, ReplyFailed, ReplyInterrupted, TurnStarted
from mynah.outputs import Interrupted, Output, SpeechChunk, StageStarted, TurnDropped, TurnFailed
from mynah.specs import EngineKind, InputPolicy, ListenMode, OutletOptions, Urgency
from mynah.timeline import now

log = logging.getLogger(__name__)

CLEANUP_S: Final = 5.0
"""How long engines of a stopped turn may take to let go before that is worth a warning."""

SILENT_MICROPHONE_S: Final = 5.0
"""How much longer than the longest utterance a microphone may take for one."""

NEW_INPUT: Final = "new input"
"""Why a reply gives way to what a person says next."""

MAX_TURNS: Final = 8
"""Turns of one session that may be under way at once; more are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """What one session may cost."""

    history_turns: int = 20
    utterance_seconds: float = 60.0
    text_chars: int = 4_000
    context_entries: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What sessions share: engines, personas, the bus, and how they listen and wait."""

    chains: Mapping[EngineKind, Chain]
    personas: Mapping[str, Persona]
    bus: EventBus
    turn_limits: TurnLimits = field(default_factory=TurnLimits)
    limits: SessionLimits = field(default_factory=SessionLimits)
    listening: ListeningOptions = field(default_factory=ListeningOptions)


class Conversation:
    """The session behind `mynah.specs.Session`; see there for what its public methods do."""

    def __init__(
        self,
        id: str,
        around: Surroundings,
        persona: Persona,
        *,
        language: str | None = None,
        context: Mapping[str, str] | None = None,
        policy: InputPolicy = "interrupt",
        speaker: str | None = None,
    ) -> None:
        self.id = id
        self.persona = persona
        self.language = language
        self.context: Mapping[str, str] = dict(context or {})
        self.policy = policy
        self.speaker = speaker
        self.history: Sequence[Exchange] = ()
        self.created = time.time()
        self.opened_at = now()
        self.last_active = now()
        self.accepts_turns = True
        self.detached_at: float | None = now()
        self.was_attached = False
        self.closed = False
        self._around = around
        self._spool = Spool(around.turn_limits.audio_ahead_ms)
        self._playbacks: dict[str, Playback] = {}
        self._outlet: Outlet | None = None
        self._turns: dict[str, Turn] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cleanups: set[asyncio.Task[None]] = set()
        self._count = 0
        self._microphone: Microphone | None = None

    # ------------------------------------------------------------ what is known

    @property
    def busy(self) -> bool:
        """Whether anyone is being heard or answered, or a reply still sounds."""
        sounding = self._outlet is not None and any(self._sounding(turn_id) for turn_id in self._turns)
        return bool(self._tasks) or sounding

    def describe(self) -> Mapping[str, Any]:
        """Return what is known of the session, as plain data."""
        return {
            "id": self.id,
            "persona": self.persona.spec.name,
            "language": self._language,
            "context": dict(self.context),
            "speaker": self.speaker,
            "created": round(self.created, 3),
            "idle_s": round(now() - self.last_active, 1),
            "attached": self._outlet is not None,
            "busy": self.busy,
            "turns": self._count,
            "history": [{"user": entry.user, "reply": entry.reply} for entry in self.history],
        }

    @property
    def _language(self) -> str:
        return self.language or self.persona.spec.language

    def update(
        self, *, persona: str | None = None, language: str | None = None, context: Mapping[str, str] | None = None
    ) -> None:
        """Change who speaks, the language, or the context."""
        if persona is not None:
            if persona not in self._around.personas:
                raise InputError(f"no persona named {persona!r}; known are {', '.join(self._around.personas)}")
            self.persona = self._around.personas[persona]
        if language is not None:
            self.language = language or None
        if context is not None:
            merged = {key: value for key, value in {**self.context, **context}.items() if value}
            if len(merged) > self._around.limits.context_entries:
                raise LimitError(f"a context holds at most {self._around.limits.context_entries} entries")
            self.context = merged

    # ------------------------------------------------------------ listening

    def listen(self, format: AudioFormat, mode: ListenMode = "push_to_talk") -> None:
        """Begin to listen."""
        self._require_open()
        detection = OpenMicrophone(self._detector(), self._around.listening) if mode == "open" else None
        hear = self._hear if mode == "open" else self._hear_instead
        if self._microphone is not None:
            self._microphone.abandon("listening began afresh")
        self._microphone = Microphone(format, detection, hear, self._drop)

    def feed(self, data: bytes) -> None:
        """Take audio from the microphone."""
        if self._microphone is None:
            raise InputError("audio came before 'listen'; say first that it will")
        self.last_active = now()
        self._microphone.feed(data)

    def end_listening(self) -> None:
        """End the utterance, or close the open microphone."""
        microphone, self._microphone = self._microphone, None
        if microphone is not None:
            microphone.finish()

    def _hear(self) -> Turn:
        seconds = self._around.limits.utterance_seconds
        turn = self._start(utterance=Utterance(int(seconds * LISTENING.rate) * LISTENING.frame_bytes))
        # A microphone that falls silent without a word must not keep the turn open for ever.
        timer = asyncio.get_running_loop().call_later(seconds + SILENT_MICROPHONE_S, turn.speech_ended)
        self._tasks[turn.id].add_done_callback(lambda _: timer.cancel())
        return turn

    def _hear_instead(self) -> Turn:
        """Open a turn for somebody who pressed the button: whatever is being said gives way at once."""
        if self.policy == "interrupt":
            self.interrupt("new input")
        return self._hear()

    def _detector(self) -> SpeechDetector:
        for engine in self._around.chains["vad"].engines:
            if engine.state == "ready":
                detector: SpeechDetector = engine.engine.detector()
                return detector
        raise InputError("an open microphone needs a voice activity detector, and none is ready; use push_to_talk")

    # ------------------------------------------------------------ text

    def submit(self, text: str, *, language: str | None = None) -> str:
        """Take a question as text."""
        return self._take_text(text, language, recipe="converse").id

    def say(
        self,
        text: str,
        *,
        language: str | None = None,
        start_at: float | None = None,
        urgency: Urgency = "reply",
    ) -> str:
        """Speak `text` as it is."""
        return self._take_text(text, language, recipe="say", start_at=start_at, urgency=urgency).id

    def greet(self) -> str | None:
        """Speak the persona's greeting, if it has one."""
        greeting = self.persona.greeting(self.context)
        return self.say(greeting) if greeting else None

    def _take_text(self, text: str, language: str | None, **more: Any) -> Turn:
        self._require_open()
        if not text.strip():
            raise InputError("the text is empty")
        if len(text) > self._around.limits.text_chars:
            raise LimitError(f"the text has {len(text)} characters; at most {self._around.limits.text_chars} are taken")
        if self.policy == "interrupt" and more.get("urgency", "reply") == "reply":
            self.interrupt(NEW_INPUT)
        return self._start(text=text.strip(), language=language, **more)

    # ------------------------------------------------------------ turns

    def _start(self, **what: Any) -> Turn:
        self._require_open()
        if not self.accepts_turns:
            raise LimitError("the hub is stopping; try again in a moment")
        if len(self._tasks) >= MAX_TURNS:
            raise LimitError(f"{MAX_TURNS} turns are under way in this session already; wait for one to end")
        self.last_active = now()
        self._forget_done()
        self._count += 1
        links = Links(
            chains=self._around.chains,
            limits=self._around.turn_limits,
            emit=self._emit,
            post=self._post,
            scene=self._scene,
            recognised=self._recognised,
            may_answer=self._may_answer,
            may_apologise=self._may_apologise,
            ahead_ms=lambda: self._spool.waiting_ms,
        )
        turn = Turn(f"t{self._count}", links, **what)
        self._turns[turn.id] = turn
        self._playbacks[turn.id] = Playback()
        self._spool.put_first(turn.id, turn.urgency)
        if turn.being_heard:
            self._post(StageStarted(turn_id=turn.id, stage="listening"))
        task = asyncio.get_running_loop().create_task(self._run(turn), name=f"turn {self.id}/{turn.id}")
        self._tasks[turn.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(turn.id, None))
        return turn

    async def _run(self, turn: Turn) -> None:
        try:
            await turn.run()
        except Exception:
            # A defect in one turn must not end the session; the person is told, the log has the rest.
            log.exception("session %s: turn %s failed", self.id, turn.id)
            if turn.ended is None:
                turn.ended = TurnFailed(turn_id=turn.id, message="internal error", stage=turn.stage)
                self._post(turn.ended)
        turn.utterance = None  # its audio is not needed any more
        if not turn.over:
            self._tell(turn)

    def _tell(self, turn: Turn) -> None:
        """Put a turn that ended by itself into history, on the bus and in the log."""
        if isinstance(turn.ended, TurnDropped):
            log.info("session %s: turn %s dropped: %s", self.id, turn.id, turn.ended.reason)
            return
        if turn.text and turn.exchange.reply and turn.recipe == "converse":
            self._remember(turn.exchange)
        if isinstance(turn.ended, TurnFailed):
            log.warning("session %s: turn %s failed: %s", self.id, turn.id, turn.ended.message)
            self._around.bus.publish(ReplyFailed(session_id=self.id, turn_id=turn.id, error=turn.ended.message))
            return
        timeline = turn.timeline
        self._around.bus.publish(
            Replied(
                session_id=self.id,
                turn_id=turn.id,
                text=turn.reply,
                outcome=turn.outcome,
                timeline=timeline.ms(),
                engine_ms=dict(timeline.engine_ms),
            )
        )
        log.info("session %s: turn %s %s in %s", self.id, turn.id, turn.outcome, timeline)

    def _remember(self, exchange: Exchange) -> None:
        """Put `exchange` into history, in the order in which turns began, for what was known of it before."""
        entries = [*(entry for entry in self.history if entry.turn_id != exchange.turn_id), exchange]
        entries.sort(key=lambda entry: _number(entry.turn_id))
        self.history = tuple(entries[max(0, len(entries) - self._around.limits.history_turns) :])

    def _scene(self) -> Scene:
        return Scene(self.persona, self._language, self.context, self.history)

    def _recognised(self, turn: Turn) -> None:
        """Stop earlier replies: somebody speaks, and words were recognised."""
        if self.policy == "interrupt" and not turn.over:
            self.interrupt(NEW_INPUT, keep=turn)

    async def _may_answer(self, turn: Turn) -> None:
        self._around.bus.publish(TurnStarted(session_id=self.id, turn_id=turn.id))
        if turn.text and turn.recipe == "converse":
            self._around.bus.publish(Heard(session_id=self.id, turn_id=turn.id, text=turn.text, language=turn.language))
        if self.policy == "queue" and turn.urgency == "reply":
            earlier = [task for id, task in self._tasks.items() if _number(id) < _number(turn.id)]
            if earlier:
                await asyncio.wait(earlier)

    def _may_apologise(self, turn: Turn) -> bool:
        """Tell a person that they were not understood; but say nothing to a room that was not speaking to us."""
        microphone = self._microphone
        return microphone is None or not microphone.always_open or (
            turn.outcome == "not_understood"
            and not (turn.utterance and turn.utterance.cut)
            and not any(self._sounding(id) for id in self._turns if id != turn.id)
        )  # fmt: skip

    def _sounding(self, turn_id: str) -> bool:
        """Whether audio of that turn is still waiting or still heard."""
        turn = self._turns[turn_id]
        if turn.over or not turn.voiced:
            return False
        return not self._playbacks[turn_id].ended or self._spool.has_waiting(turn_id)

    def _is_over(self, turn_id: str) -> bool:
        """Whether a turn was stopped, so that nothing of it may go out any more."""
        turn = self._turns.get(turn_id)
        return turn is None or turn.over

    def interrupt(self, reason: str = "interrupt", *, keep: Turn | None = None) -> bool:
        """Stop every reply but `keep` at once; return whether there was one."""
        stopped = False
        for turn in list(self._turns.values()):
            going_on = turn.id in self._tasks or self._sounding(turn.id)
            spared = turn is keep or turn.being_heard or (turn.urgency == "alarm" and reason == NEW_INPUT)
            if going_on and not turn.over and not spared:
                self._stop(turn, reason)
                stopped = True
        return stopped

    def _stop(self, turn: Turn, reason: str) -> None:
        """Stop `turn`: first, and at once, nothing more of it goes out; its engines let go in their own time."""
        playback = self._playbacks[turn.id]
        heard_ms = playback.heard_ms
        heard = turn.heard(playback.made_ms(heard_ms))
        self._silence(turn)
        self._spool.put_now(Interrupted(turn_id=turn.id, heard_ms=round(heard_ms, 1), heard=heard, reason=reason))
        if turn.text and turn.recipe == "converse":
            self._remember(replace(turn.exchange, reply=heard))
        self._around.bus.publish(
            ReplyInterrupted(session_id=self.id, turn_id=turn.id, heard=heard, heard_ms=heard_ms, reason=reason)
        )

    def _drop(self, turn: Turn, reason: str) -> None:
        """Forget a turn that is being heard: nobody said anything to be answered."""
        if turn.being_heard and not turn.over:
            self._silence(turn)
            self._spool.put_now(TurnDropped(turn_id=turn.id, reason=reason))
            log.info("session %s: turn %s dropped: %s", self.id, turn.id, reason)

    def _silence(self, turn: Turn) -> None:
        turn.over = True
        self._spool.purge(turn.id)
        if self._outlet is not None:
            self._outlet.changed()
        task = self._tasks.pop(turn.id, None)
        if task is not None and not task.done():
            task.cancel()
            cleanup = asyncio.get_running_loop().create_task(self._await_end(turn, task))
            self._cleanups.add(cleanup)
            cleanup.add_done_callback(self._cleanups.discard)

    async def _await_end(self, turn: Turn, task: asyncio.Task[None]) -> None:
        done, _ = await asyncio.wait({task}, timeout=CLEANUP_S)
        if not done:
            log.warning("session %s: turn %s was stopped, but an engine has not let go", self.id, turn.id)

    def _forget_done(self) -> None:
        """Forget turns that were stopped, or have been heard and will not be asked for again."""
        if self._outlet is not None:  # else a client may come back and say what it did not hear
            self._spool.forget_heard(self._surely_heard_ms)
        spooled = self._spool.turns()
        for turn_id, turn in list(self._turns.items()):
            if turn.over or not (turn_id in self._tasks or turn_id in spooled or self._sounding(turn_id)):
                del self._turns[turn_id], self._playbacks[turn_id]

    # ------------------------------------------------------------ outputs

    async def _emit(self, output: Output) -> None:
        if self._is_over(output.turn_id):
            # Its task was cancelled, but an engine kept that to itself.
            raise asyncio.CancelledError
        if isinstance(output, SpeechChunk):
            self.last_active = now()
        await self._spool.put(output)

    def _post(self, output: Output) -> None:
        if not self._is_over(output.turn_id):
            self._spool.put_now(output)

    def played(self, turn_id: str, ms: float) -> None:
        """Note what the client has played."""
        if self._is_over(turn_id):
            return  # the report was on its way
        playback = self._playbacks[turn_id]
        if self._outlet is None:
            playback.resume(ms)
        else:
            playback.acknowledge(ms)
            self._outlet.changed()
        self._spool.forget_heard(self._surely_heard_ms)

    def _surely_heard_ms(self, turn_id: str) -> float:
        playback = self._playbacks.get(turn_id)
        return playback.made_ms(playback.surely_heard_ms) if playback else float("inf")

    async def outputs(self, options: OutletOptions, *, resume: bool = False) -> AsyncGenerator[Output, None]:
        """Attach an outlet and yield what it is to play and show."""
        if self.closed:
            return
        if self._outlet is not None:
            self._outlet.stop()
        if resume:
            for playback in self._playbacks.values():
                playback.resume(playback.heard_ms)
        begin_ms = {id: playback.made_ms(playback.sent_ms) for id, playback in self._playbacks.items()}
        self._spool.rewind(begin_ms, repeat=resume)
        outlet = Outlet(options, self._spool, self._playbacks, self._is_over, begin_ms)
        self._outlet, self.detached_at, self.was_attached = outlet, None, True
        try:
            async with closing(outlet.run()) as outputs:
                async for output in outputs:
                    yield output
                    self._spool.forget_heard(self._surely_heard_ms)
        finally:
            if self._outlet is outlet:
                self._outlet, self.detached_at = None, now()

    def end(self) -> None:
        """End the conversation at once; its engines let go in their own time."""
        self.closed = True
        self._microphone = None
        for turn in self._turns.values():
            self._silence(turn)
        if self._outlet is not None:
            self._outlet.stop()

    async def close(self) -> None:
        """End the conversation and wait for its engines to let go, as long as they may take."""
        self.end()
        if self._cleanups:
            await asyncio.wait(self._cleanups)

    def _require_open(self) -> None:
        if self.closed:
            raise InputError("the session has ended")


def _number(turn_id: str) -> int:
    return int(turn_id[1:])
