"""The outlet: a session's outputs as one loudspeaker can take them, in its format and at its pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from dataclasses import replace
from typing import Final

from mynah.audio import AudioChunk, AudioFormat, Converter, converter
from mynah.conversation.playback import Pacer, Playback
from mynah.conversation.spool import Spool
from mynah.errors import AudioError
from mynah.outputs import LAST, Output, PhraseFailed, SpeechChunk, SpeechEnded, SpeechStarted
from mynah.specs import OutletOptions

PIECE_MS: Final = 100.0
"""Paced PCM is sent in pieces of at most this length, so that a small buffer is kept full."""


class Outlet:
    """Takes outputs from a spool, converts their audio and paces it; ends when `stop` is called.

    `over(turn_id)` says whether a turn was interrupted: nothing of it is yielded then, whatever had been queued.
    """

    def __init__(
        self,
        options: OutletOptions,
        spool: Spool,
        playbacks: MutableMapping[str, Playback],
        over: Callable[[str], bool],
    ) -> None:
        self.pacer = Pacer(options.buffer_ms)
        self._options = options
        self._spool = spool
        self._playbacks = playbacks
        self._over = over
        self._changed = asyncio.Event()
        self._stopped = False
        self._voices: dict[tuple[str, int], _Voice] = {}

    def stop(self) -> None:
        """End the outlet: another took its place, or the session closed."""
        self._stopped = True
        self._changed.set()
        self._spool.wake()

    def changed(self) -> None:
        """Look again at what may be sent: a reply was stopped, or the loudspeaker reported."""
        self._changed.set()

    def acknowledge(self, turn_id: str) -> None:
        """Take what the turn's playback was last reported to be as the truth about the loudspeaker's buffer."""
        playback = self._playbacks[turn_id]
        self.pacer.correct(playback.sent_ms - playback.heard_ms)
        self._changed.set()

    async def run(self) -> AsyncIterator[Output]:
        """Yield outputs until stopped."""
        while (output := await self._spool.take(lambda: self._stopped)) is not None:
            for ready in self._convert(output):
                if isinstance(ready, SpeechChunk) and not await self._wait_for_room(ready):
                    break
                if self._stopped:
                    return
                if self._over(ready.turn_id) and isinstance(ready, _SPEECH):
                    break
                if isinstance(ready, SpeechChunk):
                    self._count(ready)
                yield ready
            if isinstance(output, LAST):
                self._voices = {key: voice for key, voice in self._voices.items() if key[0] != output.turn_id}

    async def _wait_for_room(self, chunk: SpeechChunk) -> bool:
        """Wait until `chunk` fits the loudspeaker's buffer; return False where it is not to be sent any more."""
        while (wait := self.pacer.wait_s(chunk.audio.ms)) > 0:
            self._changed.clear()
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                pass
            if self._stopped or self._over(chunk.turn_id):
                return False
        return not self._over(chunk.turn_id)

    def _count(self, chunk: SpeechChunk) -> None:
        held = self.pacer.level
        self.pacer.sent(chunk.audio.ms)
        if chunk.track == 0:
            self._playbacks.setdefault(chunk.turn_id, Playback()).sent(chunk.audio.ms, held)

    def _convert(self, output: Output) -> Iterator[Output]:
        if not isinstance(output, _SPEECH):
            yield output
            return
        key = (output.turn_id, output.track)
        try:
            if isinstance(output, SpeechStarted):
                voice = self._voices[key] = _Voice(output, self._options.formats)
                yield voice.started(output)
            elif isinstance(output, SpeechChunk):
                if key not in self._voices:  # a resumed phrase whose beginning was heard
                    started = SpeechStarted(turn_id=output.turn_id, phrase=output.phrase, track=output.track,
                                            format=output.audio.format, at_ms=output.at_ms)  # fmt: skip
                    yield from self._convert(started)
                yield from self._paced(output, self._voices[key].feed(output))
            else:
                voice_ended = self._voices.pop(key, None)
                if voice_ended and isinstance(output, SpeechEnded):
                    yield from self._paced(output, voice_ended.flush())
                yield output
        except AudioError as error:
            self._voices.pop(key, None)
            yield PhraseFailed(turn_id=output.turn_id, phrase=output.phrase, track=output.track, message=str(error))

    def _paced(self, source: SpeechChunk | SpeechEnded, chunks: list[tuple[float, AudioChunk]]) -> Iterator[Output]:
        for at_ms, audio in chunks:
            for piece in self._cut(audio):
                yield SpeechChunk(
                    turn_id=source.turn_id, phrase=source.phrase, track=source.track, audio=piece, at_ms=at_ms
                )
                at_ms += piece.ms

    def _cut(self, audio: AudioChunk) -> Iterator[AudioChunk]:
        if self._options.buffer_ms is None or not audio.format.is_pcm or audio.ms <= PIECE_MS:
            yield audio
            return
        step = audio.format.pcm_bytes(PIECE_MS)
        for start in range(0, len(audio.data), step):
            data = audio.data[start : start + step]
            yield AudioChunk(data, audio.format, audio.format.pcm_ms(len(data)))


_SPEECH: Final = (SpeechStarted, SpeechChunk, SpeechEnded, PhraseFailed)


class _Voice:
    """The conversion of one phrase and where in the turn's audio it has come to."""

    def __init__(self, started: SpeechStarted, formats: tuple[AudioFormat, ...]) -> None:
        plays_it = not formats or started.format in formats
        self.target = started.format if plays_it else formats[0]
        self._converter: Converter = converter(started.format, self.target)
        self._position = started.at_ms

    def started(self, output: SpeechStarted) -> SpeechStarted:
        return replace(output, format=self.target)

    def feed(self, chunk: SpeechChunk) -> list[tuple[float, AudioChunk]]:
        if self.target == chunk.audio.format:
            self._position = chunk.at_ms + chunk.audio.ms
            return [(chunk.at_ms, chunk.audio)]
        return self._placed(self._converter.feed(chunk.audio.data))

    def flush(self) -> list[tuple[float, AudioChunk]]:
        return self._placed(self._converter.flush())

    def _placed(self, chunks: list[AudioChunk]) -> list[tuple[float, AudioChunk]]:
        placed = []
        for chunk in chunks:
            placed.append((self._position, chunk))
            self._position += chunk.ms
        return placed
