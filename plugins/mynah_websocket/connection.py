"""One client's connection, from its hello to its end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import Final

from aiohttp import web

from mynah import AudioError, Hub, InputError, LimitError, MynahError, OutletOptions, Session
from mynah.sockets import Gone, Socket
from mynah_websocket import hub_messages as say
from mynah_websocket.admission import Admission, Identity, Refused, admit
from mynah_websocket.client_messages import Bye, Hello, Unreadable, decode
from mynah_websocket.clock import hub_ms
from mynah_websocket.complaints import Complaints
from mynah_websocket.inbound import Inbound, NotListening
from mynah_websocket.outbound import Outbound
from mynah_websocket.schema import name_of

log = logging.getLogger(__name__)

HELLO_LIMIT_S: Final = 10.0
CODES: Final[tuple[tuple[type[MynahError], str], ...]] = (
    (NotListening, "not_listening"),
    (LimitError, "limit"),
    (AudioError, "audio"),
    (InputError, "invalid"),
    (MynahError, "failed"),
)
"""The code of an error by its class; the first that fits counts."""


async def serve(hub: Hub, request: web.Request) -> web.WebSocketResponse:
    """Hold a conversation over the native protocol."""
    socket = Socket(request, _too_big)
    await socket.prepare()
    try:
        await Connection(hub, request, socket).run()
    except Gone:
        log.debug("%s is gone", request.remote)
    return socket.response


class Connection:
    """Joins one socket to one session. The session outlives it: only `bye` ends both."""

    def __init__(self, hub: Hub, request: web.Request, socket: Socket) -> None:
        self._hub = hub
        self._socket = socket
        self._identity: Identity | None = request.get("access")
        self._complaints = Complaints()
        self._leaving = False
        self._bye_said = False

    async def run(self) -> None:
        """Converse until either side ends it. Raises `Gone` where the client is lost."""
        try:
            hello, admission = await self._meet()
        except Refused as refused:
            await self._leave(str(refused), refused.code, refused.status)
            return
        session = admission.session
        await self._send(_welcome(hello, admission))
        options = OutletOptions(formats=hello.plays, buffer_ms=hello.buffer_ms, tracks=hello.tracks)
        async with asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(self._speak(session, options, resume=admission.resumed))
            try:
                await self._hear(session, Inbound(session, hello.records))
            except Gone:
                log.debug("session %s: its client is gone", session.id)
            finally:
                if not self._leaving:
                    speaking.cancel()

    # ------------------------------------------------------------ the beginning

    async def _meet(self) -> tuple[Hello, Admission]:
        """Return a valid hello and its session. Raises `Refused`, and `Gone` where the client leaves before."""
        try:
            async with asyncio.timeout(HELLO_LIMIT_S):
                while True:
                    hello = await self._hello(await self._socket.receive())
                    if hello is None:
                        continue
                    try:
                        return hello, admit(self._hub, self._identity, hello)
                    except InputError as error:
                        await self._complain(error, "hello")
        except TimeoutError:
            raise Refused(f"no valid hello came within {HELLO_LIMIT_S:g} seconds", "no_hello", 4408) from None

    async def _hello(self, frame: str | bytes | None) -> Hello | None:
        if frame is None:
            raise Gone
        if isinstance(frame, bytes):
            await self._complain(InputError("the first message must be hello"), "audio")
            return None
        try:
            message = decode(frame)
        except Unreadable as error:
            await self._complain(error, error.about)
            return None
        if not isinstance(message, Hello):
            await self._complain(InputError("the first message must be hello"), name_of(type(message)))
            return None
        return message

    # ------------------------------------------------------------ the two directions

    async def _speak(self, session: Session, options: OutletOptions, *, resume: bool) -> None:
        """Send what the session gives, until another connection takes it over or it ends."""
        outbound = Outbound(resumed=resume)
        try:
            async with aclosing(session.outputs(options, resume=resume)) as outputs:
                async for output in outputs:
                    for frame in outbound.frames(output):
                        await self._send(frame)
            if self._bye_said:
                return
            if session.closed:
                await self._leave("the hub ended this session", "session_ended", 1001)
            else:
                await self._leave("another connection resumed this session", "taken_over", 4409)
        except Gone:
            log.debug("session %s: its client left in mid-send", session.id)
            self._socket.abort()

    async def _hear(self, session: Session, inbound: Inbound) -> None:
        """Take what the client sends, until it says bye or is gone."""
        while (frame := await self._socket.receive()) is not None:
            if isinstance(frame, bytes):
                try:
                    inbound.audio(frame)
                except MynahError as error:
                    await self._complain(error, "audio")
                continue
            received_ms = hub_ms()
            about: str | None = None
            try:
                message = decode(frame)
                about = name_of(type(message))
                if isinstance(message, Bye):
                    await self._bye(session)
                    return
                answer = inbound.take(message, received_ms)
            except MynahError as error:
                await self._complain(error, error.about if isinstance(error, Unreadable) else about)
                continue
            if answer is not None:
                await self._send(answer)

    # ------------------------------------------------------------ errors and the end

    async def _complain(self, error: MynahError, about: str | None) -> None:
        """Tell the client what was wrong; a flood of errors is only counted."""
        now = hub_ms() / 1000
        summary = self._complaints.summary(now)
        if summary is not None:
            await self._send(say.Error(message=summary, code="too_many_errors", closes=False))
        if self._complaints.admit(now):
            code = next(code for kind, code in CODES if isinstance(error, kind))
            about = about[:64] if about else None
            await self._send(say.Error(message=str(error), code=code, closes=False, re=about))

    async def _send(self, frame: say.HubMessage | bytes) -> None:
        await self._socket.send(frame if isinstance(frame, bytes) else say.encode(frame))

    async def _bye(self, session: Session) -> None:
        self._bye_said = True
        try:
            self._hub.close_session(session.id, "bye")
        except InputError:
            log.debug("session %s had ended before its client said bye", session.id)
        await self._socket.close(reason="bye")

    async def _leave(self, message: str, code: str, status: int) -> None:
        self._leaving = True
        await self._send(say.Error(message=message, code=code, closes=True))
        await self._socket.close(status, message)


def _too_big(reason: str) -> str:
    return say.encode(say.Error(message=reason, code="too_big", closes=True))


def _welcome(hello: Hello, admission: Admission) -> say.Welcome:
    return say.Welcome(
        version=hello.version,
        session=admission.session.id,
        resumed=admission.resumed,
        persona=admission.persona,
        language=admission.language,
        plays=hello.plays[0] if hello.plays else None,
        hub_time=hub_ms(),
    )
