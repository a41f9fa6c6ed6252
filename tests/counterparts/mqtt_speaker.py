"""A speaker as docs/mqtt.md has it, without a loudspeaker: for tests of whatever is at the other end of the broker."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiomqtt

from mynah_mqtt.client import Client, complete

WAIT_S = 30.0


async def until(found: Callable[[], Any], what: str, within_s: float = WAIT_S) -> Any:
    """Return what `found` gives as soon as that is something."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while not (result := found()):
        assert loop.time() < deadline, f"{what} did not come"
        await asyncio.sleep(0.01)
    return result


HUBS = ("persona", "language", "voice", "firmware")
"""Properties that the hub does: speakers pass over them."""


class Peer:
    """Somebody at a broker, who keeps what comes. `messages` are topics and payloads."""

    def __init__(self, port: int, name: str, password: str, *filters: str, client_id: str = "", **options: Any) -> None:
        self.messages: list[tuple[str, str]] = []
        self.codes: list[int] = []
        self.lost = False
        self.port = port
        self._make = lambda: Client(
            "127.0.0.1", self.port, username=name, password=password, identifier=client_id or None,
            protocol=aiomqtt.ProtocolVersion.V311, timeout=10,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)], **options,
        )  # fmt: skip
        self._filters = filters
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Any:
        await self.connect()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.leave()

    async def connect(self) -> None:
        self.lost = False
        self.client = self._make()
        await complete(self.client.__aenter__())
        for pattern in self._filters:
            self.codes += [
                getattr(code, "value", code) for code in await self.client.through(self.client.subscribe(pattern, 1))
            ]
        self._task = asyncio.create_task(self._read())

    async def leave(self) -> None:
        """Disconnect as it should be."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await complete(self.client.leave())
        for message in self.client.rest():
            await self._receive(message)

    async def die(self) -> None:
        """Lose the connection as in a power cut: no goodbye is said."""
        self.client._client.socket().shutdown(socket.SHUT_RDWR)
        await until(lambda: self.lost, "the end of the connection")
        await self.leave()

    async def publish(self, topic: str, content: Any, *, retain: bool = False, qos: int = 1) -> None:
        payload = content if isinstance(content, str | bytes) else json.dumps(content)
        await self.client.through(self.client.publish(topic, payload, qos, retain))

    def on(self, topic: str) -> list[Any]:
        """Return what came on a topic, JSON read."""
        return [_plain(payload) for name, payload in self.messages if name == topic]

    async def reply(self, topic: str, id: str | None, within_s: float = WAIT_S) -> Any:
        """Return the reply to a command."""
        return await until(
            lambda: next((each for each in self.on(topic) if isinstance(each, dict) and each["id"] == id), None),
            f"a reply to {id} on {topic}",
            within_s,
        )

    def take(self, topic: str, payload: str, retained: bool) -> Any:
        """For those who do something with what comes."""

    async def _read(self) -> None:
        try:
            while True:
                for message in self.client.rest():
                    await self._receive(message)
                await self.client.more()
        except aiomqtt.MqttError:
            self.lost = True

    async def _receive(self, message: aiomqtt.Message) -> None:
        payload = bytes(message.payload or b"").decode(errors="replace")
        self.messages.append((message.topic.value, payload))
        answer = self.take(message.topic.value, payload, message.retain)
        if answer is not None:
            with suppress(aiomqtt.MqttError):  # lost; reading on says so
                await answer


class SimulatedSpeaker(Peer):
    """Registers, does its own commands once, and replies; `done` are those that it did."""

    def __init__(self, port: int, id: str, password: str, *, base: str = "mynah", **options: Any) -> None:
        self.id = id
        self.base = base
        self.done: list[dict[str, Any]] = []
        self.state: dict[str, Any] = {"phase": "idle", "volume": 50, "mute": False, "microphone": "button", "hub": True}
        self.info: dict[str, Any] = {
            "id": id,
            "board": "simulated",
            "firmware": "0.1.0",
            "protocol": 1,
            "mac": f"m{id}",
        }
        self._replies: dict[str, dict[str, Any]] = {}
        own = (self.topic("cmd"), self.topic("+/set"), f"{base}/hub/availability")
        will = aiomqtt.Will(self.topic("availability"), "offline", 1, True)
        options = {"will": will, "clean_session": False, "keepalive": 30, **options}
        super().__init__(port, id, password, *own, client_id=id, **options)

    def topic(self, leaf: str) -> str:
        return f"{self.base}/speaker/{self.id}/{leaf}"

    async def connect(self) -> None:
        await super().connect()
        await self.publish(self.topic("info"), self.info, retain=True)
        await self.publish(self.topic("state"), self.state, retain=True)
        await self.publish(self.topic("availability"), "online", retain=True)

    def take(self, topic: str, payload: str, retained: bool) -> Any:
        if retained:
            return None
        if topic.endswith("/set"):
            name = topic.split("/")[-2]
            if name in HUBS:
                return None
            self.state[name] = json.loads(payload) if name != "microphone" else payload
            return self.publish(self.topic("state"), self.state, retain=True)
        if topic != self.topic("cmd"):
            return None
        try:
            command = json.loads(payload)
            id, name = command["id"], command["command"]
        except (ValueError, KeyError, TypeError):
            return None  # the hub's to answer
        if name not in ("stop", "volume", "mute", "listen", "reboot", "update"):
            return None
        if id not in self._replies:
            self.done.append(command)
            self.state |= {key: command[key] for key in ("volume", "mute") if key in command}
            self._replies[id] = {"id": id, "command": name, "ok": True, "by": "speaker"}
        return self._answer(self._replies[id])

    async def _answer(self, reply: dict[str, Any]) -> None:
        await self.publish(self.topic("reply"), reply)
        await self.publish(self.topic("state"), self.state, retain=True)


def _plain(payload: str) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload
