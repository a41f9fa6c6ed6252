"""What the bench measures of A, the zoo speaker."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from mynah import Bench, Voice
from mynah.testing import Calls, ScriptedTextToSpeech, as_mp3, bench_row, took
from mynah_dialects.bench_client import Client, connected, running, tone, words
from mynah_dialects.bench_rows import FEEDBACK_MS, ONE, OWN_MS, Rows, count_row, few, judged, own_row, ratio_row

LAST_MS: Final = 20.0
ZOO: Final = "/ws/esp32/bench"
THREE: Final = ("Yes {}. ", "Lions eat {} meat. ", "They sleep {} a lot.")
PIECE: Final = {"ms_per_word": 400.0}
"""Pieces of 200 ms and more, so that the first one is enough for a frame of MP3."""


async def zoo_speaker(bench: Bench) -> Rows:
    """Measure A's replies of three phrases, and of one."""
    slow = {"first_s": 0.5, "total_s": 3.0, "codec": "mp3", **PIECE}
    async with (
        running(bench, llm={"tokens": list(THREE)}, tts=slow) as (hub, calls),
        connected(hub, ZOO) as client,
    ):
        rows = await _three_phrases(bench, client, calls)
    quick = {"first_s": 0.1, "total_s": 0.5, "codec": "mp3"}
    async with running(bench, llm={"tokens": list(ONE)}, tts=quick) as (hub, calls), connected(hub, ZOO) as client:
        rows += await _one_phrase(bench, client, calls)
    whole = {"pieces": 1, "ms_per_word": 468.75}  # four words: 60 kB of 16 kHz
    async with running(bench, llm={"tokens": list(ONE)}, tts=whole) as (hub, _), connected(hub, f"{ZOO}-wav") as client:
        rows.append(await _handed_over(bench, client))
    async with running(bench, stt={"text": ""}) as (hub, _), connected(hub, ZOO) as client:
        rows.append(await _feedback(bench, client))
    return rows


async def _three_phrases(bench: Bench, client: Client, calls: Calls) -> Rows:
    first, last, asked = [], [], []
    for word, _ in zip(words(), range(few(bench)), strict=False):
        client.forget()
        began = await client.send(type="text_query", text=f"what do lions eat {word}")
        await client.until("response_complete")
        asked.append(word)
        first.append((client.at("bytes") - began) * 1000)
        last.append((client.at("bytes", last=True) - began) * 1000)
    minds, mouths = calls.by_word("script_llm"), calls.by_word("script_tts")
    begin = [
        took(minds[word][0], 1) + took(next(call for call in mouths[word] if call.text.startswith("Yes")), 1)
        for word in asked
    ]
    longest = [max(call.took_ms[-1] for call in mouths[word]) for word in asked]
    return [
        own_row("A first audio byte after the text", first, begin, 500, OWN_MS, before="2–5 s", theirs="0.5–1 s"),
        ratio_row("A reply of three phrases", last, longest, 3000, before="15 s", theirs="3–5 s"),
    ]


async def _one_phrase(bench: Bench, client: Client, calls: Calls) -> Rows:
    measured, asked, untouched = [], [], True
    for word, _ in zip(words(), range(bench.runs), strict=False):
        client.forget()
        await client.send(type="text_query", text=f"what do lions eat {word}")
        await client.until("response_complete")
        asked.append((word, client.at("bytes", last=True)))
        untouched = untouched and b"".join(client.of("bytes")) == await _as_made(f"Lions eat {word} meat.")
    for word, at in asked:
        measured.append((at - calls.by_word("script_tts")[word][0].ended) * 1000)
    last = bench_row("A single phrase: last byte after the engine's last", measured, limit_ms=LAST_MS)
    touched = count_row(
        "A conversion where the speaker takes the engine's format",
        p50_ms=0.0 if untouched else None,
        untouched=untouched,
    )
    return [
        judged(last, last["p50_ms"] <= LAST_MS, before="2 s", theirs="streamed"),
        judged(touched, untouched, before="0.5 s", theirs="0"),
    ]


async def _as_made(text: str) -> bytes:
    """Return what the scripted voice made of a text."""
    outputs = ScriptedTextToSpeech().synthesize(text, voice=Voice(), language="en")
    return b"".join([chunk.data async for piece in as_mp3(outputs) for chunk in piece])


async def _handed_over(bench: Bench, client: Client) -> Mapping[str, Any]:
    measured, size = [], 0
    for _ in range(bench.runs):
        client.forget()
        await client.send(type="text_query", text="what do lions eat")
        await client.until("response_complete")
        measured.append((client.at("audio_complete") - client.at("audio_start")) * 1000)
        size = sum(map(len, client.of("bytes")))
    row = bench_row("A 60 kB handed to a speaker that takes it", measured, bytes=size, limit_ms=LAST_MS)
    return judged(row, row["p50_ms"] <= LAST_MS and size >= 60_000, before="1.5 s", theirs="0.15 s")


async def _feedback(bench: Bench, client: Client) -> Mapping[str, Any]:
    chunk = base64.b64encode(tone(40, 44_100)).decode()
    measured = []
    for _ in range(bench.runs):
        began = await client.send(type="audio_chunk", audio=chunk)
        measured.append((await client.until("audio_receiving") - began) * 1000)
        await client.send(type="audio_complete")
        await client.until("response_complete")
    row = bench_row("A feedback after the first chunk", measured, limit_ms=FEEDBACK_MS)
    return judged(row, row["p50_ms"] <= FEEDBACK_MS, before="none", theirs="immediate")
