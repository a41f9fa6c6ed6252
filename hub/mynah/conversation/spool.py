"""The spool: a session's outputs on their way to its outlet, and those sent but not yet heard, for resuming."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from mynah.conversation.pieces import beginning
from mynah.conversation.playback import ROUNDING_MS
from mynah.outputs import LAST, Output, PhraseFailed, SpeechChunk, SpeechEnded, SpeechStarted
from mynah.session_protocol import Urgency

MAX_OUTPUTS: Final = 20_000
"""Outputs that wait at most; an outlet that never reads must not cost more memory than that."""

MAX_SENT_BYTES: Final = 8 * 1024 * 1024
"""Audio that is kept after sending at most: four minutes of 16 kHz PCM; a client that takes a whole reply at once,
and comes back later than that, gets what is left."""

URGENCY: Final[Mapping[Urgency, int]] = {"reply": 0, "announcement": 1, "alarm": 2}

_SPEECH: Final = (SpeechStarted, SpeechChunk, SpeechEnded, PhraseFailed)
_Key = tuple[str, int, int]

Place = tuple[str, int]
"""A track of a turn: the id of the turn and the number of the track."""


@dataclass(slots=True)
class _Sent:
    """What was sent of one phrase, or the end of a turn: all that a client needs to play the rest."""

    outputs: list[Output] = field(default_factory=list)
    size: int = 0
    end_ms: float = 0.0
    complete: bool = False

    def add(self, output: Output) -> None:
        self.outputs.append(output)
        self.complete = not isinstance(output, SpeechStarted | SpeechChunk)
        if isinstance(output, SpeechChunk):
            self.size += len(output.audio.data)
            self.end_ms = output.at_ms + output.audio.ms


class Spool:
    """Outputs in order: those waiting for the outlet, and those sent to it but not yet heard."""

    def __init__(self, ahead_ms: float) -> None:
        self._ahead_ms = ahead_ms
        self._waiting: deque[Output] = deque()
        self._waiting_ms = 0.0
        self._sent: dict[_Key, _Sent] = {}
        self._sent_bytes = 0
        self._urgent: dict[str, int] = {}
        self._coming: dict[object, Output | None] = {}
        self._begun_ms: Mapping[Place, float] = {}
        self._arrived = asyncio.Event()
        self._awaited = False
        self._room = asyncio.Event()

    @property
    def waiting_ms(self) -> float:
        """Milliseconds of audio that the outlet has not taken yet."""
        return self._waiting_ms

    def put_first(self, turn_id: str, urgency: Urgency) -> None:
        """Let that turn go before everything less urgent, until its end was taken: a reply pauses meanwhile."""
        if URGENCY[urgency]:
            self._urgent[turn_id] = URGENCY[urgency]

    def has_waiting(self, turn_id: str) -> bool:
        """Whether the outlet has not taken all of that turn yet."""
        return any(output.turn_id == turn_id for output in self._waiting)

    def turns(self) -> set[str]:
        """Return the turns of which something waits, or may be asked for again."""
        return {output.turn_id for output in self._waiting} | {key[0] for key in self._sent}

    async def put(self, output: Output) -> None:
        """Add an output; audio waits while more than `ahead_ms` of it is there, everything while very much is."""
        if len(self._waiting) >= MAX_OUTPUTS or (isinstance(output, SpeechChunk) and self._full_for(output)):
            coming = await self._wait_for_room(output)
            if coming is None:
                return  # it was taken back meanwhile
            output = coming
        self.put_now(output)

    async def _wait_for_room(self, output: Output) -> Output | None:
        place = object()
        self._coming[place] = output
        try:
            while self._full_for(output):
                self._room.clear()
                await self._room.wait()
            return self._coming[place]
        finally:
            del self._coming[place]

    def _full_for(self, output: Output) -> bool:
        late = isinstance(output, SpeechChunk) and self._ahead_of(output.turn_id) > self._ahead_ms
        return late or len(self._waiting) >= MAX_OUTPUTS

    def put_now(self, output: Output) -> None:
        """Add an output at once."""
        self._waiting.append(output)
        if isinstance(output, _SPEECH):
            self._waiting_ms += _ms(output)
        if self._awaited:
            # Whoever takes is woken after this step, in which a phrase that came with it goes to its voice.
            self._awaited = False
            asyncio.get_running_loop().call_soon(self._arrived.set)

    async def take(self, stopped: Callable[[], bool]) -> Output | None:
        """Wait for the next output and return it, or None once `stopped`; what may be asked for again is kept."""
        while not stopped():
            if (index := self._next()) is not None:
                break
            self._arrived.clear()
            self._awaited = True
            await self._arrived.wait()
        else:
            return None
        self._awaited = False
        output = self._waiting[index]
        del self._waiting[index]
        if isinstance(output, LAST):
            self._urgent.pop(output.turn_id, None)
        self._waiting_ms = self._waiting_ms - _ms(output) if self._waiting else 0.0
        self._room.set()
        self._keep(output)
        return output

    def wake(self) -> None:
        """Make whoever takes look whether it was stopped."""
        self._arrived.set()

    def purge(self, turn_id: str) -> None:
        """Drop everything of that turn, waiting or sent."""
        self._urgent.pop(turn_id, None)
        self._waiting = deque(output for output in self._waiting if output.turn_id != turn_id)
        self._waiting_ms = sum(map(_ms, self._waiting))
        self._arrived.set()
        for key in [key for key in self._sent if key[0] == turn_id]:
            self._drop_sent(key)
        self._room.set()

    def take_back(self, turn_id: str, phrase: int, track: int, from_ms: float) -> float | None:
        """Drop the audio of a phrase from that millisecond of the track's audio on; return where it now ends.

        None, and nothing dropped, where some of that was sent already or its audio cannot be cut.
        """
        key = (turn_id, track, phrase)
        there = (output for output in (*self._waiting, *self._coming.values()) if isinstance(output, SpeechChunk))
        mine = [output for output in there if (output.turn_id, output.track, output.phrase) == key]
        sent_ms = max(self._begun_ms.get((turn_id, track), 0.0), mine[0].at_ms if mine else float("inf"))
        if from_ms < sent_ms - ROUNDING_MS:
            return None
        changed: dict[int, SpeechChunk | None] = {}
        end_ms = mine[0].at_ms
        for output in mine:
            if changed:
                changed[id(output)] = None
            elif output.at_ms + output.audio.ms <= from_ms + ROUNDING_MS:
                end_ms = output.at_ms + output.audio.ms
            elif (part := beginning(output.audio, from_ms - output.at_ms)) is None:
                return None
            else:
                changed[id(output)] = replace(output, audio=part) if part.data else None
                end_ms = output.at_ms + part.ms
        self._change(changed)
        return end_ms

    def _change(self, changed: Mapping[int, SpeechChunk | None]) -> None:
        """Put outputs in the place of those of that identity."""
        for place, coming in self._coming.items():
            self._coming[place] = changed.get(id(coming), coming)
        waiting = (changed.get(id(output), output) for output in self._waiting)
        self._waiting = deque(output for output in waiting if output is not None)
        self._waiting_ms = sum(map(_ms, self._waiting))
        self._room.set()

    def forget_heard(self, heard_ms: Callable[[Place], float]) -> None:
        """Drop sent phrases that were heard to their end; `heard_ms` gives the milliseconds heard of a turn's track."""
        while self._sent:
            key, sent = next(iter(self._sent.items()))
            if not sent.complete or sent.end_ms - ROUNDING_MS > heard_ms(key[:2]):
                return
            self._drop_sent(key)

    def rewind(self, begin_ms: Mapping[Place, float], *, repeat: bool) -> None:
        """Put phrases that were not sent up to their end before what is waiting; whole, as they were.

        `begin_ms` says of each turn's track up to where: only what lies behind it can be taken back. With `repeat` it
        is told again what failed and how turns ended.
        """
        again = [
            output
            for key, sent in self._sent.items()
            if not sent.complete
            or sent.end_ms - ROUNDING_MS > begin_ms.get(key[:2], 0.0)
            or (repeat and not sent.end_ms)
            for output in sent.outputs
        ]
        self._begun_ms = dict(begin_ms)
        self._sent.clear()
        self._sent_bytes = 0
        self._waiting.extendleft(reversed(again))
        self._waiting_ms = sum(map(_ms, self._waiting))
        if self._waiting:
            self._arrived.set()

    def _next(self) -> int | None:
        """Return which of those waiting is next: the first, or while something urgent is said the first of that.

        What makes no sound may pass, unless sound of its own turn is held back before it.
        """
        if not self._urgent:
            return 0 if self._waiting else None
        most = max(self._urgent.values())
        held: set[str] = set()
        for index, output in enumerate(self._waiting):
            if self._urgent.get(output.turn_id, 0) == most:
                return index
            if isinstance(output, _SPEECH):
                held.add(output.turn_id)
            elif output.turn_id not in held:
                return index
        return None

    def _ahead_of(self, turn_id: str) -> float:
        """Return the milliseconds of audio that a turn has to wait for: what is less urgent does not count."""
        if turn_id not in self._urgent:
            return self._waiting_ms
        return sum(_ms(output) for output in self._waiting if output.turn_id == turn_id)

    def _keep(self, output: Output) -> None:
        if isinstance(output, _SPEECH):
            key = (output.turn_id, output.track, output.phrase)
        elif isinstance(output, LAST):
            key = (output.turn_id, 0, 0)
        else:
            return
        sent = self._sent.setdefault(key, _Sent())
        self._sent_bytes -= sent.size
        sent.add(output)
        self._sent_bytes += sent.size
        while self._sent_bytes > MAX_SENT_BYTES:
            self._drop_sent(next(iter(self._sent)))

    def _drop_sent(self, key: _Key) -> None:
        self._sent_bytes -= self._sent.pop(key).size


def _ms(output: Output) -> float:
    return output.audio.ms if isinstance(output, SpeechChunk) else 0.0
