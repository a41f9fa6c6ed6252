"""What is to be published: bounded, in order, and what is retained kept for the next connection."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

log = logging.getLogger(__name__)

MOST: Final = 5_000
"""Replies, events and commands that may wait while the broker is away; the oldest go first."""

MOST_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Publication:
    """One message on its way."""

    topic: str
    payload: str
    qos: int = 1
    retain: bool = False


class Outbox:
    """Publications that wait for the link. Of a retained topic only the newest waits."""

    def __init__(self) -> None:
        self.lost = 0
        self._kept: dict[str, str] = {}
        self._newest: dict[str, str] = {}
        self._queue: deque[Publication] = deque()
        self._filled = asyncio.Event()
        self._sending = 0
        self._empty = asyncio.Event()
        self._empty.set()

    def send(self, topic: str, content: Mapping[str, Any] | str, *, qos: int = 1) -> None:
        """Publish once: an object as JSON, or a plain text."""
        if len(self._queue) >= MOST:
            self._queue.popleft()
            self.lost += 1
            if self.lost == 1 or self.lost % 1000 == 0:
                log.warning("the broker takes nothing; %d messages were thrown away", self.lost)
        self._queue.append(Publication(topic, _text(content), qos))
        self._wake()

    def keep(self, topic: str, content: Mapping[str, Any] | str) -> None:
        """Publish as retained, now where it differs from what is there, and on each new connection."""
        payload = _text(content)
        if self._kept.get(topic) == payload or (topic not in self._kept and len(self._kept) >= MOST_KEPT):
            return
        self._kept[topic] = payload
        self._newest[topic] = payload
        self._wake()

    def repeat(self, topic: str) -> None:
        """Publish what is kept of a topic once more."""
        if topic in self._kept:
            self._newest[topic] = self._kept[topic]
            self._wake()

    def drop(self, topic: str) -> None:
        """Keep a topic no longer: it is another's now. What the broker retained stays."""
        self._kept.pop(topic, None)
        self._newest.pop(topic, None)

    def restore(self, topic: str, payload: bytes) -> None:
        """Publish as retained what is somebody else's, once."""
        self._queue.append(Publication(topic, payload.decode(errors="replace"), 1, True))
        self._wake()

    def erase(self, topic: str) -> None:
        """Have the broker forget what it retained."""
        self._kept.pop(topic, None)
        self._newest[topic] = ""
        self._wake()

    def refresh(self) -> None:
        """Publish all that is kept afresh, who is there last."""
        for topic in sorted(self._kept, key=lambda topic: topic.endswith("/availability")):
            self._newest.pop(topic, None)
            self._newest[topic] = self._kept[topic]
            self._wake()

    async def next(self) -> Publication:
        """Return the next one; tell `done` when it was published, or `again` where that failed."""
        while True:
            if self._queue:
                self._sending += 1
                return self._queue.popleft()
            if self._newest:
                topic = next(iter(self._newest))
                self._sending += 1
                return Publication(topic, self._newest.pop(topic), 1, True)
            self._filled.clear()
            await self._filled.wait()

    def done(self) -> None:
        """Note that one was published."""
        self._sending -= 1
        if not (self._queue or self._newest or self._sending):
            self._empty.set()

    def again(self, publication: Publication) -> None:
        """Put one back that could not be published."""
        if publication.retain:
            self._newest.setdefault(publication.topic, publication.payload)
        else:
            self._queue.appendleft(publication)
        self._wake()
        self.done()

    async def emptied(self, within_s: float) -> bool:
        """Wait until all was published; return whether it was within that time."""
        try:
            async with asyncio.timeout(within_s):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True

    def _wake(self) -> None:
        self._empty.clear()
        self._filled.set()


def _text(content: Mapping[str, Any] | str) -> str:
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, separators=(",", ":"))
