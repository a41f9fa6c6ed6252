"""What the bench measures of C, D and E: the clinic interpreter, the news agent, the speech console."""

from __future__ import annotations

import base64
from typing import Final

from mynah import LISTENING, Bench
from mynah.audio import wav_header
from mynah.testing import Calls, bench_row, took
from mynah_dialects.bench_client import Client, connected, kind_of, running, tone, words
from mynah_dialects.bench_rows import FEEDBACK_MS, ONE, OWN_MS, Rows, count_row, few, judged, own_row, ratio_row

WORDY: Final = ("Lions", " eat", " meat", ",", " zebras", " and", " more", ".")
STEPS: Final = 6
"""Messages of a request of the interpreter before its last one."""


async def clinic_interpreter(bench: Bench) -> Rows:
    """Measure C's requests in both modes."""
    translate_ms, voice_ms = 500.0, 600.0
    engines = {"translator": {"first_s": translate_ms / 1000}, "tts": {"first_s": 0.3, "total_s": voice_ms / 1000}}
    rows: Rows = []
    async with running(bench, **engines) as (hub, calls):
        for path, name in (("/ws", "C"), ("/ws/parallel", "C parallel")):
            async with connected(hub, path) as client:
                rows += await _interpreted(bench, client, calls, name, translate_ms + voice_ms)
    return rows


async def _interpreted(bench: Bench, client: Client, calls: Calls, name: str, critical_ms: float) -> Rows:
    feedback, whole, engines, told = [], [], [], []
    letter = name[-1]
    for word, _ in zip(words(), range(few(bench)), strict=False):
        word += letter
        client.forget()
        began = await client.send(source_lang="en", target_lang="es", text=f"lions eat {word}")
        whole.append((await client.until("translation_complete") - began) * 1000)
        feedback.append((client.at("processing_started") - began) * 1000)
        told.append(len(client.frames) - 1)
        tongue = calls.by_word("script_translator")[word][0]
        mouth = calls.by_word("script_tts")[word.upper()][0]
        engines.append(tongue.took_ms[-1] + mouth.took_ms[-1])
    first = bench_row(f"{name} feedback", feedback, limit_ms=FEEDBACK_MS)
    updates = count_row(f"{name} progress updates", updates=min(told))
    return [
        judged(first, first["p50_ms"] <= FEEDBACK_MS, before="5–11 s", theirs="0.1 s"),
        ratio_row(f"{name} whole request", whole, engines, critical_ms, before="5–11 s", theirs="2–5 s"),
        judged(updates, min(told) == STEPS, before="0", theirs="4–6"),
    ]


# ---------------------------------------------------------------- D


async def news_agent(bench: Bench) -> Rows:
    """Measure D's first audio."""
    voice = {"first_s": 0.2, "total_s": 0.8, "codec": "mp3"}
    measured, asked = [], []
    async with (
        running(bench, llm={"tokens": list(ONE)}, tts=voice) as (hub, calls),
        connected(hub, "/ws/voice?user_id=bench") as client,
    ):
        await client.until("connected")
        for word, _ in zip(words(), range(few(bench)), strict=False):
            client.forget()
            data = {"session_id": "", "command": f"what do lions eat {word}"}
            began = await client.send(event="voice_command", data=data)
            await client.until("streaming_complete")
            measured.append((client.at("tts_chunk") - began) * 1000)
            asked.append(word)
        minds, mouths = calls.by_word("script_llm"), calls.by_word("script_tts")
    engines = [took(minds[word][0], 1) + took(mouths[word][0], 1) for word in asked]
    return [own_row("D first audio", measured, engines, 200, OWN_MS, before="0.95 s", theirs="0.2 s")]


# ---------------------------------------------------------------- E


async def speech_console(bench: Bench) -> Rows:
    """Measure E's first token, word and audio."""
    samples = tone(500)
    wav = base64.b64encode(wav_header(LISTENING, len(samples)) + samples).decode()
    tokens_until = {"token": 1, "word": 2, "audio": WORDY.index(",") + 1}
    measured: dict[str, list[float]] = {name: [] for name in tokens_until}
    script = {"first_s": 0.095, "each_s": 0.04, "tokens": list(WORDY)}
    async with (
        running(bench, llm=script, tts={"first_s": 0.05, "total_s": 0.1}) as (hub, calls),
        connected(hub, "/ws/speech") as client,
    ):
        await client.until("connection")
        for number in range(few(bench)):
            client.forget()
            began = await client.send(type="speech_to_speech", audio_data=wav, conversation_id=f"c{number}")
            await client.until("chunked_streaming_complete")
            tokens = [
                t for frame, t in zip(client.frames, client.times, strict=True) if kind_of(frame) == "token_chunk"
            ]
            arrived = {"token": tokens[0], "word": tokens[1], "audio": client.at("chunked_streaming_audio")}
            for name, at in arrived.items():
                measured[name].append((at - began) * 1000)
        minds = calls.of("script_llm")
        mouths = [call for call in calls.of("script_tts") if call.text.startswith("Lions")]
        mouths.sort(key=lambda call: call.began)
    rows: Rows = []
    theirs = {"token": "95 ms", "word": "187 ms", "audio": "290 ms"}
    for name, count in tokens_until.items():
        engines = [took(mind, count) for mind in minds]
        critical = 95.0 + (count - 1) * 40.0
        if name == "audio":
            engines = [mind + took(mouth, 1) for mind, mouth in zip(engines, mouths, strict=True)]
            critical += 50.0
        rows.append(own_row(f"E first {name}", measured[name], engines, critical, OWN_MS, theirs=theirs[name]))
    return rows
