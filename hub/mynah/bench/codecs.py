"""The scenario `codecs`: what conversions of audio cost, and after how much audio the first of it comes out."""

from __future__ import annotations

import asyncio
import math
import statistics
import time
from collections.abc import Mapping
from typing import Any, Final

from mynah.audio import AudioFormat, converter
from mynah.bench.plan import FRAME_MS, Plan, Rows
from mynah.testing.rows import bench_row

SECONDS: Final = 10
PCM_22: Final = AudioFormat("pcm_s16le", 22_050, 1)
PCM_16: Final = AudioFormat("pcm_s16le", 16_000, 1)
PCM_48: Final = AudioFormat("pcm_s16le", 48_000, 1)
MP3: Final = AudioFormat("mp3", 24_000, 1)
CONVERSIONS: Final = (
    ("mp3 → pcm", MP3, PCM_16),
    ("pcm → mp3", PCM_22, MP3),
    ("pcm → opus", PCM_48, AudioFormat("opus", 48_000, 1)),
    ("pcm → adpcm", PCM_16, AudioFormat("ima_adpcm", 16_000, 1)),
    ("22050 → 16000 Hz", PCM_22, PCM_16),
)


async def measure(plan: Plan) -> Rows:
    """Convert ten seconds again and again, in pieces of 20 ms."""
    rows = []
    for name, source, target in CONVERSIONS:
        plan.tell(f"codecs, {name}")
        pieces = _pieces(source)
        _convert(pieces, source, target)  # codecs are loaded when they are first used
        found = []
        for _ in range(min(plan.runs, 10)):
            found.append(_convert(pieces, source, target))
            await asyncio.sleep(0)
        rows.append(_row(name, found))
    return rows


def _row(name: str, found: list[tuple[float, float, float]]) -> Mapping[str, Any]:
    whole = [each[0] for each in found]
    return bench_row(
        f"codec {name}",
        whole,
        audio_s=SECONDS,
        times_real_time=round(SECONDS * 1000 / statistics.median(whole)),
        first_output_ms=round(statistics.median(each[1] for each in found), 3),
        first_output_after_audio_ms=round(found[0][2], 1),
    )


def _convert(pieces: list[bytes], source: AudioFormat, target: AudioFormat) -> tuple[float, float, float]:
    """Return the milliseconds that it all took, those to the first output, and those of audio fed until then."""
    began = time.perf_counter()
    convert = converter(source, target)
    first_ms, fed_ms = math.nan, math.nan
    for number, piece in enumerate(pieces, 1):
        if convert.feed(piece) and math.isnan(first_ms):
            first_ms, fed_ms = (time.perf_counter() - began) * 1000, number * SECONDS * 1000 / len(pieces)
    convert.flush()
    return (time.perf_counter() - began) * 1000, first_ms, fed_ms


def _pieces(format: AudioFormat) -> list[bytes]:
    """Return ten seconds of a tone in about as many pieces as there are frames of 20 ms in them."""
    pcm = b"".join(
        int(8_000 * math.sin(2 * math.pi * 440 * sample / PCM_16.rate)).to_bytes(2, "little", signed=True)
        for sample in range(PCM_16.rate * SECONDS)
    )
    convert = converter(PCM_16, format)
    data = b"".join(chunk.data for chunk in [*convert.feed(pcm), *convert.flush()])
    step = max(format.frame_bytes if format.is_pcm else 1, -(-len(data) // int(SECONDS * 1000 / FRAME_MS)))
    step -= step % format.frame_bytes if format.is_pcm else 0
    return [data[start : start + step] for start in range(0, len(data), step)]
