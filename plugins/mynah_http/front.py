"""What every request passes on its way in, and every answer on its way out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from weakref import WeakSet

from aiohttp import WSCloseCode, web

from mynah_http.access import Door
from mynah_http.answers import add_headers, error_response, from_exception
from mynah_http.notes import PROGRESS, introduce
from mynah_http.origins import Origins

log = logging.getLogger(__name__)
Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Progress:
    """How far a request has come: its time limit, and its answer once that has begun to be sent."""

    deadline: asyncio.Timeout | None
    response: web.StreamResponse | None = None


class Front:
    """The middlewares and signals of the server, and what it must know to stop in good order."""

    def __init__(self, door: Door, origins: Origins, *, timeout_s: float, shutdown_s: float) -> None:
        self._door = door
        self._origins = origins
        self._timeout_s = timeout_s
        self._shutdown_s = shutdown_s
        self._sockets: WeakSet[web.WebSocketResponse] = WeakSet()
        self._tasks: set[asyncio.Task[object]] = set()
        self._introduced = False

    def install(self, app: web.Application) -> None:
        """Put this in front of all routes of `app`."""
        app.middlewares.extend((self.answer_errors, self.limit_time, self.check))
        app.on_response_prepare.append(self.prepare)
        app.on_shutdown.append(self.close_sockets)

    @web.middleware
    async def answer_errors(self, request: web.Request, handler: Next) -> web.StreamResponse:
        """Send every error as JSON."""
        if not self._introduced:
            introduce(request)
            self._introduced = True
        if task := asyncio.current_task():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            return await handler(request)
        except web.HTTPException as error:
            begun = response_begun(request)
            if begun is None and error.status < 400:
                raise
            return from_exception(error, request) if begun is None else await cut(begun, request)
        except Exception as error:  # whatever a handler raises must neither end the server nor tell of its inside
            # That a client left is no failure, and nobody is left to read the answer.
            if not (isinstance(error, ConnectionError) and has_left(request)):
                log.exception("%s %s failed", request.method, pattern(request))
            begun = response_begun(request)
            return error_response(500, "internal error") if begun is None else await cut(begun, request)

    @web.middleware
    async def limit_time(self, request: web.Request, handler: Next) -> web.StreamResponse:
        """Limit the time until an answer begins; a stream or a WebSocket may then last as long as it likes."""
        try:
            async with asyncio.timeout(self._timeout_s) as deadline:
                progress = request[PROGRESS] = Progress(deadline)
                try:
                    return await handler(request)
                finally:
                    progress.deadline = None
        except TimeoutError:
            if not deadline.expired():
                raise
            if not request.content.is_eof():
                raise web.HTTPRequestTimeout(
                    text=f"the request did not arrive within {self._timeout_s:g} s", headers={"Connection": "close"}
                ) from None
            raise web.HTTPGatewayTimeout(text=f"the hub found no answer within {self._timeout_s:g} s") from None

    @web.middleware
    async def check(self, request: web.Request, handler: Next) -> web.StreamResponse:
        """Refuse what no route takes."""
        self._door.check(request)
        self._origins.check(request)
        preflight = self._origins.preflight(request)
        return await handler(request) if preflight is None else preflight

    async def prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """Note that the answer begins, and complete its headers."""
        progress: Progress | None = request.get(PROGRESS)
        if progress is not None:
            progress.response = response
            if progress.deadline is not None and not progress.deadline.expired():
                progress.deadline.reschedule(None)
        if isinstance(response, web.WebSocketResponse):
            self._sockets.add(response)
        else:
            add_headers(response, self._origins.headers(request))

    async def close_sockets(self, app: web.Application) -> None:
        """Say goodbye on every open WebSocket."""
        closing = [
            asyncio.create_task(socket.close(code=WSCloseCode.GOING_AWAY, message=b"the hub is stopping"))
            for socket in self._sockets
        ]
        if closing:
            _, late = await asyncio.wait(closing, timeout=self._shutdown_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*closing, return_exceptions=True)

    async def finish(self) -> None:
        """Wait until the requests that were cancelled have ended."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=1.0)
            if late:
                log.warning("%d requests did not stop", len(late))


def response_begun(request: web.Request) -> web.StreamResponse | None:
    """Return the answer that was being sent when a handler raised."""
    progress: Progress | None = request.get(PROGRESS)
    return progress.response if progress else None


async def cut(response: web.StreamResponse, request: web.Request) -> web.StreamResponse:
    """End an answer in its middle so that the client cannot take it for complete."""
    if isinstance(response, web.WebSocketResponse):
        await response.close(code=WSCloseCode.INTERNAL_ERROR, message=b"internal error", drain=False)
    elif request.transport is not None:
        request.transport.abort()
    return response


def has_left(request: web.Request) -> bool:
    """Return whether the client has closed the connection."""
    return request.transport is None or request.transport.is_closing()


def pattern(request: web.Request) -> str:
    """Return the path with its parameters unfilled; what they held is not for the log."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "a path without a route"
