"""What all dialects share: one socket, one session, what the client says into it, what it gives back to the client."""

from __future__ import annotations

import asyncio
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, suppress
from typing import Any, Final, Generic, TypeVar

from aiohttp import WSCloseCode, web

from mynah import Hub, InputError, MynahError, OutletOptions, Output, Session, SessionOptions
from mynah.sockets import Gone, Socket
from mynah_dialects.frames import Malformed, read_frame

log = logging.getLogger(__name__)

Message = Mapping[str, Any]
Frame = Message | bytes

T = TypeVar("T")

MOST_TURNS: Final = 100
"""Turns of which a dialect keeps something; a session has fewer than that under way."""

LEFT: Final = "its client left"


class Line:
    """One client's socket: JSON messages and audio out, frames in."""

    def __init__(self, request: web.Request, complain: Callable[[str], Message]) -> None:
        self._socket = Socket(request, lambda reason: _written(complain(reason)))

    @property
    def response(self) -> web.WebSocketResponse:
        """What the route's handler returns."""
        return self._socket.response

    async def open(self) -> None:
        """Shake hands."""
        await self._socket.prepare()

    async def send(self, *frames: Frame) -> None:
        """Send messages and audio. Raises `Gone`."""
        for frame in frames:
            await self._socket.send(frame if isinstance(frame, bytes) else _written(frame))

    async def receive(self) -> str | bytes | None:
        """Return the next frame, or None when the connection is over."""
        return await self._socket.receive()

    async def leave(self, status: int, reason: str) -> None:
        """Close the connection."""
        await self._socket.close(status, reason)

    def cut(self) -> None:
        """Cut the connection without a word."""
        self._socket.abort()


def _written(message: Message) -> str:
    return json.dumps(message, separators=(",", ":"))


class ByTurn(Generic[T]):
    """What a dialect keeps of each turn; of the oldest nothing once there are many.

    It outlives the turn's end: a reply is made long before it has sounded, and may still be interrupted.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._kept: dict[str, T] = {}

    def of(self, output: Output) -> T:
        """Return what is kept of an output's turn."""
        return self[output.turn_id]

    def __getitem__(self, turn_id: str) -> T:
        """Return what is kept of a turn."""
        if turn_id not in self._kept:
            self[turn_id] = self._make()
        return self._kept[turn_id]

    def __setitem__(self, turn_id: str, kept: T) -> None:
        """Keep something of a turn."""
        self._kept[turn_id] = kept
        if len(self._kept) > MOST_TURNS:
            del self._kept[next(iter(self._kept))]

    def __iter__(self) -> Iterator[str]:
        """Yield the turns of which something is kept."""
        return iter(tuple(self._kept))


class Dialect(ABC):
    """One client that speaks a dialect: its session, and the translation both ways.

    A session that the hub ends while the client stays (it was idle for long) is followed by a new one.
    """

    def __init__(self, hub: Hub, line: Line, section: Mapping[str, Any], outlet: OutletOptions) -> None:
        self.hub = hub
        self.line = line
        self.section = section
        self.outlet = outlet
        self.session: Session
        self.session_id = ""

    # ------------------------------------------------------------ what a dialect says

    @abstractmethod
    def options(self) -> SessionOptions:
        """Return how this client's conversation is to be held."""

    @abstractmethod
    async def take(self, message: dict[str, Any]) -> None:
        """Do what a message asks for. Raises `MynahError`, which the client is told of."""

    @abstractmethod
    def frames(self, output: Output) -> Iterable[Frame]:
        """Return what one output of the session is on this wire."""

    @abstractmethod
    def complaint(self, reason: str, about: Mapping[str, Any]) -> Message:
        """Return this dialect's error, about a message."""

    def greeting(self) -> Iterable[Frame]:
        """Return what is sent when the client has connected."""
        return ()

    @abstractmethod
    def began(self) -> None:
        """Make ready for a session that has just begun."""

    # ------------------------------------------------------------ the connection

    async def meet(self) -> bool:
        """Begin the session; return whether that went well, else the client was told why not. Raises `Gone`."""
        try:
            self._take_up(self.begin())
        except MynahError as error:
            await self.line.send(self.complaint(str(error), {}))
            return False
        await self.line.send(*self.greeting())
        return True

    def begin(self) -> Session:
        """Return the session of this connection. Raises `MynahError`."""
        return self.hub.open_session(self.options())

    def end(self) -> None:
        """Let go of the session: the client has left."""
        with suppress(InputError):  # it has ended already
            self.hub.close_session(self.session.id, LEFT)

    async def hear(self, frame: dict[str, Any] | Malformed) -> None:
        """Do what a frame asks for, or tell the client what is wrong with it. Raises `Gone`."""
        try:
            if isinstance(frame, Malformed):
                raise frame
            await self.take(frame)
        except MynahError as error:
            await self.line.send(self.complaint(str(error), {} if isinstance(frame, Malformed) else frame))

    async def speak_on(self) -> None:
        """Send what the session gives, and what the one that follows it does, until the client is gone."""
        try:
            while True:
                await self.speak()
                if not self.session.closed:
                    await self.line.leave(WSCloseCode.POLICY_VIOLATION, "another connection took this session over")
                    return
                if not await self.go_on():
                    return
        except Gone:
            self.line.cut()

    async def speak(self) -> None:
        """Send what the session gives, until it ends or another connection takes it over. Raises `Gone`."""
        async with aclosing(self.session.outputs(self.outlet)) as outputs:
            async for output in outputs:
                await self.line.send(*self.frames(output))

    async def go_on(self) -> bool:
        """Begin another session, as the hub ended the one before; return whether that went well."""
        try:
            self._take_up(self.begin())
        except MynahError as error:
            await self.line.send(self.complaint(str(error), {}))
            await self.line.leave(WSCloseCode.GOING_AWAY, str(error))
            return False
        return True

    def _take_up(self, session: Session) -> None:
        self.session, self.session_id = session, session.id
        self.began()


async def converse(
    line: Line, *dialects: Dialect, which: Callable[[Mapping[str, Any]], Dialect] | None = None
) -> web.WebSocketResponse:
    """Converse over a line that is open, in the one dialect there is or in that which each frame is of.

    A dialect's session begins with the connection, or where there are several with its first frame.
    """
    speaking: dict[Dialect, asyncio.Task[None]] = {}

    async def there(dialect: Dialect, tasks: asyncio.TaskGroup) -> bool:
        if dialect not in speaking and await dialect.meet():
            speaking[dialect] = tasks.create_task(dialect.speak_on())
        return dialect in speaking

    try:
        async with asyncio.TaskGroup() as tasks:
            try:
                if which is None:
                    await there(dialects[0], tasks)
                while (data := await line.receive()) is not None:
                    frame = _read(data)
                    dialect = dialects[0] if which is None else which({} if isinstance(frame, Malformed) else frame)
                    if await there(dialect, tasks):
                        await dialect.hear(frame)
            except Gone:
                log.debug("a client left in mid-send")
            finally:
                for task in speaking.values():
                    task.cancel()
    finally:
        for dialect in speaking:
            dialect.end()
    return line.response


def _read(data: str | bytes) -> dict[str, Any] | Malformed:
    try:
        return read_frame(data)
    except Malformed as error:
        return error
