"""How one phrase gets its voice from a chain of engines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from mynah.audio import AudioChunk
from mynah.engines.chain import Chain, Meter, closing
from mynah.values import Voice, WordMark

TakeBack = Callable[[float], bool]
"""Cuts the audio of a phrase from that millisecond of it on; False where some of that was sent already."""


async def say_phrase(
    chain: Chain, text: str, *, voice: Voice, language: str, total: float, meter: Meter, take_back: TakeBack
) -> AsyncIterator[AudioChunk | WordMark]:
    """Yield the audio of `text`, and its words' marks where the engine gives them.

    `total` is the limit for the whole of it in seconds. Raises `EngineError`.
    """
    stream = chain.stream(
        lambda engine: engine.synthesize(text, voice=voice, language=language), total=total, meter=meter
    )
    async with closing(stream) as items:
        async for item in items:
            yield item
