"""The answers of `/chat/completions`, streamed or whole, as pieces of one form."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from mynah_openai.events import body, events
from mynah_openai.server import content_type
from mynah_openai.troubles import Cut


@dataclass(frozen=True, slots=True)
class Piece:
    """What one chunk brings: text, pieces of tool calls as the API has them, and why the reply ended."""

    text: str = ""
    calls: Any = None
    finish: str = ""


async def pieces(response: Any) -> AsyncGenerator[Piece, None]:
    """Yield what the chunks of a response bring; a server that does not stream gives one for the whole.

    Raises `Cut` for a stream that ends without a word of its being complete.
    """
    if content_type(response) == "application/json":
        yield _piece(json.loads(await body(response)), "message")
        return
    complete = False
    async with aclosing(events(response)) as chunks:
        async for chunk in chunks:
            piece = _piece(chunk, "delta")
            complete = complete or chunk is None or bool(piece.finish)
            yield piece
    if not complete:
        raise Cut


def _piece(chunk: Any, key: str) -> Piece:
    """Read one chunk; those without a choice, such as the one that tells the usage, bring nothing."""
    choices = chunk.get("choices") if isinstance(chunk, Mapping) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, Mapping):
        return Piece()
    delta = choice.get(key)
    delta = delta if isinstance(delta, Mapping) else {}
    finish = choice.get("finish_reason")
    # A model's thoughts come as `reasoning_content` or `reasoning`; they are not for the listener.
    text = _text(delta.get("content")) or _text(delta.get("refusal"))
    return Piece(text, delta.get("tool_calls"), finish if isinstance(finish, str) else "")


def _text(content: Any) -> str:
    """Return content as text; some give it in parts, thoughts among them."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    return "".join(
        part["text"]
        for part in parts
        if isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("text"), str)
    )
