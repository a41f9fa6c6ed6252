"""The outlet: a session's outputs as one loudspeaker can take them, in its format and at its pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from mynah.conversation.encodings import Encodings, Revoice, delay_ms
from mynah.conversation.pieces import pieces
from mynah.conversation.playback import Pacer, Playback
from mynah.conversation.revoicing import Placed, Revoicing
from mynah.conversation.spool import Place, Spool
from mynah.errors import AudioError
from mynah.outputs import LAST, Output, PhraseFailed, PhraseReady, SpeechChunk, SpeechEnded, SpeechStarted
from mynah.session_protocol import OutletOptions

PIECE_MS: Final = (20.0, 100.0)
"""Paced audio is sent in pieces of half a buffer, but no shorter and no longer than this."""

_SPEECH: Final = (SpeechStarted, SpeechChunk, SpeechEnded, PhraseFailed)
_TRACK: Final = (PhraseReady, *_SPEECH)


class Outlet:
    """Takes outputs from a spool, converts their audio and paces it; ends when `stop` is called.

    `over(turn_id)` says whether a turn was interrupted: nothing of it is yielded then, whatever had been queued.
    `begin_ms` says of a turn's track where in its audio to begin: what lies before was sent already. `encodings` has
    the conversions of turns that share them with other outlets.
    """

    def __init__(
        self,
        options: OutletOptions,
        spool: Spool,
        playbacks: Mapping[Place, Playback],
        over: Callable[[str], bool],
        begin_ms: Mapping[Place, float],
        encodings: Mapping[str, Encodings] | None = None,
    ) -> None:
        self.pacer = Pacer(options.buffer_ms)
        self._beside = Pacer(options.buffer_ms)
        self.all_tracks = options.tracks == "all"
        self._buffer_ms = options.buffer_ms
        self._encodings = {} if encodings is None else encodings
        self._formats = options.formats
        shortest, longest = PIECE_MS
        half_ms = None if options.buffer_ms is None else options.buffer_ms / 2
        self._piece_ms = None if half_ms is None else min(max(half_ms, shortest), longest)
        self._spool = spool
        self._playbacks = playbacks
        self._over = over
        self._begin_ms = begin_ms
        self._changed = asyncio.Event()
        self._stopped = False
        self._voices: dict[tuple[str, int], Revoice | None] = {}

    @property
    def held_ms(self) -> float:
        """Milliseconds that the loudspeaker holds, or may soon while something sounds."""
        level = max(self.pacer.level, self._beside.level)
        return max(level, self._buffer_ms or 0.0) if level else 0.0

    def stop(self) -> None:
        """End the outlet: another took its place, or the session closed."""
        self._stopped = True
        self._changed.set()
        self._spool.wake()

    def changed(self) -> None:
        """Take it that the loudspeaker holds what the playbacks say: a reply was stopped, or it reported."""
        going_on = [playback for (turn_id, _), playback in self._playbacks.items() if not self._over(turn_id)]
        self.pacer.correct(sum(playback.held_ms for playback in going_on if not playback.beside))
        self._beside.correct(sum(playback.held_ms for playback in going_on if playback.beside))
        self._changed.set()

    async def run(self) -> AsyncIterator[Output]:
        """Yield outputs until stopped."""
        while (output := await self._spool.take(lambda: self._stopped)) is not None:
            if self._is_left_out(output):
                continue
            for ready in self._convert(output):
                if isinstance(ready, SpeechChunk):
                    await self._wait_for_room(ready)
                if self._stopped:
                    return
                if isinstance(ready, _SPEECH) and self._over(ready.turn_id):
                    break
                yield self._as_told(self._counted(ready) if isinstance(ready, SpeechChunk) else ready)
            if isinstance(output, LAST):
                self._voices = {key: voice for key, voice in self._voices.items() if key[0] != output.turn_id}

    async def _wait_for_room(self, chunk: SpeechChunk) -> None:
        """Wait until `chunk` fits the loudspeaker's buffer, or is not to be sent any more."""
        pacer = self._pacer(chunk)
        while not self._stopped and not self._over(chunk.turn_id) and (wait := pacer.wait_s(chunk.audio.ms)) > 0:
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()

    def _counted(self, chunk: SpeechChunk) -> SpeechChunk:
        """Return `chunk` with its place in what was sent, and note that it is."""
        pacer, playback = self._pacer(chunk), self._playback(chunk)
        pacer.sent(chunk.audio.ms)
        if playback is None:
            return chunk
        playback.join(chunk.at_ms)
        placed = chunk if chunk.at_ms == playback.sent_ms else replace(chunk, at_ms=playback.sent_ms)
        playback.sent(chunk.audio.ms, pacer.through_ms)
        return placed

    def _playback(self, output: SpeechStarted | SpeechChunk | SpeechEnded | PhraseFailed) -> Playback | None:
        """Return how far that track of the turn was played."""
        return self._playbacks.get((output.turn_id, output.track))

    def _pacer(self, chunk: SpeechChunk) -> Pacer:
        """Return the pace of that track: one that is heard beside another has its own."""
        playback = self._playback(chunk)
        return self._beside if playback is not None and playback.beside else self.pacer

    def _as_told(self, output: Output) -> Output:
        """Return `output` as the loudspeaker is told it: who asked for one track alone knows of no other."""
        if not self.all_tracks and isinstance(output, _TRACK) and output.track:
            return replace(output, track=0)
        return output

    def _is_left_out(self, output: Output) -> bool:
        """Whether `output` is of a track that this loudspeaker did not ask for."""
        if self.all_tracks or not isinstance(output, _TRACK):
            return False
        playback = self._playbacks.get((output.turn_id, output.track))
        return playback is not None and playback.beside

    # ------------------------------------------------------------ what the loudspeaker plays

    def _convert(self, output: Output) -> Iterator[Output]:
        if not isinstance(output, _SPEECH):
            yield output
            return
        key = (output.turn_id, output.track)
        try:
            if isinstance(output, SpeechStarted):
                yield self._begin(output)
            elif isinstance(output, SpeechChunk):
                if key not in self._voices:  # its beginning was sent to an outlet before this one
                    yield self._begin(
                        SpeechStarted(turn_id=output.turn_id, phrase=output.phrase, track=output.track,
                                      format=output.audio.format, at_ms=output.at_ms)
                    )  # fmt: skip
                if (voice := self._voices[key]) is not None:
                    yield from self._paced(output, voice.feed(output.at_ms, output.audio))
            else:
                yield from self._end(output)
        except AudioError as error:
            if isinstance(output, SpeechStarted | SpeechChunk):
                self._voices[key] = None  # what else comes of this phrase cannot be played either
            yield PhraseFailed(turn_id=output.turn_id, phrase=output.phrase, track=output.track, message=str(error))

    def _begin(self, started: SpeechStarted) -> SpeechStarted:
        begin_ms = self._begin_ms.get((started.turn_id, started.track), 0.0)
        begin_ms = begin_ms if begin_ms > started.at_ms else 0.0
        shared = self._encodings.get(started.turn_id)
        if shared is None or begin_ms:
            voice: Revoice = Revoicing(started.format, self._formats, begin_ms)
        else:
            voice = shared.revoicing(started.phrase, started.format, self._formats)
        start_at = started.start_at
        if start_at is not None:
            start_at -= delay_ms(voice.target) if voice.target != started.format else 0.0
            self.pacer.pause_until(start_at / 1000)
        self._voices[started.turn_id, started.track] = voice
        playback = self._playback(started)
        at_ms = playback.sent_ms if playback else started.at_ms
        return replace(started, format=voice.target, at_ms=at_ms, start_at=start_at)

    def _end(self, ended: SpeechEnded | PhraseFailed) -> Iterator[Output]:
        key = (ended.turn_id, ended.track)
        known = key in self._voices
        voice = self._voices.pop(key, None)
        if voice is not None:
            yield from self._paced(ended, voice.flush())
            if (playback := self._playback(ended)) is not None:
                playback.join(voice.end_ms)  # a conversion is not as long as its source, to the sample
        if voice is not None or not known:  # else it failed here, and that was told
            yield ended

    def _paced(self, source: SpeechChunk | SpeechEnded | PhraseFailed, placed: Placed) -> Iterator[SpeechChunk]:
        for at_ms, audio in placed:
            for piece in pieces(audio, self._piece_ms) if self._piece_ms else (audio,):
                yield SpeechChunk(
                    turn_id=source.turn_id, phrase=source.phrase, track=source.track, audio=piece, at_ms=at_ms
                )
                at_ms += piece.ms
