"""A session: one conversation. It listens, owns its turns and their outputs, and outlives any socket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Final

from mynah.archive import TURNS_STEP, KeptSession
from mynah.audio import LISTENING, AudioFormat
from mynah.conversation.delivery import Delivery
from mynah.conversation.history import History, turn_number
from mynah.conversation.intents import Intents
from mynah.conversation.microphone import Microphone
from mynah.conversation.persona import Persona
from mynah.conversation.scene import Scene
from mynah.conversation.shared_speech import SharedSpeech
from mynah.conversation.surroundings import Surroundings
from mynah.conversation.tape import Tape
from mynah.conversation.tools import Toolbox
from mynah.conversation.turn import Links, Turn
from mynah.conversation.turns import NEW_INPUT, Turns
from mynah.conversation.utterance import Utterance
from mynah.engines.chain import closing
from mynah.errors import InputError, LimitError, SizeError
from mynah.events import Event, Heard, TurnStarted
from mynah.outputs import Output, VolumeChanged
from mynah.session_protocol import InputPolicy, Interpretation, ListenMode, OutletOptions, SessionOptions, Urgency
from mynah.statistics import Statistics
from mynah.timeline import now
from mynah.values import Exchange

DICTATION_BYTES: Final = 10 * 1024 * 1024
"""Audio that is kept of an utterance that is only transcribed, and may last as long as it likes."""

SLOWEST, FASTEST = 0.25, 4.0
"""Between these a voice speaks, as a factor on its persona's own rate."""

SILENT_MICROPHONE_S: Final = 5.0
"""How much longer than the longest utterance a microphone may take for one."""


