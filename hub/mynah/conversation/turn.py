"""One exchange: what a person said is understood, answered, and the answer voiced while it is still being made."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal

from mynah.config.schema import own_options
from mynah.conversation.arbitration import Contest
from mynah.conversation.drafts import Drafts
from mynah.conversation.failing import failure
from mynah.conversation.hearing import Hearing
from mynah.conversation.interpreting import ORIGINAL, TRANSLATION, Interpreting
from mynah.conversation.listening import ListeningOptions
from mynah.conversation.playback import VoicedPhrase, heard_text
from mynah.conversation.replying import Replying, draft_items, first_usable
from mynah.conversation.saying import InTurn
from mynah.conversation.scene import UNTRANSCRIBED, Latency, Scene, TurnLimits
from mynah.conversation.shared_speech import SharedSpeech
from mynah.conversation.speaking import Speaking
from mynah.conversation.tools import Toolbox
from mynah.conversation.utterance import Utterance
from mynah.engines.chain import Chain, OpenEngine, close
from mynah.engines.protocols import SpeechDetector
from mynah.errors import MynahError
from mynah.outputs import Output, ReplyReady, ReplyToken, Stage, StageStarted, TurnFinished
from mynah.session_protocol import Interpretation, Urgency
from mynah.specs import EngineKind
from mynah.timeline import Timeline
from mynah.values import AudioClip, Exchange, OutcomeKind

Recipe = Literal["converse", "say", "transcribe"]
"""What a turn does: answer, say its text as it is, or only tell what was said."""

_WORD_COMPLETE: Final = re.compile(r"\w[\W_]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What a turn needs of its session: engines, limits, where outputs go, and a word when something is recognised."""

    chains: Mapping[EngineKind, Chain]
    limits: TurnLimits
    latency: Latency
    listening: ListeningOptions
    toolbox: Toolbox
    intent: Callable[[str, str], Awaitable[str | None]]
    emit: Callable[[Output], Awaitable[None]]
    post: Callable[[Output], None]
    scene: Callable[[], Scene]
    detector: Callable[[], SpeechDetector | None]
    recognised: Callable[[Turn], None]
    understood: Callable[[Turn], None]
    keep: Callable[[Turn], Awaitable[None]]
    may_draft: Callable[[Turn], bool]
    may_answer: Callable[[Turn], Awaitable[float]]
    may_apologise: Callable[[Turn], bool]
    ahead_ms: Callable[[], float]
    in_turn: InTurn | None
    note_spoken: Callable[[str], bool]
    take_back: Callable[[str, int, int, float], float | None]


