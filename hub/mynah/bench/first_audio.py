"""The scenario `first-audio`: from a question to the first token, word and audio of its reply."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mynah.bench.bare import own_ms as bare_own_ms
from mynah.bench.crowd import PAUSE_S, Asked, ask_all, cache_hits
from mynah.bench.plan import TOKENS, Plan, Rows
from mynah.testing.calls import Calls, took
from mynah.testing.rows import bench_row

WORD: Final = re.compile(r"\w[\W_]")
"""The first word is complete when something else follows it."""

INSIDE: Final = "first audio, in the hub"
OWN_LIMIT_MS: Final = 1.0
"""What the hub itself may take: from a question in its hands to the first audio ready to be sent."""

SOCKET_LIMIT_MS: Final = 10.0
"""What it may add with everything at the client's socket."""


async def measure(plan: Plan) -> Rows:
    """Measure, with each number of sessions."""
    rows: list[Mapping[str, Any]] = []
    async with plan.hub() as (hub, calls):
        for sessions in plan.sessions:
            plan.tell(f"first audio, sessions: {sessions}")
            kept = await cache_hits(hub)
            asked = await ask_all(plan, hub, sessions)
            kept = await cache_hits(hub) - kept
            rows += _real(asked, sessions, kept) if plan.real else _scripted(asked, sessions, plan, calls)
    return rows if plan.real else [await _beside_bare(row, plan) for row in rows]


async def _beside_bare(row: Mapping[str, Any], plan: Plan) -> Mapping[str, Any]:
    """Return the row of the first audio with what a bare server adds to it here and now."""
    if row["measure"] != "first audio":
        return row
    sessions, times = row["sessions"], plan.times
    plan.tell(f"first audio of a bare server, sessions: {sessions}")
    bare = await bare_own_ms(
        sessions, plan.rounds(sessions), first_ms=times.llm_first, each_ms=times.llm_each, voice_ms=times.tts_first,
        tokens=TOKENS.index(",") + 1,
    )  # fmt: skip
    return {**row, "bare_own_p50_ms": round(bare, 2), "over_bare_ms": round(row["own_p50_ms"] - bare, 2)}


def _scripted(asked: Sequence[Asked], sessions: int, plan: Plan, calls: Calls) -> Rows:
    minds, mouths = calls.by_word("script_llm"), calls.by_word("script_tts")
    times = plan.times
    needed = {"token": 1, "word": 2, "audio": TOKENS.index(",") + 1}
    measured: dict[str, list[float]] = {name: [] for name in needed}
    engines: dict[str, list[float]] = {name: [] for name in needed}
    for entry in asked:
        tokens = _tokens_until(entry)
        for name, at in (("token", 1), ("word", tokens["word"]), ("audio", tokens["phrase"])):
            engines[name].append(took(minds[entry.word][0], at))
        engines["audio"][-1] += took(mouths[entry.word][0], 1)
        for name, ms in _arrivals(entry).items():
            measured[name].append(ms)
    rows = []
    for name, count in needed.items():
        critical = times.llm_first + (count - 1) * times.llm_each + (times.tts_first if name == "audio" else 0)
        rows.append(_row(name, measured[name], engines[name], critical, sessions))
    return [*rows, _inside(asked, critical, sessions)]


def _real(asked: Sequence[Asked], sessions: int, kept: int) -> Rows:
    """Measure by what the hub says of its engines; it says so for the way to the first audio.

    `kept` is how many phrases came from the speech cache: no voice was asked for those.
    """
    arrivals = [_arrivals(entry) for entry in asked]
    engines = [sum(entry.turn.last("turn_finished")["engine_ms"].values()) for entry in asked]
    first = [bench_row(f"first {name}", [each[name] for each in arrivals], sessions=sessions, pause_s=list(PAUSE_S))
             for name in ("token", "word")]  # fmt: skip
    audio = [each["audio"] for each in arrivals]
    row = _row("audio", audio, engines, statistics.median(engines), sessions)
    return [*first, {**row, "cached_phrases": kept}, _inside(asked, statistics.median(engines), sessions)]


def _row(
    name: str, measured: Sequence[float], engines: Sequence[float], critical: float, sessions: int
) -> Mapping[str, Any]:
    return bench_row(
        f"first {name}", measured, engines_ms=engines, critical_ms=critical, sessions=sessions,
        over_ms=round(statistics.median(measured) - critical, 2), own_limit_ms=SOCKET_LIMIT_MS, pause_s=list(PAUSE_S),
    )  # fmt: skip


def _inside(asked: Sequence[Asked], critical: float, sessions: int) -> Mapping[str, Any]:
    """Return the row of the first audio as the hub's timeline has it: from the question to the voice's first piece."""
    told = [entry.turn.last("turn_finished") for entry in asked]
    return bench_row(
        INSIDE, [each["timeline"]["first_audio"] for each in told],
        engines_ms=[sum(each["engine_ms"].values()) for each in told], critical_ms=critical, sessions=sessions,
        own_limit_ms=OWN_LIMIT_MS, pause_s=list(PAUSE_S),
    )  # fmt: skip


def _arrivals(entry: Asked) -> dict[str, float]:
    tokens = entry.turn.all("token")
    word = tokens[min(_tokens_until(entry)["word"], len(tokens)) - 1]
    return {"token": entry.ms(tokens[0].at), "word": entry.ms(word.at), "audio": entry.ms(entry.turn.audio[0].at)}


def _tokens_until(entry: Asked) -> dict[str, int]:
    """Return how many tokens had come when the first word, and when the first phrase, was complete."""
    text, word, phrase, count = "", 0, 0, 0
    for message in entry.turn.messages:
        if message.name == "token":
            count += 1
            text += str(message.data["text"])
            word = word or (count if WORD.search(text) else 0)
        elif message.name == "phrase":
            phrase = phrase or count
    return {"word": word or count, "phrase": phrase or count}
