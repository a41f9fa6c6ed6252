"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), up to the end of the response.

The client library's own reader hangs up at `[DONE]`, one moment before the response is complete, and so loses the
connection; here it is kept for the next request.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Final

from mynah_openai.troubles import Cut, Stopped, Strange

END_S: Final = 0.05
"""How long the end of a response is waited for once all has been said."""

MAX_ANSWER: Final = 16 * 1024 * 1024
"""The longest event, and the longest answer that is no stream, in bytes; what is longer is neither."""


async def events(response: Any) -> AsyncGenerator[Any, None]:
    """Yield the data of each event of a response, parsed, up to its end; None last where the server says `[DONE]`.

    The data is taken as it is: checking each token against a model of the API takes longer than all else here. Raises
    `Stopped` for an event that reports an error, `Cut` for one that is not whole at the end, and `Strange` or
    `ValueError` for what is no event or no JSON.
    """
    reader = EventReader()
    async with aclosing(response.iter_bytes()) as received:
        async for piece in received:
            for data in reader.feed(piece):
                if data.startswith("[DONE]"):
                    await _read_on(received)
                    yield None
                    return
                yield _parsed(data)
    for data in reader.end():
        yield None if data.startswith("[DONE]") else _last(data)


async def body(response: Any) -> bytes:
    """Return the whole of a response that is no stream. Raises `Strange` where it has no end."""
    read = bytearray()
    async with aclosing(response.iter_bytes()) as received:
        async for piece in received:
            read += piece
            if len(read) > MAX_ANSWER:
                raise Strange("an answer without end")
    return bytes(read)


class EventReader:
    """Takes a stream in pieces cut anywhere and gives the data of each event."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[str] = []
        self._size = 0
        self._after_return = False

    def feed(self, piece: bytes) -> Iterator[str]:
        """Yield the data of the events that `piece` completes. Raises `Strange` or `ValueError` for what is none."""
        if piece and self._after_return:
            self._after_return = False
            piece = piece.removeprefix(b"\n")  # it belongs to the return before it
        self._after_return = self._after_return or piece.endswith(b"\r")
        self._line += piece
        if len(self._line) + self._size > MAX_ANSWER:
            raise Strange("an event without end")
        if not (b"\n" in piece or b"\r" in piece):
            return
        # Bytes are split at line feeds and returns only, as JSON may hold the other line ends of Unicode.
        lines = bytes(self._line).splitlines(keepends=True)
        self._line.clear()
        if not lines[-1].endswith((b"\n", b"\r")):
            self._line += lines.pop()
        for line in lines:
            yield from self._take(line.rstrip(b"\r\n"))

    def end(self) -> Iterator[str]:
        """Yield what the end of the stream completes; some servers leave out the last empty line."""
        yield from self._take(bytes(self._line))
        yield from self._take(b"")

    def _take(self, line: bytes) -> Iterator[str]:
        if not line:
            if data := "\n".join(self._data):
                yield data
            self._data.clear()
            self._size = 0
        elif line.startswith(b"data:"):
            self._size += len(line)
            self._data.append(line[5:].removeprefix(b" ").decode())


def _parsed(data: str) -> Any:
    parsed = json.loads(data)
    if isinstance(parsed, Mapping) and parsed.get("error"):
        raise Stopped(parsed)
    return parsed


def _last(data: str) -> Any:
    try:
        return _parsed(data)
    except ValueError:
        raise Cut from None


async def _read_on(received: AsyncIterator[bytes]) -> None:
    """Read up to the end of the response, which is all but there."""
    try:
        async with asyncio.timeout(END_S):
            async for _ in received:
                pass
    except TimeoutError:
        return  # it is closed then, and with it its connection
