"""What of a session's turns goes out: kept in a spool, taken by one outlet at a time, and followed until it sounds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable

from mynah.conversation.encodings import Encodings
from mynah.conversation.outlet import Outlet
from mynah.conversation.playback import Playback
from mynah.conversation.spool import Place, Spool
from mynah.conversation.tape import Tape
from mynah.engines.chain import closing
from mynah.outputs import Output, SpeechChunk
from mynah.session_protocol import OutletOptions, Urgency
from mynah.timeline import now


class Delivery:
    """The outputs of one session on their way to its outlet.

    `sent_at` is when audio last came in; `detached_at` since when nobody listens, None while somebody does.
    """

    def __init__(self, ahead_ms: float, tape: Tape) -> None:
        self.spool = Spool(ahead_ms)
        self.playbacks: dict[Place, Playback] = {}
        self._main: dict[str, int] = {}
        self._expected = True
        self._unheard: set[str] = set()
        self.detached_at: float | None = now()
        self.was_attached = False
        self.sent_at = now()
        self._live: set[str] = set()
        self._tape = tape
        self._outlet: Outlet | None = None
        self._encodings: dict[str, Encodings] = {}

    @property
    def attached(self) -> bool:
        """Whether somebody listens."""
        return self._outlet is not None

    @property
    def held_ms(self) -> float:
        """Milliseconds of audio that the loudspeaker may hold by the time at which something more urgent reaches it."""
        return self._outlet.held_ms if self._outlet is not None else 0.0

    def begin(
        self,
        turn_id: str,
        urgency: Urgency,
        encodings: Encodings | None = None,
        *,
        main: int = 0,
        beside: Iterable[int] = (),
    ) -> None:
        """Make ready for the outputs of a turn: its `main` track, and those `beside` it.

        Its conversions may be those of others too.
        """
        self._live.add(turn_id)
        self._main[turn_id] = main
        self.playbacks[turn_id, main] = Playback()
        for track in beside:
            self.playbacks[turn_id, track] = Playback(beside=True)
        if not self._expected:
            self._unheard.add(turn_id)
        if encodings is not None:
            self._encodings[turn_id] = encodings
        self.spool.put_first(turn_id, urgency)

    def forget(self, turn_id: str) -> None:
        """Forget a turn that is over and heard."""
        self._live.discard(turn_id)
        for place in self._places(turn_id):
            del self.playbacks[place]
        del self._main[turn_id]
        self._encodings.pop(turn_id, None)
        self._unheard.discard(turn_id)
        self._tape.forget(turn_id)

    def is_over(self, turn_id: str) -> bool:
        """Whether a turn was stopped or is forgotten, so that nothing of it may go out any more."""
        return turn_id not in self._live

    async def emit(self, output: Output) -> None:
        """Let `output` go out, when there is room for it."""
        if output.turn_id not in self._live:
            # Its task was cancelled, but an engine kept that to itself.
            raise asyncio.CancelledError
        if isinstance(output, SpeechChunk):
            self.sent_at = now()
            self._tape.take(output)
        if output.turn_id in self._unheard:
            return
        await self.spool.put(output)
        if output.turn_id in self._unheard:
            self.spool.purge(output.turn_id)  # it waited for an outlet until none was expected any more

    def post(self, output: Output) -> None:
        """Let `output` go out without waiting."""
        if output.turn_id in self._live and output.turn_id not in self._unheard:
            self.spool.put_now(output)

    def expect_nobody(self) -> None:
        """Keep nothing for an outlet until one is attached; it then gets the turns that begin from there on."""
        if self._expected:
            self._expected = False
            self._unheard.update(self._main)
            for turn_id in self._main:
                self.spool.purge(turn_id)

    def is_sounding(self, turn_id: str) -> bool:
        """Whether audio of that turn is still waiting or still heard."""
        sounding = any(not self.playbacks[place].ended for place in self._places(turn_id))
        return sounding or self.spool.has_waiting(turn_id)

    def main(self, turn_id: str) -> Playback:
        """Return how far the main track of that turn was played: the one that clients report on."""
        return self.playbacks[turn_id, self._main[turn_id]]

    def _places(self, turn_id: str) -> list[Place]:
        return [place for place in self.playbacks if place[0] == turn_id]

    def purge(self, turn_id: str) -> None:
        """Drop all of that turn that has not sounded; nothing more of it goes out."""
        self._live.discard(turn_id)
        self.spool.purge(turn_id)
        if self._outlet is not None:
            self._outlet.changed()

    def played(self, turn_id: str, ms: float) -> None:
        """Note what the client has played."""
        if self.is_over(turn_id):
            return  # the report was on its way
        playback = self.main(turn_id)
        if self._outlet is None:
            playback.resume(ms)
        else:
            playback.acknowledge(ms)
            self._outlet.changed()
        self.spool.forget_heard(self._surely_heard_ms)

    def unheard_turns(self) -> set[str]:
        """Return the turns of which something waits, or may be asked for again."""
        if self._outlet is not None:  # else a client may come back and say what it did not hear
            self.spool.forget_heard(self._surely_heard_ms)
        return self.spool.turns()

    def _surely_heard_ms(self, place: Place) -> float:
        playback = self.playbacks.get(place)
        if playback is None or (playback.beside and self._outlet is not None and not self._outlet.all_tracks):
            return float("inf")  # nobody will ask for it
        return playback.made_ms(playback.surely_heard_ms)

    async def outputs(self, options: OutletOptions, *, resume: bool = False) -> AsyncGenerator[Output, None]:
        """Attach an outlet and yield what it is to play and show."""
        self.stop()
        if resume:
            for playback in self.playbacks.values():
                playback.resume(playback.heard_ms)
        begin_ms = {place: playback.made_ms(playback.sent_ms) for place, playback in self.playbacks.items()}
        self.spool.rewind(begin_ms, repeat=resume)
        outlet = Outlet(options, self.spool, self.playbacks, self.is_over, begin_ms, self._encodings)
        self._outlet, self.detached_at, self.was_attached, self._expected = outlet, None, True, True
        try:
            async with closing(outlet.run()) as outputs:
                async for output in outputs:
                    yield output
                    self.spool.forget_heard(self._surely_heard_ms)
        finally:
            if self._outlet is outlet:
                self._outlet, self.detached_at = None, now()

    def stop(self) -> None:
        """End the outlet that is attached, if one is."""
        if self._outlet is not None:
            self._outlet.stop()
