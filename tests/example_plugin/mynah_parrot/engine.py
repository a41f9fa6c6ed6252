"""The language model: whatever it is told, it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mynah import Grounding, Message, ReplyNote, Token
from mynah_parrot.words import repeated

SQUAWK = "Squawk!"


@asynccontextmanager
async def open_parrot(config: Mapping[str, Any], folder: Path) -> AsyncIterator[Parrot]:
    """Open the engine; it needs nothing, so `folder` stays empty."""
    yield Parrot(config["times"], config["pause_ms"] / 1000)


@dataclass(frozen=True, slots=True)
class Parrot:
    """Repeats the last message. It keeps nothing between calls, so any number of them may run at once."""

    times: int = 1
    pause_s: float = 0.0

    async def reply(
        self, messages: Sequence[Message], *, grounding: Grounding, tools: Sequence[object] = ()
    ) -> AsyncIterator[Token | ReplyNote]:
        """Yield what was said, word by word; to silence and to audio it squawks."""
        content = messages[-1].content if messages else ""
        said = content.strip() if isinstance(content, str) else ""
        yield ReplyNote("answered" if said else "unknown")
        for word in repeated(said or SQUAWK, self.times):
            await asyncio.sleep(self.pause_s)
            yield Token(word)
