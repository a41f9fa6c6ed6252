"""What transports over WebSockets share: one client's connection, and reading its JSON frames.

Importing this imports aiohttp, so plugins do it when the first client comes.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from aiohttp import ClientConnectionError, WSCloseCode, web

from mynah.errors import InputError

log = logging.getLogger(__name__)

LARGEST_FRAME: Final = 16 * 1024 * 1024
TOO_BIG: Final = "a frame may have 16 MiB"
HEARTBEAT_S: Final = 20.0
SEND_LIMIT_S: Final = 30.0
CLOSE_LIMIT_S: Final = 2.0
LINGER_S: Final = 1.0
SHOWN: Final = 40
"""How much of a wrong value an error repeats, in characters."""


class Gone(Exception):
    """The client is not there any more, or does not take what it is sent."""


class _Response(web.WebSocketResponse):
    """Says why where aiohttp itself closes: it does so within `receive`, and gives no reason."""

    def __init__(self, too_big: Callable[[str], str], **options: Any) -> None:
        super().__init__(**options)
        self._too_big = too_big

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        if code == WSCloseCode.MESSAGE_TOO_BIG and not self.closed:
            message = TOO_BIG.encode()
            # The client is still sending. Closed now, it would get a reset connection and never read why; so what it
            # sends is thrown away for a moment.
            with suppress(ConnectionError, ClientConnectionError):
                await self.send_str(self._too_big(TOO_BIG))
                await asyncio.sleep(LINGER_S)
        elif code == WSCloseCode.INVALID_TEXT:
            message = b"a text frame was not UTF-8"
        return await super().close(code=code, message=message, drain=drain)


class Socket:
    """One client's connection. Open it with `prepare`; `receive` until it gives None.

    A frame above 16 MiB closes it, after the frame that `too_big` makes of the reason.
    """

    def __init__(self, request: web.Request, too_big: Callable[[str], str]) -> None:
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._dropped = False
        # Speech is dense already: compressing it again only costs time on both sides. aiohttp refuses a frame that
        # reaches its limit.
        self._ws = _Response(
            too_big, max_msg_size=LARGEST_FRAME + 1, heartbeat=HEARTBEAT_S, compress=False, timeout=CLOSE_LIMIT_S
        )

    @property
    def response(self) -> web.WebSocketResponse:
        """What the route's handler returns."""
        return self._ws

    async def prepare(self) -> None:
        """Shake hands. Raises aiohttp's `HTTPException` where the request is no WebSocket's."""
        await self._ws.prepare(self._request)

    async def receive(self) -> str | bytes | None:
        """Return the next frame, text or binary, or None when the connection is over."""
        message = await self._ws.receive()
        if message.type in (web.WSMsgType.TEXT, web.WSMsgType.BINARY):
            data: str | bytes = message.data
            return data
        return None

    async def send(self, frame: str | bytes) -> None:
        """Send a frame, text or binary. Raises `Gone`; a client that takes nothing for 30 s is dropped."""
        # Nearly no frame waits. A timer of the loop costs a tenth of `asyncio.timeout`, and cutting the connection ends
        # the wait as well as a cancellation would.
        limit = self._loop.call_later(SEND_LIMIT_S, self._drop)
        try:
            if isinstance(frame, bytes):
                await self._ws.send_bytes(frame)
            else:
                await self._ws.send_str(frame)
        except (ConnectionError, ClientConnectionError):
            raise Gone from None
        finally:
            limit.cancel()
        if self._dropped:
            raise Gone

    def _drop(self) -> None:
        if self._dropped:
            return
        self._dropped = True
        log.warning("%s took nothing for %g s and was dropped", self._request.remote, SEND_LIMIT_S)
        self.abort()

    async def close(self, status: int = WSCloseCode.OK, reason: str = "") -> None:
        """Say goodbye, and wait a little for the answer. `receive` gives None from now on."""
        # The protocol allows 123 bytes for a reason.
        await self._ws.close(code=status, message=reason.encode()[:123])

    def abort(self) -> None:
        """Cut the connection without a word."""
        if self._request.transport is not None:
            self._request.transport.abort()


def json_object(frame: str, limit: int) -> dict[str, Any]:
    """Read a text frame of up to `limit` characters as a JSON object. Raises `InputError` saying what it is not."""
    if len(frame) > limit:
        raise InputError(f"a text frame of {len(frame):,} characters is too long; {limit:,} are allowed")
    try:
        data = json.loads(frame)
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error}") from None
    except (ValueError, RecursionError):
        # A number of thousands of digits, or brackets nested thousands deep.
        raise InputError("not JSON that can be read: a number too long or brackets nested too deep") from None
    if not isinstance(data, dict):
        raise InputError(f"not a JSON object but {shown(data)}")
    return data


def shown(value: Any) -> str:
    """Return a short picture of a wrong value for an error: plain characters only, cut."""
    text = ascii(value if not isinstance(value, str) else value[:SHOWN])
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
