"""Messages on any topic, for other parts of the hub: `hub.parts["mqtt"]`, a `mynah.Messages`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from paho.mqtt.client import topic_matches_sub

from mynah import Hub, InputError, Stop
from mynah_mqtt.outbox import Outbox

log = logging.getLogger(__name__)

TOPIC_BYTES: Final = 1_000
PAYLOAD_CHARS: Final = 256 * 1024
PART: Final = "mqtt"


class Followed:
    """Who follows which topics. It outlives the connection, and the component where that has to begin anew."""

    def __init__(self) -> None:
        self.outbox: Outbox | None = None
        self._followers: dict[int, tuple[str, Callable[[str, str], None]]] = {}
        self._numbers = 0
        self._changed = asyncio.Event()

    def publish(self, topic: str, payload: str, *, qos: int = 0, retain: bool = False) -> None:
        """Publish soon."""
        if not topic or len(topic.encode()) > TOPIC_BYTES or any(char in topic for char in "+#\0"):
            raise InputError(f"{topic[:80]!r} is no topic to publish to")
        if len(payload) > PAYLOAD_CHARS:
            raise InputError(f"a payload has at most {PAYLOAD_CHARS:,} characters")
        if self.outbox is None:
            raise InputError("MQTT is not ready yet")
        if retain:
            self.outbox.keep(topic, payload)
        else:
            self.outbox.send(topic, payload, qos=qos)

    def follow(self, topic: str, receive: Callable[[str, str], None]) -> Stop:
        """Call `receive` for each message on a topic."""
        _check_filter(topic)
        self._numbers += 1
        number = self._numbers
        self._followers[number] = (topic, receive)
        self._changed.set()

        def stop() -> None:
            self._followers.pop(number, None)

        return stop

    @property
    def filters(self) -> tuple[str, ...]:
        """What is followed."""
        return tuple(dict.fromkeys(topic for topic, _ in self._followers.values()))

    async def more(self, known: Iterable[str]) -> list[str]:
        """Wait until something is followed that is not in `known`; return that."""
        while True:
            fresh = [topic for topic in self.filters if topic not in known]
            if fresh:
                return fresh
            self._changed.clear()
            await self._changed.wait()

    def take(self, topic: str, payload: bytes) -> None:
        """Hand a message on to whoever follows its topic."""
        text: str | None = None
        for wanted, receive in tuple(self._followers.values()):
            if topic_matches_sub(wanted, topic):
                text = payload.decode(errors="replace") if text is None else text
                receive(topic, text)


def _check_filter(topic: str) -> None:
    levels = topic.split("/")
    wrong = any(("#" in level and (level != "#" or index != len(levels) - 1)) or ("+" in level and level != "+")
                for index, level in enumerate(levels))  # fmt: skip
    if not topic or len(topic.encode()) > TOPIC_BYTES or "\0" in topic or wrong:
        raise InputError(f"{topic[:80]!r} is no topic to follow; + stands for one level, # for all that are left")


def offered(hub: Hub, outbox: Outbox) -> Followed:
    """Return what the hub offers of messages, from now on by way of `outbox`."""
    followed: Followed = hub.parts.setdefault(PART, Followed())
    followed.outbox = outbox
    return followed
