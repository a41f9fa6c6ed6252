"""What the bench measures of B, the study partner."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Final

import aiohttp

from mynah import Bench
from mynah.testing import HubProcess, bench_row
from mynah_dialects.bench_client import Client, connected, running, tone
from mynah_dialects.bench_rows import Rows, count_row, few, judged

TRANSCRIPT_MS: Final = 500.0
SESSION_MB: Final = 15.0
STUDY: Final = "/api/v1/audio-streaming"
MANY: Final = 200
"""Sessions where hundreds are configured."""


async def study_partner(bench: Bench) -> Rows:
    """Measure B's transcripts, its sessions and what they cost."""
    rows: Rows = []
    final_ms = 300.0
    async with running(bench, stt={"final_s": final_ms / 1000}) as (hub, _):
        async with aiohttp.ClientSession() as http:
            url = await _begin(http, hub)
        async with connected(hub, url) as client:
            measured = [await _transcribed(client) for _ in range(few(bench))]
        row = bench_row(
            "B transcript after speech", measured, engines_ms=[final_ms] * len(measured), critical_ms=final_ms,
            own_limit_ms=TRANSCRIPT_MS,
        )  # fmt: skip
        rows.append(judged(row, row["own_p50_ms"] <= TRANSCRIPT_MS, theirs="< 2 s"))
    async with running(bench) as (hub, _):
        rows.append(await _memory(hub))
    async with running(bench) as (hub, _):
        usual = await _fill(hub)
    async with running(bench, study={"max_sessions": MANY}) as (hub, _):
        many = await _fill(hub)
    rows.append(judged(count_row("B sessions at once", usual=usual, configured=many), (usual, many) == (10, MANY)))
    return rows


async def _begin(http: aiohttp.ClientSession, hub: HubProcess) -> str:
    """Begin a session; return the path of its WebSocket, "" where there are too many."""
    async with http.post(f"{hub.url}{STUDY}/sessions", params={"language": "en"}) as answer:
        return str((await answer.json())["websocket_url"]) if answer.status == 200 else ""


async def _fill(hub: HubProcess) -> int:
    async with aiohttp.ClientSession() as http:
        for count in range(MANY + 1):
            if not await _begin(http, hub):
                return count
    return MANY + 1


async def _transcribed(client: Client) -> float:
    began = 0.0
    for number in range(5):
        data = {"audio_data": tone(100).hex(), "is_final": number == 4, "chunk_index": number}
        began = await client.send(type="audio_chunk", data=data)
    while True:
        at = await client.until("transcription")
        if client.of("transcription")[-1]["data"]["is_final"]:
            return (at - began) * 1000


async def _memory(hub: HubProcess) -> Mapping[str, Any]:
    """Let ten people speak for two minutes each, as fast as the hub takes it, and look at what that costs."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        clients = [await stack.enter_async_context(connected(hub, await _begin(http, hub))) for _ in range(10)]
        second = tone(1000).hex()
        for client in clients:  # what the first audio loads is not a session's
            await client.send(type="audio_chunk", data={"audio_data": second})
            await client.until("chunk_received")
        before = hub.resident_mb()
        for _ in range(120):
            for client in clients:
                await client.send(type="audio_chunk", data={"audio_data": second})
                await client.until("chunk_received")
                client.forget()
        each = (hub.resident_mb() - before) / len(clients)
    row = count_row("B memory per active session", mb_each=round(each, 2), limit_mb=SESSION_MB)
    return judged(row, each <= SESSION_MB, theirs="< 100 MB")
