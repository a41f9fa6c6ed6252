"""The microphone of a session: what a client records becomes the utterances of turns."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from mynah.audio import LISTENING, AudioFormat, converter
from mynah.conversation.listening import OpenMicrophone, SpeechAudio, SpeechBegan, SpeechEnded
from mynah.conversation.turn import Turn

log = logging.getLogger(__name__)


class Microphone:
    """Decodes audio in `format` and gives it to turns.

    Push-to-talk (`detection` None) is one turn from the first audio to `finish`; with `detection` a turn begins and
    ends wherever speech does. `hear` opens a turn; `drop(turn, reason)` is told of one that was only noise.
    """

    def __init__(
        self,
        format: AudioFormat,
        detection: OpenMicrophone | None,
        hear: Callable[[], Turn],
        drop: Callable[[Turn, str], None],
    ) -> None:
        self._converter = None if format == LISTENING else converter(format, LISTENING)
        self._detection = detection
        self._hear = hear
        self._drop = drop
        self._turn: Turn | None = None

    @property
    def always_open(self) -> bool:
        """Whether it hears everything in the room, and not only what somebody says to it on purpose."""
        return self._detection is not None

    def feed(self, data: bytes) -> None:
        """Take audio. Raises `AudioError` where nothing in it can be decoded."""
        if self._converter is None:
            self._take(data)
            return
        for chunk in self._converter.feed(data):
            self._take(chunk.data)

    def finish(self) -> str | None:
        """End what is being heard: it is complete; return the id of its turn, None where nothing was heard.

        Raises `AudioError` where nothing in it could be decoded.
        """
        try:
            for chunk in self._converter.flush() if self._converter else ():
                self._take(chunk.data)
            if self._detection is not None:
                self._follow(self._detection.close())
            elif self._turn is None:
                self._turn = self._hear()  # nothing was recorded at all: that is silence, and is told as such
        finally:
            turn = self._turn
            if turn is not None:
                turn.speech_ended()
        return turn.id if turn is not None else None

    def abandon(self, reason: str) -> None:
        """Forget what is being heard."""
        if self._turn is not None:
            self._drop(self._turn, reason)

    def _take(self, pcm: bytes) -> None:
        if self._detection is not None:
            self._follow(self._detection.feed(pcm))
            return
        if self._turn is None:
            self._turn = self._hear()
        _append(self._turn, pcm)

    def _follow(self, happenings: Sequence[SpeechBegan | SpeechAudio | SpeechEnded]) -> None:
        for happening in happenings:
            if isinstance(happening, SpeechBegan):
                self._turn = self._hear()
                _append(self._turn, happening.pre_roll)
            elif self._turn is not None and isinstance(happening, SpeechAudio):
                _append(self._turn, happening.data)
            elif self._turn is not None and isinstance(happening, SpeechEnded):
                turn, self._turn = self._turn, None
                self._end(turn, happening)

    def _end(self, turn: Turn, ended: SpeechEnded) -> None:
        if ended.reason == "noise":
            self._drop(turn, f"noise ({ended.speech_ms:.0f} ms of speech)")
            return
        if ended.reason == "max_length" and turn.utterance is not None:
            log.info("the sound did not end; cut after %.0f s", ended.audio_ms / 1000)
            turn.utterance.cut = True
        turn.speech_ended()


def _append(turn: Turn, pcm: bytes) -> None:
    if turn.utterance is not None:
        turn.utterance.append(pcm)
        if turn.utterance.cut:
            turn.speech_ended()
