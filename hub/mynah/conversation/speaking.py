"""From tokens to audio: the reply is cut into phrases as it is written, and each is voiced while the next is made."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from mynah.audio import AudioChunk
from mynah.conversation.phrasing import PhraseSplitter, SplitPhrase
from mynah.conversation.playback import VoicedPhrase
from mynah.conversation.saying import Items, TakeBack, say_phrase
from mynah.conversation.scene import Scene
from mynah.conversation.shared_speech import SharedSpeech
from mynah.conversation.speech import Voicing
from mynah.engines.chain import Meter, OpenEngine, closing
from mynah.errors import EngineError
from mynah.outputs import Output, PhraseFailed, PhraseReady, SpeechChunk, SpeechStarted
from mynah.timeline import now
from mynah.values import Voice, primary_language

if TYPE_CHECKING:
    from mynah.conversation.turn import Turn

PLENTY_MS: Final = 8_000.0
"""Audio waiting to be heard with which later sentences are voiced together: longer phrases sound more natural."""

LONG_PHRASE: Final = 250
"""Characters of a phrase that is not made longer still."""


class Speaking:
    """The phrases of one turn. An acknowledgement, where one is said, is the first and has the number 1.

    They are of the turn's main track, unless another is given; the timeline is that of the main one. They are voiced in
    `tasks`. `language` is what is spoken from here on. `phrases` counts the reply's own, `failed` those of them that
    could not be voiced to their end; `trouble` says why the last of those could not.
    """

    def __init__(
        self, turn: Turn, scene: Scene, language: str, tasks: asyncio.TaskGroup, *, track: int | None = None
    ) -> None:
        self.phrases = 0
        self.failed = 0
        self.trouble = ""
        self.acknowledged = False
        self._turn = turn
        self._scene = scene
        self.language = language
        self._track = turn.track if track is None else track
        self._main = track is None
        self._latency = turn.links.latency
        self._held: SplitPhrase | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._acknowledgement_sounded = False
        self._reply_audible: asyncio.Event | None = None
        self._first_meter: Meter | None = None
        self._failed_voices: set[OpenEngine] = set()
        self._tasks = tasks

    @cached_property
    def voicing(self) -> Voicing:
        """What voices the phrases; made when it is needed, as the language model is called before."""
        turn = self._turn
        return Voicing(
            turn.id,
            self._tasks,
            self._synthesize,
            self._emit,
            ahead_ms=turn.links.limits.audio_ahead_ms,
            start_at=turn.start_at,
            take_back=turn.links.take_back,
            track=self._track,
        )

    @cached_property
    def _splitter(self) -> PhraseSplitter:
        """What cuts the reply; made when its first words are there, as the language model is called before."""
        words = self._scene.persona.spec.first_phrase_words
        return PhraseSplitter(words, self.language, early=self._latency.early_phrase)

    @property
    def numbered(self) -> int:
        """How many phrases there are, an acknowledgement included."""
        return self.phrases + self.acknowledged

    @property
    def holds_text(self) -> bool:
        """Whether something that was taken waits to be said."""
        return self._held is not None or self._splitter.pending

    @property
    def voiced(self) -> Sequence[VoicedPhrase]:
        """The reply's own phrases that have audio."""
        return self.voicing.voiced[1:] if self._acknowledgement_sounded else self.voicing.voiced

    # ------------------------------------------------------------ the reply

    async def take(self, token: str, meter: Meter) -> None:
        """Take a piece of the reply."""
        for phrase in self._splitter.feed(token):
            await self._release_or_hold(phrase, meter)
        if not self.phrases:
            self.voicing.stand_by()

    async def pause(self, meter: Meter) -> None:
        """Say what there is: the reply will go on, but not at once."""
        await self._release_all(self._splitter.flush(), meter)

    async def finish(self, meter: Meter, *, broken_off: bool) -> None:
        """Say what is left, but not the beginning of a phrase that was `broken_off`."""
        await self._release_all([] if broken_off else self._splitter.flush(), meter)
        self.voicing.stand_down()

    async def recite(self, speech: SharedSpeech) -> None:
        """Say what is recorded for many; a recording without words is heard, and told to nobody."""
        for number, recording in enumerate(speech.recordings, 1):
            ready = PhraseReady(
                turn_id=self._turn.id, phrase=number, text=recording.text, boundary=recording.boundary,
                language=self.language,
            )  # fmt: skip
            if recording.text:
                self.phrases += 1
                self._turn.timeline.mark("first_phrase")
                await self._turn.links.emit(ready)
            await self.voicing.take(ready)

    async def _release_all(self, phrases: Sequence[SplitPhrase], meter: Meter) -> None:
        held, self._held = self._held, None
        for phrase in [*([held] if held else []), *phrases]:
            await self._release(phrase, meter)

    async def _release_or_hold(self, phrase: SplitPhrase, meter: Meter) -> None:
        """Release `phrase`, after what was held back; but while plenty is to be heard hold it for a longer one."""
        if self._held is not None:
            phrase, self._held = SplitPhrase(f"{self._held.text} {phrase.text}", phrase.boundary), None
        longer = self.phrases and self._latency.long_phrases and len(phrase.text) < LONG_PHRASE
        if longer and self._turn.links.ahead_ms() > PLENTY_MS:
            self._held = phrase
        else:
            await self._release(phrase, meter)

    async def _release(self, phrase: SplitPhrase, meter: Meter) -> None:
        turn = self._turn
        self.phrases += 1
        first = self.phrases == 1 and self._main
        if first:
            turn.timeline.mark("first_phrase")
            if meter.engine:
                stage = "translate" if turn.interpret else "llm"
                turn.timeline.engine(stage, meter.engine, meter.total_ms, meter.troubles)
        ready = PhraseReady(
            turn_id=turn.id, phrase=self.phrases + self.acknowledged, text=phrase.text, boundary=phrase.boundary,
            track=self._track, language=self.language,
        )  # fmt: skip
        await turn.links.emit(ready)
        if first and turn.stage != "speaking":
            turn.begin("speaking")
        await self.voicing.take(ready)

    # ------------------------------------------------------------ the acknowledgement

    @property
    def _acknowledgement(self) -> str:
        persona = self._scene.persona
        return persona.text(persona.spec.acknowledgement, self.language).strip()

    def acknowledge_at(self, at: float) -> None:
        """Say the persona's acknowledgement at that time, if it has one, unless the reply has begun before."""
        if self._scene.persona.spec.acknowledgement:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, at - now()), self._acknowledge)

    def never_mind(self) -> None:
        """Say no acknowledgement any more: the reply has begun, or there will be none."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _acknowledge(self) -> None:
        # The one place where it is decided: it runs in one step, and `never_mind` runs with the first token.
        if not (text := self._acknowledgement):
            return
        self.acknowledged, self._reply_audible = True, asyncio.Event()
        ready = PhraseReady(turn_id=self._turn.id, phrase=1, text=text, acknowledgement=True, language=self.language)
        self._turn.links.post(ready)
        self.voicing.take_now(ready)

    # ------------------------------------------------------------ the voice

    def _synthesize(self, phrase: PhraseReady, take_back: TakeBack) -> Items:
        turn, meter = self._turn, Meter()
        if turn.speech is not None:
            return self._replay(phrase, turn.speech)
        said = say_phrase(
            turn.links.chains["tts"],
            phrase.text,
            voice=self._voice(phrase.language),
            language=phrase.language,
            total=turn.links.limits.speak,
            meter=meter,
            take_back=take_back,
            avoid=self._failed_voices,
            in_turn=turn.links.in_turn,
            keeps=turn.links.note_spoken,
        )
        if phrase.acknowledgement:
            return _unless(self._reply_audible, said) if self._reply_audible else said
        if phrase.phrase != 1 + self.acknowledged:
            return said
        self._first_meter = meter
        return _telling(self._reply_audible, said) if self._reply_audible else said

    async def _replay(self, phrase: PhraseReady, speech: SharedSpeech) -> Items:
        meter = speech.recordings[phrase.phrase - 1].meter
        async with closing(speech.read(phrase.phrase)) as items:
            async for item in items:
                self.voicing.start_at = speech.start_at
                if meter.engine:
                    self._note_voice(meter)
                yield item

    def _voice(self, language: str) -> Voice:
        """Return the persona's voice; a voice of that name may not know the language of what is interpreted."""
        spec, turn = self._scene.persona.spec, self._turn
        voice = spec.voice
        if turn.voice or turn.pace != 1:
            voice = replace(voice, name=turn.voice or voice.name, rate=voice.rate * turn.pace)
        if self._turn.interpret is None or primary_language(language) == primary_language(spec.language):
            return voice
        return replace(voice, name="")

    async def _emit(self, output: Output) -> None:
        number = 1 + self.acknowledged  # that of the reply's first phrase
        if isinstance(output, SpeechStarted) and self._main:
            await self._begin_to_sound(output, output.phrase - number)
            return
        if isinstance(output, SpeechChunk) and self._main and output.phrase == number:
            if self._first_meter is not None and self._first_meter.troubles:
                self._note_voice(self._first_meter)  # an engine may be replaced in the middle of the phrase
        elif isinstance(output, PhraseFailed) and output.phrase >= number:
            self.failed += 1
            self.trouble = output.message
        await self._turn.links.emit(output)

    async def _begin_to_sound(self, started: SpeechStarted, index: int) -> None:
        """Let the reply's phrase of that index begin to sound, and note whose voice it is; -1: the acknowledgement."""
        timeline, meter = self._turn.timeline, self._first_meter
        first = index >= 0 and "first_audio" not in timeline.marks
        self._acknowledgement_sounded = self._acknowledgement_sounded or index < 0
        timeline.mark("acknowledged" if index < 0 else "first_audio")
        await self._turn.links.emit(started)
        if index == 0 and meter is not None:
            self._note_voice(meter)
        if first and self.acknowledged and "tts" in timeline.engine_ms:
            # The voice had both to say, and the reply's audio waits for that of the acknowledgement.
            timeline.engine_ms["tts"] = (timeline.marks["first_audio"] - timeline.marks["first_phrase"]) * 1000

    def _note_voice(self, meter: Meter) -> None:
        self._turn.timeline.engine("tts", meter.engine, meter.total_ms, meter.troubles, kept=meter.kept)


async def _telling(audible: asyncio.Event, source: Items) -> Items:
    """Yield what `source` gives, and tell when its audio is there."""
    async with closing(source) as items:
        async for item in items:
            if isinstance(item, AudioChunk):
                audible.set()
            yield item


async def _unless(sooner: asyncio.Event, source: Items) -> Items:
    """Yield what `source` gives, unless `sooner` comes before its first item. Raises `EngineError` then."""
    async with closing(source) as items:
        first = asyncio.ensure_future(anext(items))
        other = asyncio.ensure_future(sooner.wait())
        try:
            await asyncio.wait({first, other}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            other.cancel()
            if not first.done():
                first.cancel()
                await asyncio.wait({first})
            elif not first.cancelled():
                first.exception()  # it may have failed in the moment in which all was stopped: nobody asks then
        if first.cancelled():
            raise EngineError("the reply was there before it")
        try:
            yield first.result()
        except StopAsyncIteration:
            return
        async for item in items:
            yield item
