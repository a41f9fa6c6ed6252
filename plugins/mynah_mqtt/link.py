"""The hub's connection to its broker: made again whenever it is lost, with growing pauses."""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import ssl
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiomqtt

from mynah_mqtt.client import Client, connection
from mynah_mqtt.followed import Followed
from mynah_mqtt.outbox import Outbox
from mynah_mqtt.said import Said
from mynah_mqtt.topics import Topics
from mynah_mqtt.troubles import explain, own_expiry

log = logging.getLogger(__name__)
library = logging.getLogger(f"{__name__}.library")

PAUSES_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
STEADY_S: Final = 30.0
"""How long a connection must have stood for the next pause to be a short one."""

TIMEOUT_S: Final = 10.0
KEEP_ALIVE_S: Final = 20
INCOMING: Final = 5_000
REPEAT_S: Final = 600.0
LATE_S: Final = 60.0
"""How long the hub may have been away for what waited for it to be done still."""

CATCHING_UP_S: Final = 3.0
STAMP_S: Final = 10.0
NO_DELAY: Final = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
"""An answer after an acknowledgement would wait for the other side's delayed one: up to 40 ms."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the broker is, and who the hub is there. `persistent` has it keep commands while the hub is away.

    `shown` is the address for people, where that is another than the hub's own way in.
    """

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    persistent: bool = True
    certificate: Path | None = None
    shown: str = ""

    @property
    def url(self) -> str:
        """The broker's address for people."""
        return self.shown or f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


class Link:
    """Publishes what is in the outbox, and hands on what comes: `receive(topic, payload, retained)`.

    `stamp` is a file whose time says when the hub was last connected; `followed` are topics of other parts of the hub;
    `beside` runs with each connection.
    """

    def __init__(
        self,
        target: Target,
        topics: Topics,
        outbox: Outbox,
        receive: Callable[[str, bytes, bool], None],
        stamp: Path | None = None,
        followed: Followed | None = None,
        *,
        beside: Callable[[Client], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self.connected = False
        self._followed = followed or Followed()
        self._target = target
        self._topics = topics
        self._outbox = outbox
        self._receive = receive
        self._stamp = stamp
        self._beside = beside
        self._since = 0.0
        self._away_s = 0.0
        self._seen: float | None = None
        self._told: tuple[str, float] = ("", 0.0)
        self._said = Said()

    @property
    def catching_up(self) -> bool:
        """Whether what comes now may have waited for the hub for longer than it is worth."""
        return self._away_s > LATE_S and time.monotonic() - self._since < CATCHING_UP_S

    async def run(self) -> None:
        """Stay connected until cancelled."""
        library.setLevel(logging.CRITICAL)  # what matters is said here, in the hub's words
        failures = 0
        while True:
            began = time.monotonic()
            try:
                await self._stay()
            except* (aiomqtt.MqttError, OSError, TimeoutError, ValueError) as group:
                self._complain(_first(group))
            finally:
                if self.connected:
                    self._seen = time.monotonic()
                self.connected = False
            failures = 0 if time.monotonic() - began > STEADY_S else failures + 1
            await asyncio.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)] * random.uniform(0.5, 1.0))

    def _client(self) -> Client:
        target = self._target
        return Client(
            target.host,
            target.port,
            identifier=target.client_id,
            username=target.username,
            password=target.password,
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=not target.persistent,
            tls_context=target.tls,
            timeout=TIMEOUT_S,
            keepalive=KEEP_ALIVE_S,
            will=aiomqtt.Will(self._topics.hub("availability"), "offline", 1, True),
            max_queued_incoming_messages=INCOMING,
            socket_options=[NO_DELAY],
            logger=library,
        )

    async def _stay(self) -> None:
        certificate = self._target.certificate
        if certificate is not None and own_expiry(certificate):
            raise TimeoutError  # as it would be: of TLS 1.3 the library only sees that no answer comes
        client = self._client()
        try:
            async with connection(client):
                await self._converse(client)
        finally:
            for message in client.rest():
                self._receive_one(message)

    async def _converse(self, client: Client) -> None:
        codes = await client.through(client.subscribe([(topic, 1) for topic in self._topics.followed]))
        if any(getattr(code, "value", code) >= 0x80 for code in codes):
            log.warning("the broker does not let the hub read all of %s/#; see its access rules", self._topics.base)
        self._note_connected()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publish(client), name="mqtt: publishing")
            group.create_task(self._take(client), name="mqtt: receiving")
            group.create_task(self._keep_stamp(), name="mqtt: stamp")
            group.create_task(self._follow(client), name="mqtt: following")
            if self._beside is not None:
                group.create_task(self._beside(client), name="mqtt: Home Assistant")

    async def _follow(self, client: Client) -> None:
        """Subscribe to what other parts of the hub follow."""
        known: list[str] = []
        while True:
            fresh = await self._followed.more(known)
            known += fresh
            codes = await client.through(client.subscribe([(topic, 1) for topic in fresh]))
            if any(getattr(code, "value", code) >= 0x80 for code in codes):
                log.warning("the broker does not let the hub read %s; see its access rules", ", ".join(fresh))

    def _note_connected(self) -> None:
        self._away_s = self._away()
        self._since = time.monotonic()
        self.connected = True
        self._told = ("", 0.0)
        log.info("connected to the broker at %s", self._target.url)
        self._outbox.refresh()

    async def _publish(self, client: Client) -> None:
        while True:
            publication = await self._outbox.next()
            payload = publication.payload.encode(errors="replace")
            try:
                await client.through(client.publish(publication.topic, payload, publication.qos, publication.retain))
            except ValueError as error:
                log.error("a message on %s cannot be published: %s", ascii(publication.topic[:200]), error)  # noqa: TRY400  # it says all
            except BaseException:  # whatever ends this, cancelling too: it was not published
                self._outbox.again(publication)
                raise
            self._outbox.done()

    async def _take(self, client: Client) -> None:
        while True:
            if len(client.messages) == INCOMING and not self._said.lately("full"):
                log.warning("more comes from the broker than can be dealt with; some of it is lost")
            for message in client.rest():
                self._receive_one(message)
                await asyncio.sleep(0)  # others have their turn, however much it is
            await client.more()

    def _receive_one(self, message: aiomqtt.Message) -> None:
        payload = bytes(message.payload or b"")
        try:
            self._followed.take(message.topic.value, payload)
            self._receive(message.topic.value, payload, message.retain)
        except Exception:
            # Whatever one message does, the next ones are to be read.
            log.exception("a message on %s could not be dealt with", ascii(message.topic.value[:200]))

    def _complain(self, error: BaseException) -> None:
        message = explain(error, self._target.url, self._target.certificate)
        now = time.monotonic()
        if message != self._told[0] or now - self._told[1] > REPEAT_S:
            self._told = (message, now)
            log.warning("%s; trying again", message)
        else:
            log.debug("%s; trying again", message)

    # ------------------------------------------------------------ how long the hub was away

    def _away(self) -> float:
        if self._seen is not None:
            return time.monotonic() - self._seen  # the clock of the stamp may jump
        try:
            return max(0.0, time.time() - self._stamp.stat().st_mtime) if self._stamp is not None else 0.0
        except OSError:
            return 0.0

    async def _keep_stamp(self) -> None:
        while self._stamp is not None:
            try:
                self._stamp.touch()
            except OSError as error:
                log.debug("%s cannot be written: %s", self._stamp, error)
            await asyncio.sleep(STAMP_S)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
