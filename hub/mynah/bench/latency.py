"""The scenario `latency`: what each of the things that are done to be heard sooner gives, with everything else on."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mynah.audio import LISTENING
from mynah.bench.crowd import PAUSE_S
from mynah.bench.plan import FRAME_MS, PLAYS, Plan, Rows
from mynah.testing.received import ReceivedTurn
from mynah.testing.rows import bench_row
from mynah.testing.speaker import FakeSpeaker

ACKNOWLEDGEMENT: Final = "One moment."
EARS: Final = {"text": "what do lions eat", "final_s": 0.4}
FIRST: Final = "Lions eat the meat of animals that they hunt together at night."
TOKENS: Final = [f" {word}" for word in f"{FIRST} {'They sleep a lot. ' * 8}".split()]
MIND: Final = {"first_s": 1.2, "each_s": 0.1, "tokens": TOKENS, "warm_s": 1.0}
MOUTH: Final = {"first_s": 0.3, "total_s": 0.4, "ms_per_word": 500.0}
SPEAKS_S: Final = 1.0
"""The words are known after some frames; then the person is heard a moment longer, as a recogniser is ahead of none."""

WARM_S: Final = 2.0
TURN_S: Final = 60.0
ROOMY_MS: Final = 30_000.0
MOST_RUNS: Final = 10
FRAME: Final = b"\x01\x10" * (LISTENING.pcm_bytes(FRAME_MS) // 2)


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that can be switched off, and the figure that shows what it gives.

    `figure` is one of those of `Heard`; `first_turn` says that a hub's first turn shows it. `buffer_ms` is what the
    loudspeaker holds: only where that is little does audio wait in the hub.
    """

    name: str
    figure: str
    off: Mapping[str, Any] = field(default_factory=dict)
    first_turn: bool = False
    buffer_ms: float = ROOMY_MS


SWITCHES: Final = (
    Switch("drafts", "reply_ms", {"latency": {"drafts": False}}),
    Switch("early_phrase", "reply_ms", {"latency": {"early_phrase": False}}),
    Switch("acknowledge_after", "sound_ms", {"latency": {"acknowledge_after": None}}),
    Switch("long_phrases", "phrases", {"latency": {"long_phrases": False}}, first_turn=True, buffer_ms=500.0),
    Switch("warm_up", "reply_ms", {"latency": {"warm_up": False}}, first_turn=True),
    Switch("speech_cache", "reply_ms", {"speech_cache": {"memory_mb": 0, "disk_mb": 0, "stock_phrases": False}}),
)


@dataclass(frozen=True, slots=True)
class Heard:
    """One turn: milliseconds from the end of speech to the first sound and to the reply's own; its phrases."""

    sound_ms: float
    reply_ms: float
    phrases: int


@dataclass(frozen=True, slots=True)
class Talk:
    """The turns of one hub: the first, which finds everything cold, and the others."""

    first: Heard
    others: Sequence[Heard]

    def values(self, switch: Switch) -> list[float]:
        """Return the figure that shows what the switch gives, of each turn that does."""
        turns = [self.first] if switch.first_turn else self.others
        return [float(getattr(turn, switch.figure)) for turn in turns]


async def measure(plan: Plan) -> Rows:
    """Hold the same conversation with everything on, and once with each switch off."""
    plan.tell("latency, everything on")
    everything = await _talk(plan, {})
    sounds = [turn.sound_ms for turn in everything.others]
    replies = [turn.reply_ms for turn in everything.others]
    rows = [
        bench_row("latency: all on, first sound", sounds),
        bench_row("latency: all on, reply", replies, phrases=everything.others[0].phrases),
    ]
    for switch in SWITCHES:
        plan.tell(f"latency, without {switch.name}")
        off = await _talk(plan, switch.off, switch)
        rows.append(_row(switch, everything if switch.buffer_ms == ROOMY_MS else await _talk(plan, {}, switch), off))
    return rows


def _row(switch: Switch, everything: Talk, without: Talk) -> Mapping[str, Any]:
    """Return the row of one switch: what was measured without it, and how much better it was with it."""
    with_it, off = everything.values(switch), without.values(switch)
    gave = round(statistics.median(off) - statistics.median(with_it), 1)
    more: dict[str, Any] = {"with_p50_ms": round(statistics.median(with_it), 1), "gave_ms": gave}
    if switch.figure == "phrases":  # it makes speech sound better, not come sooner
        more = {"gave_ms": 0.0, "with_phrases": int(with_it[0]), "phrases": int(off[0])}
        off = [without.first.reply_ms]
    measured = "the first sound" if switch.figure == "sound_ms" else "the reply"
    more["of"] = f"{measured} of a hub's first turn" if switch.first_turn else measured
    return bench_row(f"latency: without {switch.name}", off, **more)


async def _talk(plan: Plan, sections: Mapping[str, Mapping[str, Any]], switch: Switch | None = None) -> Talk:
    buffer_ms = switch.buffer_ms if switch else ROOMY_MS
    more = 0 if switch and switch.first_turn else max(1, min(MOST_RUNS, plan.runs // 10))
    script = plan.script(stt=EARS, llm=MIND, tts={"engine": "script_cached", **MOUTH})
    on: Mapping[str, Mapping[str, Any]] = {
        "latency": {"acknowledge_after": 0.5},
        "personas": {"sparrow": {"acknowledgement": ACKNOWLEDGEMENT}},
    }
    config = {**script, **on, **{name: {**on.get(name, {}), **values} for name, values in sections.items()}}
    async with plan.hub(config) as (hub, _):
        await asyncio.sleep(WARM_S)  # whoever can make ready has done so
        async with FakeSpeaker(hub.url, plays=[PLAYS], playback="silent", buffer_ms=buffer_ms) as speaker:
            turns = [await _heard(speaker) for _ in range(1 + more)]
    return Talk(turns[0], turns[1:])


async def _heard(speaker: FakeSpeaker) -> Heard:
    """Ask aloud, at the speed of speech, and stop the reply once it has been made."""
    known = set(speaker.turns)
    await asyncio.sleep(PAUSE_S[0])
    await speaker.listen()
    began = time.monotonic()
    for number in range(int(SPEAKS_S * 1000 / FRAME_MS)):
        await speaker.feed(FRAME)
        await asyncio.sleep(max(0.0, began + (number + 1) * FRAME_MS / 1000 - time.monotonic()))
    ended = time.monotonic()
    await speaker.end_listening()
    turn = await speaker.until(lambda: next((t for id, t in speaker.turns.items() if id not in known), None), "a turn")
    await speaker.until(lambda: turn.last("turn_finished"), "the end", timeout_s=TURN_S)
    own = [piece.at for piece in turn.audio if piece.phrase not in _acknowledged(turn)]
    await speaker.interrupt()
    return Heard((turn.audio[0].at - ended) * 1000, (own[0] - ended) * 1000, turn.last("turn_finished")["phrases"])


def _acknowledged(turn: ReceivedTurn) -> set[int]:
    return {m.data["phrase"] for m in turn.all("speech_started") if m.data["text"] == ACKNOWLEDGEMENT}
