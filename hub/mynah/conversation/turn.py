"""One exchange: what a person said is understood, answered, and the answer voiced while it is still being made."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from mynah.audio import LISTENING, AudioChunk
from mynah.conversation.persona import Persona
from mynah.conversation.phrasing import PhraseSplitter, SplitPhrase
from mynah.conversation.playback import VoicedPhrase, heard_text
from mynah.conversation.saying import TakeBack, say_phrase
from mynah.conversation.speech import Voicing
from mynah.conversation.utterance import Utterance
from mynah.engines.chain import Chain, Meter, closing
from mynah.errors import MynahError
from mynah.outputs import (
    Output,
    PartialTranscript,
    PhraseReady,
    ReplyToken,
    Stage,
    StageStarted,
    TranscriptReady,
    TurnDropped,
    TurnFailed,
    TurnFinished,
)
from mynah.specs import EngineKind, Urgency
from mynah.timeline import Timeline
from mynah.values import Grounding, Message, OutcomeKind, ReplyNote, Token, Transcript, WordMark

log = logging.getLogger(__name__)

PHRASES_AHEAD: Final = 8
"""Phrases that may wait for their synthesis; then the language model is not read any further."""

PLENTY_MS: Final = 8_000.0
"""Audio waiting to be heard with which later sentences are voiced together: longer phrases sound more natural."""

LONG_PHRASE: Final = 250
"""Characters of a phrase that is not made longer still."""

_WORD_COMPLETE: Final = re.compile(r"\w[\W_]")


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """How long the stages of a turn may take, in seconds of the engines' own time, and how far speech runs ahead."""

    transcribe: float = 20.0
    reply: float = 60.0
    speak: float = 30.0
    audio_ahead_ms: float = 20_000.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was said by both sides in one turn; the reply as far as it was heard."""

    turn_id: str
    user: str
    reply: str
    subject: str = ""
    outcome: OutcomeKind = "answered"


@dataclass(frozen=True, slots=True)
class Scene:
    """Who speaks, where, in what language, after what: taken when the answer begins."""

    persona: Persona
    language: str
    context: Mapping[str, str]
    history: Sequence[Exchange]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What a turn needs of its session: engines, limits, where outputs go, and a word when something is recognised."""

    chains: Mapping[EngineKind, Chain]
    limits: TurnLimits
    emit: Callable[[Output], Awaitable[None]]
    post: Callable[[Output], None]
    scene: Callable[[], Scene]
    recognised: Callable[[Turn], None]
    may_answer: Callable[[Turn], Awaitable[None]]
    may_apologise: Callable[[Turn], bool]
    ahead_ms: Callable[[], float]


