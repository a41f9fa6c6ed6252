"""From what a turn gives to what the wire says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import mynah
from mynah_websocket import hub_messages as say

STREAMS: Final = 256
"""A stream's number is one byte."""
Key = tuple[str, int, int]

PLAIN: Final[Mapping[type[mynah.Output], Callable[[Any], say.HubMessage]]] = {
    mynah.StageStarted: lambda o: say.Stage(turn=o.turn_id, stage=o.stage),
    mynah.PartialTranscript: lambda o: say.PartialTranscript(turn=o.turn_id, text=o.text),
    mynah.TranscriptReady: lambda o: say.Transcript(
        turn=o.turn_id, text=o.text, confidence=o.confidence, language=o.language, outcome=o.outcome
    ),
    mynah.TranslationReady: lambda o: say.Translation(
        turn=o.turn_id, text=o.text, language=o.language, untranslated=o.untranslated
    ),
    mynah.ReplyToken: lambda o: say.Token(turn=o.turn_id, text=o.text),
    mynah.PhraseReady: lambda o: say.Phrase(
        turn=o.turn_id, phrase=o.phrase, text=o.text, boundary=o.boundary, track=o.track,
        acknowledgement=o.acknowledgement or None,
    ),
    mynah.ToolUsed: lambda o: say.Tool(turn=o.turn_id, name=o.name[:64], ok=o.ok, ms=o.ms),
    mynah.VolumeChanged: lambda o: say.Volume(percent=o.percent),
    mynah.Interrupted: lambda o: say.Interrupted(
        turn=o.turn_id, heard_ms=o.heard_ms, heard=o.heard, reason=o.reason
    ),
    mynah.TurnFinished: lambda o: say.TurnFinished(
        turn=o.turn_id,
        outcome=o.outcome,
        reply=o.reply,
        phrases=o.phrases,
        timeline=o.timeline.ms(),
        engine_ms=o.timeline.engine_ms,
        own_ms=o.timeline.own_ms,
        engines=o.timeline.engines,
        troubles=o.timeline.troubles or None,
        kept=tuple(sorted(o.timeline.kept)) or None,
    ),
    mynah.TurnFailed: lambda o: say.TurnFailed(turn=o.turn_id, message=o.message, stage=o.stage),
    mynah.TurnDropped: lambda o: say.TurnDropped(turn=o.turn_id, reason=o.reason),
}  # fmt: skip
"""The outputs that become one message each, whatever went before."""

ENDS: Final = (mynah.Interrupted, mynah.TurnFinished, mynah.TurnFailed, mynah.TurnDropped)


class Outbound:
    """Translates one connection's outputs into frames, and numbers the streams of audio.

    On a `resumed` connection a phrase may go on in its middle: there it is announced with its first audio, whose place
    is known then.
    """

    def __init__(self, *, resumed: bool = False) -> None:
        self._resumed = resumed
        self._held: dict[Key, mynah.SpeechStarted] = {}
        self._streams: dict[Key, int] = {}
        self._next = 0

    def frames(self, output: mynah.Output) -> list[say.HubMessage | bytes]:
        """Return the frames of one output: messages, and audio with its stream's number before it."""
        match output:
            case mynah.SpeechChunk():
                return self._audio(output)
            case mynah.ReplyReady():
                return []  # `turn_finished` has the reply
            case mynah.SpeechStarted() if self._resumed:
                self._held[output.turn_id, output.phrase, output.track] = output
                return []
            case mynah.SpeechStarted():
                return [self._started(output)]
            case mynah.SpeechEnded():
                return self._ended(output)
            case mynah.PhraseFailed():
                stream = self._streams.pop((output.turn_id, output.phrase, output.track), None)
                return [
                    say.PhraseFailed(
                        turn=output.turn_id,
                        phrase=output.phrase,
                        track=output.track,
                        stream=stream,
                        message=output.message,
                    )
                ]
        if isinstance(output, ENDS):
            self._streams = {key: stream for key, stream in self._streams.items() if key[0] != output.turn_id}
            self._held = {key: held for key, held in self._held.items() if key[0] != output.turn_id}
        return [PLAIN[type(output)](output)]

    def _audio(self, chunk: mynah.SpeechChunk) -> list[say.HubMessage | bytes]:
        frames: list[say.HubMessage | bytes] = []
        key = (chunk.turn_id, chunk.phrase, chunk.track)
        if key not in self._streams:
            started = self._held.pop(key, None) or mynah.SpeechStarted(
                turn_id=chunk.turn_id, phrase=chunk.phrase, track=chunk.track, format=chunk.audio.format
            )
            frames.append(self._started(replace(started, at_ms=chunk.at_ms)))
        return [*frames, bytes((self._streams[key],)) + chunk.audio.data]

    def _started(self, output: mynah.SpeechStarted) -> say.HubMessage:
        stream = self._streams[output.turn_id, output.phrase, output.track] = self._free()
        return say.SpeechStarted(
            turn=output.turn_id,
            stream=stream,
            phrase=output.phrase,
            track=output.track,
            format=output.format,
            text=output.text,
            at_ms=output.at_ms,
            start_at=output.start_at,
        )

    def _ended(self, output: mynah.SpeechEnded) -> list[say.HubMessage | bytes]:
        key = (output.turn_id, output.phrase, output.track)
        self._held.pop(key, None)
        stream = self._streams.pop(key, None)
        if stream is None:
            return []  # all of it was sent on the connection before this one
        return [
            say.SpeechEnded(turn=output.turn_id, phrase=output.phrase, track=output.track, stream=stream, ms=output.ms)
        ]

    def _free(self) -> int:
        """Return the next number, round about, that no stream holds; with all held, the oldest is given up."""
        if len(self._streams) >= STREAMS:
            del self._streams[next(iter(self._streams))]
        taken = set(self._streams.values())
        number = next(n % STREAMS for n in range(self._next, self._next + STREAMS) if n % STREAMS not in taken)
        self._next = (number + 1) % STREAMS
        return number
