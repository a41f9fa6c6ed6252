"""The hands on a simulated speaker: what is done to it from outside.

Lines on standard input are what happens to it: `press`, `release`, `speak FILE`, `ask FILE` (all three), `quit`;
`watch`: from then on its state is told whenever it changes, and the end of the input is its end; and for measurements
`heap` and `fragment N`. Lines on standard output that begin with `{` are answers.
"""

import asyncio
import gc
import json
import select
import sys

import machine
import speaker
from settings import Settings
from slots import Slots


class Hands:
    """Does what standard input says."""

    def __init__(self, speaker, machine):
        self._speaker = speaker
        self._machine = machine
        self._held = []
        self._watched = None

    async def run(self):
        """Read and do until the end of the input."""
        poll = select.poll()
        poll.register(sys.stdin, select.POLLIN)
        while True:
            if poll.poll(0):
                line = sys.stdin.readline()
                if not line:
                    if self._watched:
                        self._machine.reset()
                    return await asyncio.sleep(1 << 20)  # nobody will say anything any more
                word, _, rest = line.strip().partition(" ")
                await self._do(word, rest)
            if self._watched:
                self._watch()
            await asyncio.sleep_ms(20)

    async def _do(self, word, rest):
        if word in ("press", "release"):
            self._push(word == "press")
        elif word == "speak":
            self._machine.speak(rest)
        elif word == "ask":
            await self._ask(rest)
        elif word == "heap":
            self._heap()
        elif word == "fragment":
            self._fragment(int(rest))
        elif word == "watch":
            self._watched = ()
            self._watch()
        elif word == "quit":
            self._machine.reset()

    def _watch(self):
        body = self._speaker
        broker = body.control.connected if body.control else None
        state = (body.phase, body.session.connected, broker, body.player.underruns)
        if state != self._watched:
            self._watched = state
            say(phase=state[0], hub=state[1], broker=broker, underruns=state[3])

    def _push(self, down):
        self._machine.Pin.levels[self._speaker.profile["button"]] = 0 if down else 1

    async def _ask(self, path):
        self._push(True)
        while not self._speaker.ears.held:
            await asyncio.sleep_ms(10)
        await asyncio.sleep_ms(100)
        self._machine.speak(path)
        while self._machine.Sound.spoken:
            await asyncio.sleep_ms(20)
        await asyncio.sleep_ms(150)
        self._push(False)

    def _heap(self):
        before = gc.mem_alloc()
        gc.collect()
        player = self._speaker.player
        say(
            allocated=before,
            live=gc.mem_alloc(),
            free=gc.mem_free(),
            playing=player.playing,
            underruns=player.underruns,
            dry=self._machine.Sound.dry,
            hub=self._speaker.session.connected,
            held_ms=player.held_ms,
        )

    def _fragment(self, size):
        """Leave no free piece of memory much larger than `size` bytes."""
        gc.collect()
        plugs = []
        plugs_of = [plugs]
        try:
            while True:
                plugs.append(bytearray(size))
        except MemoryError:
            pass
        for i in range(0, len(plugs), 2):
            plugs[i] = None
        self._held = plugs_of
        gc.collect()
        say(fragmented=len(plugs), free=gc.mem_free())


def say(**fields):
    """Print an answer."""
    print(json.dumps(fields))


async def _run():
    body = speaker.Speaker(Settings(), Slots())
    await body.wifi.join()
    hands = asyncio.create_task(Hands(body, machine).run())
    gc.collect()
    say(ready=True, free=gc.mem_free())
    await asyncio.gather(hands, body.run())


def start():
    """Run the firmware with hands on it."""
    asyncio.StreamReader = asyncio.StreamWriter = machine.Stream
    asyncio.run(_run())