@dataclass(slots=True)
class Turn:
    """A turn: `text` was given, or `utterance` is being spoken; `recipe` "say" speaks the text as it is.

    `ended` is the output that it ended with by itself; `over` says that it was stopped.
    """

    id: str
    links: Links
    utterance: Utterance | None = None
    text: str = ""
    language: str | None = None
    recipe: Literal["converse", "say"] = "converse"
    start_at: float | None = None
    urgency: Urgency = "reply"
    timeline: Timeline = field(default_factory=Timeline)
    outcome: OutcomeKind = "answered"
    subject: str = ""
    reply: str = ""
    ended: Output | None = None
    over: bool = False
    trouble: MynahError | None = None
    stage: Stage = "listening"
    phrases: int = 0
    voicing: Voicing | None = None

    def __post_init__(self) -> None:
        """Begin the timeline."""
        self.timeline.mark("opened")

    @property
    def being_heard(self) -> bool:
        """Whether the person is still speaking."""
        return self.utterance is not None and not self.utterance.ended

    @property
    def voiced(self) -> Sequence[VoicedPhrase]:
        """The phrases that have audio."""
        return self.voicing.voiced if self.voicing else ()

    def heard(self, heard_ms: float) -> str:
        """Return the words of the reply that a person has heard after `heard_ms` of its audio."""
        return heard_text(self.voiced, heard_ms)

    @property
    def exchange(self) -> Exchange:
        """This turn as history has it; of a reply that was not voiced to its end, what was."""
        whole = self.trouble is None and not (self.voicing and self.voicing.failed)
        reply = self.reply if whole else self.heard(math.inf)
        return Exchange(self.id, self.text, reply, self.subject, self.outcome)

    async def run(self) -> None:
        """Do it all; ends with exactly one of the outputs in `mynah.outputs.LAST` unless cancelled."""
        try:
            await self._converse()
        except* MynahError as group:
            self.trouble = _first(group)
        if self.ended is None:
            await self._finish()

    async def _converse(self) -> None:
        if self.utterance is None:
            self.timeline.mark("speech_end", self.timeline.marks["opened"])
        elif not await self._understand(self.utterance):
            return
        await self.links.may_answer(self)
        await self._answer()

    # ------------------------------------------------------------ understanding

    async def _understand(self, utterance: Utterance) -> bool:
        """Turn the utterance into text; return whether there is something to answer."""
        scene = self.links.scene()
        meter = Meter()
        transcript = await self._transcribe(utterance, scene, meter)
        self.speech_ended()
        speech_end = utterance.ended_at or meter.ended
        self.timeline.mark("speech_end", speech_end)
        self.timeline.mark("transcript")
        self.timeline.engine(
            "stt", meter.engine, max(0.0, meter.ended - max(speech_end, meter.began)) * 1000, meter.troubles
        )
        self.text = transcript.text.strip()
        self.language = transcript.language or self.language
        if not self.text:
            self.outcome = "no_speech" if transcript.understood else "not_understood"
        else:
            self.links.recognised(self)
        if not self.text and not self.links.may_apologise(self):
            reason = "the sound did not end" if utterance.cut else self.outcome
            await self._end(TurnDropped(turn_id=self.id, reason=reason))
            return False
        await self.links.emit(
            TranscriptReady(
                turn_id=self.id,
                text=self.text,
                confidence=transcript.confidence,
                language=self.language,
                outcome=self.outcome,
            )
        )
        return self.outcome != "no_speech"

    def speech_ended(self) -> None:
        """Note that the person has finished speaking."""
        if self.utterance is not None and self.stage == "listening":
            self.utterance.end()
            self.stage = "transcribing"
            self.links.post(StageStarted(turn_id=self.id, stage="transcribing"))

    async def _transcribe(self, utterance: Utterance, scene: Scene, meter: Meter) -> Transcript:
        language = self.language or scene.language
        hints = scene.persona.hints()

        def call(engine: Any) -> AsyncIterator[Transcript]:
            found: AsyncIterator[Transcript] = engine.transcribe(
                utterance.read(), LISTENING, language=language, hints=hints
            )
            return found

        stream = self.links.chains["stt"].stream(
            call,
            total=self.links.limits.transcribe,
            armed=lambda: utterance.ended,
            final=lambda transcript: transcript.final,
            meter=meter,
        )
        async with closing(stream) as transcripts:
            async for transcript in transcripts:
                if transcript.final:
                    return transcript
                if transcript.text:
                    self.links.recognised(self)
                    await self.links.emit(PartialTranscript(turn_id=self.id, text=transcript.text))
        return Transcript("", final=True)

    # ------------------------------------------------------------ answering

    async def _answer(self) -> None:
        scene = self.links.scene()
        language = self.language or scene.language
        phrases: asyncio.Queue[PhraseReady | None] = asyncio.Queue(maxsize=PHRASES_AHEAD)
        self.voicing = Voicing(
            self.id,
            lambda phrase, take_back: self._synthesize(phrase, take_back, scene, language),
            self.links.emit,
            ahead_ms=self.links.limits.audio_ahead_ms,
            start_at=self.start_at,
            on_first_audio=lambda: self.timeline.mark("first_audio"),
        )
        await self._begin("thinking" if self.recipe == "converse" else "speaking")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._think(phrases, scene, language))
            group.create_task(self.voicing.run(phrases))
        if self.timeline.marks.get("first_audio"):
            self.timeline.mark("last_audio")
        if self.trouble is None and self.phrases and self.voicing.failed == self.phrases:
            self.trouble = MynahError("the reply could not be voiced")

    async def _think(self, phrases: asyncio.Queue[PhraseReady | None], scene: Scene, language: str) -> None:
        splitter = PhraseSplitter(scene.persona.spec.first_phrase_words, language)
        meter = Meter()
        held: SplitPhrase | None = None
        try:
            async with closing(self._tokens(scene, language, meter)) as tokens:
                async for token in tokens:
                    await self._take_token(token)
                    for phrase in splitter.feed(token):
                        held = await self._release_or_hold(held, phrase, phrases, meter)
        except MynahError as error:
            # What was said so far is heard to its end; the turn then says that it broke off.
            self.trouble = error
        for phrase in [*([held] if held else []), *(splitter.flush() if self.trouble is None else [])]:
            await self._release(phrase, phrases, meter)
        if self.trouble is None and not self.phrases:
            self.trouble = MynahError("the reply was empty")
        await phrases.put(None)
        if self.trouble is not None and not self.phrases:
            raise self.trouble

    async def _tokens(self, scene: Scene, language: str, meter: Meter) -> AsyncIterator[str]:
        if self.recipe == "say" or self.outcome == "not_understood":
            yield self.text if self.recipe == "say" else scene.persona.spec.not_understood
            return
        messages = _messages(scene, self.text)
        spec = scene.persona.spec
        grounding = Grounding(spec.name, language, scene.persona.knowledge, scene.context, spec.unknown)

        def call(engine: Any) -> AsyncIterator[Any]:
            given: AsyncIterator[Any] = engine.reply(messages, grounding=grounding)
            return given

        stream = self.links.chains["llm"].stream(
            call, total=self.links.limits.reply, final=lambda item: not isinstance(item, ReplyNote), meter=meter
        )
        async with closing(stream) as items:
            async for item in items:
                if isinstance(item, ReplyNote):
                    self.outcome, self.subject = item.outcome, item.subject
                elif isinstance(item, Token) and item.text:
                    yield item.text

    async def _take_token(self, token: str) -> None:
        self.reply += token
        self.timeline.mark("first_token")
        self.timeline.mark("last_token")
        if "first_word" not in self.timeline.marks and _WORD_COMPLETE.search(self.reply):
            self.timeline.mark("first_word")
        await self.links.emit(ReplyToken(turn_id=self.id, text=token))

    async def _release_or_hold(
        self,
        held: SplitPhrase | None,
        phrase: SplitPhrase,
        phrases: asyncio.Queue[PhraseReady | None],
        meter: Meter,
    ) -> SplitPhrase | None:
        """Release `phrase`, after what was held back; but while plenty is to be heard hold it for a longer one."""
        if held is not None:
            phrase = SplitPhrase(f"{held.text} {phrase.text}", phrase.boundary)
        if self.phrases and len(phrase.text) < LONG_PHRASE and self.links.ahead_ms() > PLENTY_MS:
            return phrase
        await self._release(phrase, phrases, meter)
        return None

    async def _release(self, phrase: SplitPhrase, phrases: asyncio.Queue[PhraseReady | None], meter: Meter) -> None:
        self.phrases += 1
        if self.phrases == 1:
            self.timeline.mark("first_phrase")
            if meter.engine:
                self.timeline.engine("llm", meter.engine, meter.total_ms, meter.troubles)
        ready = PhraseReady(turn_id=self.id, phrase=self.phrases, text=phrase.text, boundary=phrase.boundary)
        await self.links.emit(ready)
        if self.phrases == 1 and self.stage != "speaking":
            await self._begin("speaking")
        await phrases.put(ready)

    async def _synthesize(
        self, phrase: PhraseReady, take_back: TakeBack, scene: Scene, language: str
    ) -> AsyncIterator[AudioChunk | WordMark]:
        meter = Meter()
        said = say_phrase(
            self.links.chains["tts"],
            phrase.text,
            voice=scene.persona.spec.voice,
            language=language,
            total=self.links.limits.speak,
            meter=meter,
            take_back=take_back,
        )
        async with closing(said) as items:
            async for item in items:
                if phrase.phrase == 1 and isinstance(item, AudioChunk):
                    self.timeline.engine("tts", meter.engine, meter.total_ms, meter.troubles)
                yield item

    # ------------------------------------------------------------ endings

    async def _begin(self, stage: Stage) -> None:
        self.stage = stage
        await self.links.emit(StageStarted(turn_id=self.id, stage=stage))

    async def _finish(self) -> None:
        if self.trouble is not None:
            await self._end(TurnFailed(turn_id=self.id, message=str(self.trouble), stage=self.stage))
            return
        self.timeline.mark("finished")
        await self._end(
            TurnFinished(
                turn_id=self.id,
                outcome=self.outcome,
                reply=self.reply,
                phrases=self.phrases,
                timeline=self.timeline,
            )
        )

    async def _end(self, output: Output) -> None:
        self.ended = output
        await self.links.emit(output)


def _first(group: BaseExceptionGroup[MynahError]) -> MynahError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _messages(scene: Scene, text: str) -> list[Message]:
    """Return the conversation as a language model takes it."""
    spec = scene.persona.spec
    messages = [Message("system", spec.prompt)] if spec.prompt else []
    for exchange in scene.history:
        messages.append(Message("user", exchange.user))
        if exchange.reply or exchange.subject:  # stopped before a word was heard: there was no answer
            messages.append(Message("assistant", exchange.reply, exchange.subject))
    return [*messages, Message("user", text)]