@dataclass(slots=True)
class Turn:
    """A turn: `text` was given, or `utterance` is being spoken; `recipe` says what comes of it.

    With `interpret` what is said is put into another language; the translation is its reply. With `speech` it says what
    is recorded there. `voice`, where given, speaks in the place of the persona's, and the language model is told
    `prompt` after what it is told of the persona. `contest` decides whether it is this speaker that answers. `stopped`
    is why it was stopped.
    A turn that is `silent` was done what it asks for, without a word.
    `clip` is the utterance itself where a language model `hears` it; then it is `untranscribed` at first. `ended` is
    the output that the turn ended with by itself; `over` says that it was stopped. `stage_told`: the client
    knows of `stage`.
    """

    id: str
    links: Links
    utterance: Utterance | None = None
    text: str = ""
    language: str | None = None
    recipe: Recipe = "converse"
    pace: float = 1.0
    voice: str = ""
    prompt: str = ""
    interpret: Interpretation | None = None
    start_at: float | None = None
    urgency: Urgency = "reply"
    speech: SharedSpeech | None = None
    contest: Contest | None = None
    timeline: Timeline = field(default_factory=Timeline)
    hears: OpenEngine | None = None
    clip: AudioClip | None = None
    untranscribed: bool = False
    silent: bool = False
    outcome: OutcomeKind = "answered"
    subject: str = ""
    reply: str = ""
    ended: Output | None = None
    over: bool = False
    stopped: str = ""
    trouble: MynahError | None = None
    stage: Stage = "listening"
    stage_told: bool = True
    speaking: Speaking | None = None

    def __post_init__(self) -> None:
        """Begin the timeline."""
        self.timeline.mark("opened")

    @property
    def being_heard(self) -> bool:
        """Whether the person is still speaking."""
        return self.utterance is not None and not self.utterance.ended

    @property
    def track(self) -> int:
        """The track that the reply is voiced on."""
        return TRANSLATION if self.interpret else 0

    @property
    def beside(self) -> tuple[int, ...]:
        """The tracks that are heard beside it."""
        return (ORIGINAL,) if self.interpret and self.interpret.original else ()

    @property
    def user(self) -> str:
        """What the person said, as the history has it."""
        return self.text or (UNTRANSCRIBED if self.untranscribed else "")

    @property
    def is_exchange(self) -> bool:
        """Whether history has it: somebody was answered, or only heard where nothing else was wanted."""
        return bool(self.user) and self.recipe != "say"

    @property
    def phrases(self) -> int:
        """How many phrases the reply has so far."""
        return self.speaking.phrases if self.speaking else 0

    @property
    def voiced(self) -> Sequence[VoicedPhrase]:
        """The reply's phrases that have audio."""
        return self.speaking.voiced if self.speaking else ()

    @property
    def audible(self) -> bool:
        """Whether anything of it has audio, be it only an acknowledgement."""
        return bool(self.speaking and self.speaking.voicing.voiced)

    def heard(self, heard_ms: float) -> str:
        """Return the words of the reply that a person has heard after `heard_ms` of the turn's audio."""
        return heard_text(self.voiced, heard_ms)

    @property
    def exchange(self) -> Exchange:
        """This turn as history has it; of a reply that was not voiced to its end, what was."""
        whole = self.trouble is None and not (self.speaking and self.speaking.failed)
        reply = self.reply if whole else self.heard(math.inf)
        return Exchange(self.id, self.user, reply, self.subject, self.outcome, self.language or "", time.time())

    async def run(self) -> None:
        """Do it all; ends with exactly one of the outputs in `mynah.outputs.LAST` unless cancelled."""
        try:
            if self.interpret is not None:
                await Interpreting(self, self.interpret).run()
            elif self.utterance is not None:
                await self._converse(self.utterance)
            else:
                self.timeline.mark("speech_end", self.timeline.marks["opened"])
                await self._answer(None, None)
        except* MynahError as group:
            self.trouble = _first(group)
        if self.ended is None:
            await self._finish()

    async def _converse(self, utterance: Utterance) -> None:
        drafts = self._drafts()
        hearing = Hearing(self, utterance, drafts, self.language or self.links.scene().language)
        try:
            if self.recipe == "transcribe":
                if await hearing.understand():
                    self.links.understood(self)
            elif await self._understand(hearing):
                await self._answer(hearing, drafts)
        finally:
            if drafts is not None:
                await drafts.close()

    def _drafts(self) -> Drafts | None:
        if not self.links.latency.drafts or self.recipe == "transcribe":
            return None
        return Drafts(partial(draft_items, self), self.links.scene)

    async def _understand(self, hearing: Hearing) -> bool:
        """Return whether something was said that is to be answered."""
        engine = first_usable(self.links.chains["llm"])
        if engine is not None and engine.spec.accepts_audio(own_options(engine.config)):
            self.hears, options = engine, self.links.listening
            return await hearing.keep(self.links.detector(), options.threshold, options.min_speech_ms)
        return await hearing.understand()

    def speech_ended(self) -> None:
        """Note that the person has finished speaking."""
        if self.utterance is None:
            return
        self.utterance.end()
        if self.stage == "listening":
            self.stage = "transcribing"
            self.links.post(StageStarted(turn_id=self.id, stage="transcribing"))

    # ------------------------------------------------------------ answering

    async def _answer(self, hearing: Hearing | None, drafts: Drafts | None) -> None:
        waited = await self.links.may_answer(self)
        scene = self.links.scene()
        language = scene.language_of(self.text, self.language)
        replying = Replying(self, scene, language, drafts, hearing)
        async with asyncio.TaskGroup() as tasks:
            speaking = self.speaking = Speaking(self, scene, language, tasks)
            if self.speech is not None:
                self.begin("speaking")
                await self._recite(self.speech, speaking)
            else:
                self.stage, self.stage_told = "thinking" if self.recipe == "converse" else "speaking", False
                # A language model is asked in this step; what is said of it, and in its place, comes next.
                asyncio.get_running_loop().call_soon(self._thinking, speaking, waited)
                await self._think(replying, speaking)
        self.note_voiced(speaking)

    def _thinking(self, speaking: Speaking, waited_s: float) -> None:
        """Tell the stage, and have an acknowledgement said if the reply is long in coming; unless it has begun."""
        if self.stage_told or self.over:
            return
        self.tell_stage()
        after = self.links.latency.acknowledge_after
        if after is not None and self.recipe == "converse" and self.outcome != "not_understood":
            speaking.acknowledge_at(self.timeline.marks["speech_end"] + waited_s + after)

    async def _think(self, replying: Replying, speaking: Speaking) -> None:
        meter = replying.meter
        try:
            pieces = await replying.begin()
            try:
                async for piece in pieces:
                    if piece is None:
                        await speaking.pause(meter)
                    else:
                        speaking.never_mind()
                        await self.take_token(piece)
                        await speaking.take(piece, meter)
            finally:
                await close(pieces)
        except MynahError as error:
            # What was said so far is heard to its end; the turn then says that it broke off.
            self.trouble = error
        finally:
            speaking.never_mind()
            self.tell_stage()
        await speaking.finish(meter, broken_off=self.trouble is not None)
        if self.trouble is None and not self.phrases and not self.silent:
            self.trouble = MynahError("the reply was empty")
        if self.trouble is None:
            await self.links.emit(ReplyReady(turn_id=self.id, text=self.reply, phrases=self.phrases))

    async def _recite(self, speech: SharedSpeech, speaking: Speaking) -> None:
        if speech.text:
            await self.take_token(speech.text)
        await speaking.recite(speech)

    def note_voiced(self, speaking: Speaking) -> None:
        """Note that all of the reply was voiced, or could not be."""
        if self.timeline.marks.get("first_audio"):
            self.timeline.mark("last_audio")
        if self.trouble is None and speaking.failed and speaking.failed >= self.phrases:
            why = speaking.trouble
            self.trouble = MynahError(why if self.speech else f"the reply could not be voiced: {why}")

    async def take_token(self, token: str) -> None:
        """Take and tell a piece of the reply."""
        if not self.stage_told:
            self.tell_stage()
        self.reply += token
        self.timeline.mark("last_token")
        self.timeline.marks.setdefault("first_token", self.timeline.marks["last_token"])
        if "first_word" not in self.timeline.marks and _WORD_COMPLETE.search(self.reply):
            self.timeline.mark("first_word")
        await self.links.emit(ReplyToken(turn_id=self.id, text=token))

    # ------------------------------------------------------------ endings

    def begin(self, stage: Stage) -> None:
        """Begin a stage and say so."""
        self.stage, self.stage_told = stage, False
        self.tell_stage()

    def tell_stage(self) -> None:
        """Say which stage has begun, unless that was said."""
        if not self.stage_told and not self.over:
            self.stage_told = True
            self.links.post(StageStarted(turn_id=self.id, stage=self.stage))

    async def end(self, output: Output) -> None:
        """End with `output`."""
        self.ended = output
        await self.links.emit(output)

    def failure(self, message: str) -> Iterator[Output]:
        """Return what tells of a failure: to a person who waits for an answer a chime, to the client why."""
        speaking = self.speaking
        return failure(
            self.id,
            message,
            self.stage,
            chime=self.recipe == "converse",
            track=self.track,
            phrase=speaking.numbered + 1 if speaking else 1,
            at_ms=speaking.voicing.position_ms if speaking else 0.0,
        )

    async def _finish(self) -> None:
        self.timeline.mark("finished")
        await self.links.keep(self)
        if self.trouble is not None:
            *chime, failed = self.failure(str(self.trouble))
            for output in chime:
                await self.links.emit(output)
            await self.end(failed)
            return
        await self.end(
            TurnFinished(
                turn_id=self.id,
                outcome=self.outcome,
                reply=self.reply,
                phrases=self.phrases,
                timeline=self.timeline,
            )
        )


def _first(group: BaseExceptionGroup[MynahError]) -> MynahError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
