"""Understanding an utterance: transcribed while it is spoken, or kept as it is for a language model that can hear."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Protocol

from mynah.audio import LISTENING
from mynah.conversation.utterance import Utterance
from mynah.engines.chain import Meter, closing
from mynah.engines.protocols import SpeechDetector
from mynah.outputs import PartialTranscript, TranscriptReady, TurnDropped
from mynah.values import AudioClip, Transcript

if TYPE_CHECKING:
    from mynah.conversation.turn import Turn


class Follower(Protocol):
    """Somebody who does something with words that are not final yet."""

    def consider(self, partial: Transcript) -> None:
        """Take in what was heard so far."""
        ...

    def settle(self, final: Transcript) -> None:
        """Take in what was heard for good."""
        ...


class Hearing:
    """Understands the utterance of one turn; `follower`, where given, follows the words while they are spoken.

    The recogniser is told to expect `language` (None: to find out).
    """

    def __init__(self, turn: Turn, utterance: Utterance, follower: Follower | None, language: str | None) -> None:
        self._turn = turn
        self._utterance = utterance
        self._follower = follower
        self._language = language
        self._told = ""

    async def understand(self) -> bool:
        """Turn the utterance into text; return whether there is something to answer."""
        turn, utterance = self._turn, self._utterance
        # While a person speaks nobody waits for a recogniser, and of those that failed the time counts too.
        meter = Meter(since=lambda: utterance.ended_at)
        transcript = await self._transcribe(meter)
        self._note_end(meter)
        self._note_words(transcript)
        if turn.text:
            turn.links.recognised(turn)
        return await self._tell(transcript)

    async def transcribe_after_all(self) -> bool:
        """Turn an utterance that was kept as it is into text; return whether that gave any."""
        meter = Meter()
        transcript = await self._transcribe(meter)
        turn = self._turn
        turn.timeline.mark("transcript")
        turn.timeline.engine("stt", meter.engine, meter.total_ms, meter.troubles)
        self._note_words(transcript)
        if turn.text:
            await self._emit_words(transcript)
        return bool(turn.text)

    async def keep(self, detector: SpeechDetector | None, threshold: float, min_speech_ms: float) -> bool:
        """Keep the utterance as a clip for a language model; return whether anybody spoke in it.

        Without a `detector` everything that makes any sound at all is taken for speech.
        """
        turn, audio = self._turn, bytearray()
        speech = Speech(detector, threshold, min_speech_ms)
        async with closing(self._utterance.read()) as chunks:
            async for chunk in chunks:
                audio += chunk
                if speech.hear(chunk):
                    turn.links.recognised(turn)
        self._note_end(Meter())
        if speech.heard:
            turn.clip, turn.untranscribed = AudioClip(bytes(audio), LISTENING), True
            return True
        turn.outcome = "no_speech"
        return await self._tell(Transcript("", final=True))

    # ------------------------------------------------------------ steps

    async def _transcribe(self, meter: Meter) -> Transcript:
        turn, utterance = self._turn, self._utterance
        scene = turn.links.scene()
        hints = scene.persona.hints(self._language or scene.language)

        def call(engine: Any) -> AsyncIterator[Transcript]:
            found: AsyncIterator[Transcript] = engine.transcribe(
                utterance.read(), LISTENING, language=self._language, hints=hints
            )
            return found

        stream = turn.links.chains["stt"].stream(
            call,
            total=turn.links.limits.transcribe,
            armed=lambda: utterance.ended,
            final=lambda transcript: transcript.final,
            meter=meter,
        )
        async with closing(stream) as transcripts:
            async for transcript in transcripts:
                if transcript.final:
                    return transcript
                if transcript.text:
                    await self._follow(transcript)
        return Transcript("", final=True)

    async def _follow(self, partial: Transcript) -> None:
        turn = self._turn
        turn.links.recognised(turn)
        if self._follower is not None and turn.links.may_draft(turn):
            self._follower.consider(partial)
        if partial.text != self._told:  # a recogniser may only have become sure of more of it
            self._told = partial.text
            await turn.links.emit(PartialTranscript(turn_id=turn.id, text=partial.text))

    def _note_end(self, meter: Meter) -> None:
        turn = self._turn
        turn.speech_ended()
        speech_end = self._utterance.ended_at or meter.ended
        turn.timeline.mark("speech_end", speech_end)
        if meter.engine:
            turn.timeline.mark("transcript")
            turn.timeline.engine("stt", meter.engine, meter.total_ms, meter.troubles)

    def _note_words(self, transcript: Transcript) -> None:
        turn = self._turn
        turn.text = transcript.text.strip()
        turn.language = transcript.language or turn.language
        if not turn.text:
            turn.outcome = "no_speech" if transcript.understood else "not_understood"
        if self._follower is not None:
            self._follower.settle(transcript)

    async def _tell(self, transcript: Transcript) -> bool:
        """Say what was heard, or drop the turn; return whether there is something to answer."""
        turn = self._turn
        if not turn.text and not turn.links.may_apologise(turn):
            reason = "the sound did not end" if self._utterance.cut else turn.outcome
            await turn.end(TurnDropped(turn_id=turn.id, reason=reason))
            return False
        await self._emit_words(transcript)
        return turn.outcome != "no_speech"

    async def _emit_words(self, transcript: Transcript) -> None:
        turn = self._turn
        await turn.links.emit(
            TranscriptReady(
                turn_id=turn.id,
                text=turn.text,
                confidence=transcript.confidence,
                language=turn.language,
                outcome=turn.outcome,
            )
        )


class Speech:
    """Whether there is enough speech in a stretch of audio to be worth an answer."""

    def __init__(self, detector: SpeechDetector | None, threshold: float, min_ms: float) -> None:
        self.heard = False
        self._detector = detector
        self._threshold = threshold
        self._missing_ms = min_ms
        self._rest = b""

    def hear(self, pcm: bytes) -> bool:
        """Take `LISTENING` PCM; return whether it was this that made it enough."""
        if self.heard:
            return False
        if self._detector is None:
            self.heard = any(pcm)
            return self.heard
        data, size = self._rest + pcm, self._detector.frame_bytes
        for start in range(0, len(data) - size + 1, size):
            if self._detector.feed(data[start : start + size]) >= self._threshold:
                self._missing_ms -= LISTENING.pcm_ms(size)
        self._rest = data[len(data) // size * size :]
        self.heard = self._missing_ms <= 0
        return self.heard