class Conversation:
    """The session behind `mynah.session_protocol.Session`; see there for what its public methods do."""

    def __init__(
        self,
        id: str,
        around: Surroundings,
        persona: Persona,
        options: SessionOptions,
    ) -> None:
        self.id = id
        self.persona = persona
        self.language = options.language
        self.context: Mapping[str, str] = dict(options.context)
        self.policy: InputPolicy = options.policy
        self.speaker = options.speaker
        self.origin = options.origin
        self.replies = options.replies
        self.interpret = options.interpret
        self.voice = ""
        self.volume = 100
        self.volume_known = False
        self.muted = False
        self.created = time.time()
        self.opened_at = now()
        self.entries = 0
        self.accepts_turns = True
        self.closed = False
        self._options = options
        self._around = around
        self._history = History(around.limits.history_turns)
        self._statistics = Statistics(around.statistics)
        self._tape = Tape(id, around.archive.audio)
        self._delivery = Delivery(around.turn_limits.audio_ahead_ms, self._tape)
        self._turns = Turns(
            id, self.origin, around.bus, self._delivery, self._statistics, self._remember, lambda: self._links
        )
        self._toolbox = Toolbox(around.tools, around.hub, self)
        self._intents = Intents(around.intents, around.hub, self)
        self._microphone: Microphone | None = None
        self._pace = 1.0
        self._prompt = ""
        self._input_at = now()

    # ------------------------------------------------------------ what is known

    @property
    def busy(self) -> bool:
        """Whether anyone is being heard or answered, or a reply still sounds."""
        return bool(self._turns.tasks) or (self._delivery.attached and self._turns.any_sounding())

    @property
    def phase(self) -> str:
        """What is going on: idle, listening, thinking or speaking."""
        if self._delivery.attached and self._turns.any_sounding():
            return "speaking"
        if not self._turns.tasks:
            return "idle"
        return "listening" if self._turns.transcribing == len(self._turns.tasks) else "thinking"

    @property
    def options(self) -> SessionOptions:
        """How it was opened."""
        return self._options

    @property
    def history(self) -> Sequence[Exchange]:
        """What was said, as far as it is remembered."""
        return self._history.exchanges

    @property
    def waiting_ms(self) -> float:
        """Milliseconds of speech that the outlet has not taken yet."""
        return self._delivery.spool.waiting_ms

    @property
    def last_active(self) -> float:
        """When something last came in or went out."""
        return max(self._input_at, self._delivery.sent_at)

    @property
    def attached(self) -> bool:
        """Whether somebody listens."""
        return self._delivery.attached

    @property
    def detached_at(self) -> float | None:
        """Since when nobody listens; None while somebody does."""
        return self._delivery.detached_at

    @property
    def was_attached(self) -> bool:
        """Whether anybody ever listened."""
        return self._delivery.was_attached

    def describe(self) -> Mapping[str, Any]:
        """Return what is known of the session, as plain data."""
        buffered_chunks, buffered_bytes = self._turns.held
        return {
            "id": self.id,
            "origin": self.origin,
            "persona": self.persona.spec.name,
            "language": self._language,
            "voice": self.voice or None,
            "context": dict(self.context),
            "speaker": self.speaker,
            "volume": self.volume,
            "muted": self.muted,
            "created": round(self.created, 3),
            "last_active": round(time.time() - (now() - self.last_active), 3),
            "idle_s": round(now() - self.last_active, 1),
            "attached": self._delivery.attached,
            "busy": self.busy,
            "turns": self._turns.begun,
            "entries": self.entries,
            "pending_transcriptions": self._turns.transcribing,
            "pending_replies": len(self._turns.tasks) - self._turns.transcribing,
            "buffered_chunks": buffered_chunks,
            "buffered_bytes": buffered_bytes,
            "history": [{"user": entry.user, "reply": entry.reply, "outcome": entry.outcome} for entry in self.history],
        }

    def statistics(self) -> Mapping[str, Any]:
        """Return how its turns went."""
        return self._statistics.describe()

    @property
    def _language(self) -> str:
        return self.language or self.persona.spec.language

    @property
    def _interpretation(self) -> Interpretation | None:
        return self.interpret or self.persona.spec.interpret

    def update(
        self,
        *,
        persona: str | None = None,
        language: str | None = None,
        context: Mapping[str, str] | None = None,
        voice: str | None = None,
        pace: float | None = None,
        prompt: str | None = None,
    ) -> None:
        """Change who speaks, the language, the context, the voice, how fast it speaks, or what it is told besides."""
        if prompt:
            self._around.limits.check_text(prompt)
        if prompt is not None:
            self._prompt = prompt.strip()
        if pace is not None:
            self._pace = min(max(pace, SLOWEST), FASTEST)
        if persona is not None:
            if persona not in self._around.personas:
                raise InputError(f"no persona named {persona!r}; known are {', '.join(sorted(self._around.personas))}")
            self.persona = self._around.personas[persona]
        if voice is not None:
            self.voice = voice
        if language is not None:
            self.language = language or None
        if context is not None:
            merged = {key: value for key, value in {**self.context, **context}.items() if value}
            if len(merged) > self._around.limits.context_entries:
                raise SizeError(f"a context holds at most {self._around.limits.context_entries} entries")
            self.context = merged
        self.note()

    # ------------------------------------------------------------ what is kept

    def kept(self, reason: str = "", *, ended: bool = False) -> KeptSession:
        """Return the session as it is kept."""
        at = time.time()
        options = replace(
            self._options, persona=self.persona.spec.name, language=self.language, context=dict(self.context)
        )
        return KeptSession(
            id=self.id,
            options=options,
            created=self.created,
            last_active=at - (now() - self.last_active),
            turns=self._turns.count,
            ended=at if ended else None,
            reason=reason,
        )

    def go_on(self, kept: KeptSession) -> None:
        """Be the session that was kept: its history, its age, and numbers of turns that it has not had."""
        self.created = kept.created
        passed = time.time() - now()
        self.opened_at = kept.created - passed
        self._input_at = self._delivery.sent_at = kept.last_active - passed
        self._delivery.was_attached = True  # so it is put away once more where nobody comes for it
        self._turns.count = (kept.turns // TURNS_STEP + 1) * TURNS_STEP
        self.entries = self._around.archive.count(self.id)
        for exchange in self._around.archive.exchanges(self.id, self._around.limits.history_turns):
            self._history.remember(exchange)
        self.note()

    def note(self) -> None:
        """Keep what has changed."""
        if not self.closed:
            self._around.archive.note(self.kept())

    def _remember(self, turn: Turn, exchange: Exchange) -> asyncio.Future[None] | None:
        if self._around.archive.holds(self.id):
            self._tape.keep(turn)
        if self._history.remember(exchange):
            self.entries += 1
        return self._around.archive.keep(self.kept(), exchange)

    def set_volume(self, percent: int) -> None:
        """Set how loud the loudspeaker plays, or will when it is not mute any more."""
        check_volume(percent)
        self.volume, self.volume_known = percent, True
        if not self.muted:
            self._delivery.spool.put_now(VolumeChanged(percent=percent))

    def set_mute(self, mute: bool) -> None:
        """Silence the loudspeaker, or let it be as loud as before."""
        if mute != self.muted:
            self.muted = mute
            self._delivery.spool.put_now(VolumeChanged(percent=0 if mute else self.volume))

    def note_volume(self, percent: int) -> None:
        """Note how loud the loudspeaker is set."""
        check_volume(percent)
        if self.muted and not percent:
            return  # it says that it is silent, as it was told
        self.volume, self.volume_known, self.muted = percent, True, False

    # ------------------------------------------------------------ listening

    def listen(
        self, format: AudioFormat, mode: ListenMode = "push_to_talk", *, interpret: Interpretation | None = None
    ) -> None:
        """Begin to listen."""
        self._require_open()
        interpret = interpret or self._interpretation
        detection = self._around.open_microphone() if mode == "open" else None
        hear = partial(self._hear if mode == "open" else self._hear_instead, interpret)
        if self._microphone is not None:
            self._microphone.abandon("listening began afresh")
        self._microphone = Microphone(format, detection, hear, self._turns.drop)
        if self._takes_part:
            self._around.arbitration.opened(self)
        else:
            self._around.arbitration.closed(self)

    def feed(self, data: bytes) -> None:
        """Take audio from the microphone."""
        if self._microphone is None:
            raise InputError("audio came before 'listen'; say first that it will")
        self._around.limits.check_chunk(data)
        self._input_at = now()
        self._microphone.feed(data)

    def end_listening(self) -> str | None:
        """End the utterance, or close the open microphone; return the id of the turn that was being heard."""
        microphone, self._microphone = self._microphone, None
        self._around.arbitration.closed(self)
        return microphone.finish() if microphone is not None else None

    def _hear(self, interpret: Interpretation | None) -> Turn:
        if not self.replies and interpret is None:
            return self._start(utterance=Utterance(DICTATION_BYTES, forgets=True), recipe="transcribe")
        seconds = self._around.limits.utterance_seconds
        utterance = Utterance(int(seconds * LISTENING.rate) * LISTENING.frame_bytes)
        turn = self._start(utterance=utterance, interpret=interpret)
        # A microphone that falls silent without a word must not keep the turn open for ever.
        timer = asyncio.get_running_loop().call_later(seconds + SILENT_MICROPHONE_S, turn.speech_ended)
        self._turns.tasks[turn.id].add_done_callback(lambda _: timer.cancel())
        if self._takes_part:
            turn.contest = self._around.arbitration.enter(self, turn)
        return turn

    @property
    def _takes_part(self) -> bool:
        """Whether another speaker that hears the same person better may answer in this one's stead."""
        by_itself = self._microphone is not None and self._microphone.always_open
        return by_itself or self._around.arbitration.buttons

    def give_way(self, turn: Turn, reason: str) -> None:
        """Forget a turn: another speaker answers."""
        self._turns.give_way(turn, reason)

    def _hear_instead(self, interpret: Interpretation | None) -> Turn:
        """Open a turn for somebody who pressed the button: whatever is being said gives way at once."""
        if self.policy == "interrupt":
            self.interrupt(NEW_INPUT)
        return self._hear(interpret)

    # ------------------------------------------------------------ text

    def submit(self, text: str, *, language: str | None = None, interpret: Interpretation | None = None) -> str:
        """Take a question, or words to be put into another language, as text."""
        return self._take_text(text, language, interpret=interpret or self._interpretation).id

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
        greeting = self.persona.greeting(self.context, self._language)
        return self.say(greeting, language=self._language) if greeting else None

    def _take_text(self, text: str, language: str | None, **more: Any) -> Turn:
        self._require_open()
        self._around.limits.check_text(text)
        if self.policy == "interrupt" and more.get("urgency", "reply") == "reply":
            self.interrupt(NEW_INPUT)
        return self._start(text=text.strip(), language=language, **more)

    # ------------------------------------------------------------ speech that is shared

    def recite(self, speech: SharedSpeech, urgency: Urgency) -> Turn:
        """Say what is recorded for many, as soon as it begins."""
        self._require_open()
        if self.policy == "interrupt" and urgency == "reply":
            self.interrupt(NEW_INPUT)
        return self._start(text=speech.text, recipe="say", speech=speech, urgency=urgency)

    def play(self, source: str, *, urgency: Urgency = "reply") -> str:
        """Play a file of the media folder, or an address."""
        speech = self._around.media.speech(source)
        turn = self.recite(speech, urgency)
        self._turns.tasks[turn.id].add_done_callback(lambda _: speech.stop())
        speech.begin(None)
        return turn.id

    def outcome(self, turn: Turn) -> str | None:
        """Return why a turn was not heard to its end, "" where it was, None while it may still be."""
        return self._turns.outcome(turn)

    def has_waiting(self, turn: Turn) -> bool:
        """Whether the loudspeaker has not taken all of a turn yet."""
        return turn.ended is None or self._delivery.spool.has_waiting(turn.id)

    def stop(self, turn: Turn, reason: str) -> None:
        """Stop one turn."""
        if not turn.over:
            self._turns.stop(turn, reason)

    @property
    def held_ms(self) -> float:
        """Milliseconds of audio that the loudspeaker may hold by the time at which something more urgent reaches it."""
        return self._delivery.held_ms

    # ------------------------------------------------------------ turns

    def _start(self, **what: Any) -> Turn:
        self._require_open()
        if not self.accepts_turns:
            raise LimitError("the hub is stopping; try again in a moment")
        self._input_at = now()
        turn = self._turns.start(pace=self._pace, voice=self.voice, prompt=self._prompt, **what)
        if turn_number(turn.id) % TURNS_STEP == 0:
            self.note()
        return turn

    @cached_property
    def _links(self) -> Links:
        share = self._around.shares.of(self.origin, self._options.origin_voices)
        return Links(
            chains=self._around.chains,
            limits=self._around.turn_limits,
            latency=self._around.latency,
            listening=self._around.listening,
            toolbox=self._toolbox,
            intent=self._intents.answer,
            emit=self._delivery.emit,
            post=self._delivery.post,
            take_back=self._delivery.spool.take_back,
            scene=self._scene,
            detector=self._around.detector,
            recognised=self._recognised,
            understood=self._understood,
            keep=self._turns.keep,
            may_draft=self._may_draft,
            may_answer=self._may_answer,
            may_apologise=self._may_apologise,
            ahead_ms=lambda: self._delivery.spool.waiting_ms,
            in_turn=None if share is None else partial(share.place, self.id),
            note_spoken=partial(self._around.archive.note_spoken, self.id),
        )

    def _scene(self) -> Scene:
        history, language = self._history, self.language or self.persona.spec.language
        return Scene(self.persona, language, self.context, history.exchanges, history.messages)

    def _recognised(self, turn: Turn) -> None:
        """Stop earlier replies: somebody speaks, and words were recognised."""
        if self.policy != "interrupt" or turn.over:
            return
        if turn.contest is not None:
            self._around.arbitration.hurry(self, turn.contest)
            turn.contest.when_won(turn, lambda: self._turns.interrupt(NEW_INPUT, keep=turn))
        else:
            self._turns.interrupt(NEW_INPUT, keep=turn)

    def _understood(self, turn: Turn) -> None:
        self._around.bus.publish_soon(lambda: (self._heard(turn),))

    def _heard(self, turn: Turn) -> Heard:
        return Heard(session_id=self.id, turn_id=turn.id, text=turn.text, language=turn.language)

    def _started(self, turn: Turn, *, heard: bool) -> Iterator[Event]:
        yield TurnStarted(session_id=self.id, turn_id=turn.id)
        if heard:
            yield self._heard(turn)

    def _may_draft(self, turn: Turn) -> bool:
        """Not while earlier turns are to be answered first: they may need the language model that it would keep."""
        return self.policy != "queue" or not self._turns.before(turn)

    async def _may_answer(self, turn: Turn) -> float:
        """Wait until a turn may be answered; return how long that was, in seconds."""
        waited = 0.0
        if turn.contest is not None:
            self._around.arbitration.hurry(self, turn.contest)
            waited += await _seconds(turn.contest.decided.wait())
        heard = bool(turn.text) and turn.recipe == "converse"
        self._around.bus.publish_soon(partial(self._started, turn, heard=heard))
        if self.policy == "queue" and turn.urgency == "reply" and (earlier := self._turns.before(turn)):
            waited += await _seconds(asyncio.wait(earlier))
        return waited

    def _may_apologise(self, turn: Turn) -> bool:
        """Tell a person that they were not understood; but say nothing to a room that was not speaking to us."""
        microphone = self._microphone
        return microphone is None or not microphone.always_open or (
            turn.outcome == "not_understood"
            and not (turn.utterance and turn.utterance.cut)
            and not self._turns.any_sounding(but=turn)
        )  # fmt: skip

    def interrupt(self, reason: str = "interrupt", *, turn: str | None = None) -> bool:
        """Stop every reply, or that of one turn, at once; return whether there was one."""
        return self._turns.interrupt(reason, only=turn)

    # ------------------------------------------------------------ outputs

    def played(self, turn_id: str, ms: float) -> None:
        """Note what the client has played."""
        self._delivery.played(turn_id, ms)

    async def outputs(self, options: OutletOptions, *, resume: bool = False) -> AsyncGenerator[Output, None]:
        """Attach an outlet and yield what it is to play and show."""
        if self.closed:
            return
        async with closing(self._delivery.outputs(options, resume=resume)) as outputs:
            async for output in outputs:
                yield output

    def expect_nobody(self) -> None:
        """Let replies wait for no outlet, until one is attached: they are there to be read."""
        self._delivery.expect_nobody()

    def end(self) -> None:
        """End the conversation at once; its engines let go in their own time."""
        self.closed = True
        self._microphone = None
        self._around.arbitration.closed(self)
        self._turns.silence_all()
        self._delivery.stop()

    async def close(self) -> None:
        """End the conversation and wait for its engines to let go, as long as they may take."""
        self.end()
        await self._turns.cleaned_up()

    def _require_open(self) -> None:
        if self.closed:
            raise InputError("the session has ended")


async def _seconds(awaited: Awaitable[object]) -> float:
    """Return how long it took to await that."""
    began = now()
    await awaited
    return now() - began


def check_volume(percent: int | None) -> None:
    """Raise `InputError` where there is no such volume."""
    if percent is not None and not 0 <= percent <= 100:
        raise InputError(f"a volume is from 0 to 100, not {percent}")
