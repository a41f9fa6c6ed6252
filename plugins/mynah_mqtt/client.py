"""The MQTT library's client, so that it can be cancelled at any moment, and lost at any other.

It waits by Python's `asyncio.wait_for`, which before 3.12 keeps a cancellation to itself where what it waits for is
done at the same moment; and cancelled while it connects, it leaves the connection open, unseen. So no call of it is
cancelled in the task that was told to stop: each has a task of its own, whose end is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from socket import socket
from typing import Any, Final, Self, TypeVar

import aiomqtt
from paho.mqtt.client import Client as Paho
from paho.mqtt.client import DisconnectFlags, MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

T = TypeVar("T")

LET_GO_S: Final = 2.0
"""How long a call that is not wanted any more may take to end."""


class Client(aiomqtt.Client):
    """aiomqtt's client. What is overridden is that of version 2.5.

    It asks for a socket to be watched for writing a moment later, by the number that the socket had: closed meanwhile,
    that number may be another connection's. It forgets that a connection was lost which was lost at once, and waits for
    the answer of a broker that has hung up. Its `messages` lose one where whoever reads them is cancelled as it comes:
    read by `rest` and `more`.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._arrived = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Connect. Raises `aiomqtt.MqttError`."""
        lost = self._disconnected
        await super().__aenter__()
        if lost.done():
            self._disconnected = lost
        return self

    def _on_disconnect(
        self,
        client: Paho,
        userdata: Any,
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        if self._connected.done():
            super()._on_disconnect(client, userdata, flags, reason_code, properties)
        else:
            self._connected.set_exception(aiomqtt.MqttError("it hung up without a word"))

    def _on_message(self, client: Paho, userdata: Any, message: MQTTMessage) -> None:
        super()._on_message(client, userdata, message)
        self._arrived.set()

    def _on_socket_register_write(self, client: Paho, userdata: Any, sock: socket) -> None:
        def watch() -> None:
            if sock.fileno() >= 0:
                self._loop.add_writer(sock.fileno(), write)

        def write() -> None:
            try:
                client.loop_write()
            except Exception as error:  # noqa: BLE001  # as in the library: whatever it is, the connection broke
                if not self._disconnected.done():
                    self._disconnected.set_exception(error)

        self._loop.call_soon_threadsafe(watch)

    async def through(self, call: Coroutine[Any, Any, T]) -> T:
        """Return what a call of this client's returns; see `complete`.

        Raises `aiomqtt.MqttError`, at once where the connection is lost.
        """
        return await complete(call, self._disconnected)

    def rest(self) -> Iterator[aiomqtt.Message]:
        """Yield what came and nobody took. It is acknowledged and does not come again: look once more after the end."""
        while not self._queue.empty():
            yield self._queue.get_nowait()

    async def more(self) -> None:
        """Wait until more comes. Takes nothing, so that it may be cancelled. Raises `aiomqtt.MqttError` when lost."""
        await self.through(self._arrived.wait())
        self._arrived.clear()

    async def leave(self) -> None:
        """Disconnect, or find that this is so already."""
        with suppress(aiomqtt.MqttError):  # what there was to say was said when it was lost
            await self.__aexit__(None, None, None)
        if self._disconnected.done() and not self._disconnected.cancelled():
            self._disconnected.exception()  # seen


async def complete(call: Coroutine[Any, Any, T], lost: asyncio.Future[None] | None = None) -> T:
    """Return what a call of the library returns. A cancellation cancels the call and is raised, whatever came of it.

    Raises `aiomqtt.MqttError` where the connection is `lost` meanwhile.
    """
    task = asyncio.get_running_loop().create_task(call)
    waited: set[asyncio.Future[Any]] = {task} if lost is None else {task, lost}
    try:
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = task.done()
        if not ended:
            task.cancel()
            await asyncio.wait({task}, timeout=LET_GO_S)
        _look_at(task)
    if not ended:
        why = lost.exception() if lost is not None and not lost.cancelled() else None
        raise aiomqtt.MqttError("the connection ended before an answer came") from why
    return task.result()


@asynccontextmanager
async def connection(client: Client) -> AsyncIterator[Client]:
    """Connect for as long as this is open. Raises `aiomqtt.MqttError`.

    Cancelled while it connects, it ends at once; the connection is closed as soon as it stands.
    """
    connecting = asyncio.get_running_loop().create_task(client.__aenter__())
    try:
        await asyncio.wait({connecting})
    except asyncio.CancelledError:
        _close_later(client, connecting)
        raise
    connecting.result()
    try:
        yield client
    finally:
        await complete(client.leave())


def _close_later(client: Client, connecting: asyncio.Task[Any]) -> None:
    """Have a connection that nobody wants any more closed once it stands; its own time limits bound that."""

    async def close() -> None:
        await asyncio.wait({connecting})
        if _look_at(connecting):
            await client.leave()

    closing = asyncio.get_running_loop().create_task(close(), name="mqtt: closing")
    _CLOSING.add(closing)
    closing.add_done_callback(_CLOSING.discard)


_CLOSING: Final[set[asyncio.Task[None]]] = set()
"""Held here, as the loop holds its tasks by weak references only."""


def _look_at(task: asyncio.Task[Any]) -> bool:
    """Return whether a task has ended well; an exception of it counts as seen."""
    return task.done() and not task.cancelled() and task.exception() is None
