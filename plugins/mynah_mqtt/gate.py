"""The way in to the embedded broker: who is let in, how many, and one connection for each client id."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from mynah_mqtt.accounts import Account, Accounts, Refused
from mynah_mqtt.broker import LISTENER, Doors, HubBroker
from mynah_mqtt.packets import (
    ACCEPTED_LEVEL,
    NOT_AUTHORISED,
    REFUSED_LEVEL,
    UNAVAILABLE,
    Hello,
    Malformed,
    read_connect,
)
from mynah_mqtt.said import REPEAT_S, Said
from mynah_mqtt.streams import Inbound, Outbound

log = logging.getLogger(__name__)

HELLO_S: Final = 10.0
REFUSED_S: Final = 0.5
"""How long somebody who may not come in waits for the answer, so that guessing is slow."""

TAKE_OVER_S: Final = 5.0
LET_GO_S: Final = 1.0
"""How long the broker may take to notice that a connection has ended, and again after it was told."""

SILENCES: Final = 1.5
"""How many keep-alives may pass in silence (section 3.1.2.10)."""

SEVERAL: Final = 5
"""Take-overs within a minute after which two devices must have the same id."""


class Seat:
    """One client that is in."""

    def __init__(self, outbound: Outbound) -> None:
        self.outbound = outbound
        self.left = asyncio.Event()


class Gate:
    """Takes connections, and hands those of clients that may come in to the broker.

    `too_large(topic, size)` is told of publications that were thrown away.
    """

    def __init__(
        self,
        accounts: Accounts,
        broker: HubBroker,
        doors: Doors,
        too_large: Callable[[str, int], None],
        most: int = 1000,
    ) -> None:
        self._accounts = accounts
        self._broker = broker
        self._doors = doors
        self._too_large = too_large
        self._most = most
        self._open: set[Outbound] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._seats: dict[str, Seat] = {}
        self._takings: dict[str, list[float]] = {}
        self._said = Said()

    async def outside(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection of anybody's."""
        await self._serve(reader, writer, inside=False)

    async def inside(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection of the hub's own."""
        await self._serve(reader, writer, inside=True)

    async def close(self) -> None:
        """Cut every connection and wait for the broker to let go."""
        for outbound in list(self._open):
            outbound.abort()
        if self._serving:
            await asyncio.wait(self._serving, timeout=TAKE_OVER_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, inside: bool) -> None:
        outbound = Outbound(writer)
        inbound = Inbound(reader, outbound)
        self._open.add(outbound)
        if (task := asyncio.current_task()) is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        try:
            hello = await self._hello(inbound, outbound, inside=inside)
            account = await self._account(hello, outbound, inside=inside) if hello is not None else None
            if hello is not None and account is not None:
                inbound.silence_s = hello.keep_alive * SILENCES or None
                inbound.name = hello.client_id or account.role
                await self._seat(hello, account, inbound, outbound)
        finally:
            self._open.discard(outbound)
            await outbound.close()

    async def _hello(self, inbound: Inbound, outbound: Outbound, *, inside: bool) -> Hello | None:
        address = outbound.get_peer_info()[0]
        if len(self._open) > self._most and not inside:
            if not self._said.lately("full"):
                log.warning("%d connections are open; %s was refused", self._most, address)
            outbound.write(UNAVAILABLE)
            return None
        try:
            async with asyncio.timeout(HELLO_S):
                hello = read_connect(await inbound.hello())
        except (Malformed, EOFError, OSError, TimeoutError) as error:
            log.debug("%s said no hello: %s", address, error)
            return None
        if hello.level != ACCEPTED_LEVEL:
            if not self._said.lately(f"{address} level"):
                log.warning("%s was refused: it speaks another version than MQTT 3.1.1", address)
            outbound.write(REFUSED_LEVEL)
            return None
        return hello

    async def _account(self, hello: Hello, outbound: Outbound, *, inside: bool) -> Account | None:
        try:
            return self._accounts.admit(hello, inside=inside)
        except Refused as refused:
            address, name = outbound.get_peer_info()[0], ascii(hello.username[:64])
            if not self._said.lately(f"{address} {name} {refused}"):
                log.warning("%s at %s was refused: %s", name, address, refused)
            await asyncio.sleep(REFUSED_S)
            outbound.write(NOT_AUTHORISED)
            return None

    async def _seat(self, hello: Hello, account: Account, inbound: Inbound, outbound: Outbound) -> None:
        """Have the broker serve a client, after an earlier connection of its id has ended."""
        id = hello.client_id or inbound.name_client()
        if not await self._free(id):
            log.warning("the earlier connection of %s does not end; the new one was refused", id)
            return
        self._seats[id] = seat = Seat(outbound)
        self._doors.accounts[id] = account
        inbound.busy = lambda: self._broker.busy or self._broker.is_behind(id)
        inbound.too_large = lambda topic, size: self._report(account, topic, size)
        try:
            await self._until_it_ends(id, inbound, outbound)
        except Exception:
            # A defect of the library ends one connection and no more.
            log.exception("the connection of %s broke", id)
        finally:
            self._doors.accounts.pop(id, None)
            self._broker.left(id)
            del self._seats[id]
            seat.left.set()

    async def _until_it_ends(self, id: str, inbound: Inbound, outbound: Outbound) -> None:
        """Have the broker serve a connection. One that has ended holds its client's place for a moment and no more."""
        loop = asyncio.get_running_loop()
        served = loop.create_task(self._broker.external_connected(inbound, outbound, LISTENER), name=f"mqtt: {id}")
        ended = loop.create_task(inbound.ended.wait(), name=f"mqtt: end of {id}")
        try:
            await asyncio.wait({served, ended}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({served}, timeout=LET_GO_S)
            if not served.done():
                await self._broker.hang_up(id)
                await asyncio.wait({served}, timeout=LET_GO_S)
        finally:
            ended.cancel()
            served.cancel()
            await asyncio.wait({served, ended}, timeout=LET_GO_S)
        if not served.cancelled():
            served.result()

    async def _free(self, id: str) -> bool:
        """End an earlier connection of a client; return whether that worked."""
        try:
            async with asyncio.timeout(TAKE_OVER_S):
                while (earlier := self._seats.get(id)) is not None:
                    self._note_taking(id)
                    earlier.outbound.abort()
                    await earlier.left.wait()
        except TimeoutError:
            return False
        return True

    def _report(self, account: Account, topic: str, size: int) -> None:
        if account.writes(self._accounts.topics, topic):
            self._too_large(topic, size)

    def _note_taking(self, id: str) -> None:
        """Count how often a connection takes the place of another; two devices with one id do so without end."""
        now = time.monotonic()
        times = [each for each in self._takings.get(id, ()) if now - each < REPEAT_S] + [now]
        self._takings[id] = times[-SEVERAL:]
        if len(times) >= SEVERAL and not self._said.lately(f"twice {id}"):
            log.warning("two devices call themselves %s and push each other out; give one of them another id", id)
        if len(self._takings) > self._most:
            self._takings = {id: self._takings[id]}
