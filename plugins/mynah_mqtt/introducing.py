"""Introduces hub and speakers to Home Assistant, over the link: see the package `home_assistant` for what is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final

from mynah import Hub, __version__
from mynah_mqtt.client import Client
from mynah_mqtt.devices import Device, Devices
from mynah_mqtt.home_assistant import Discovery, DiscoveryOptions, HubFacts, Publish, SpeakerFacts
from mynah_mqtt.topics import Topics

LOOK_S: Final = 2.0
"""How long the broker has to show what it holds of earlier introductions."""

TICK_S: Final = 1.0
"""How often it is looked at whether there is anything new."""


class Introducing:
    """Keeps Home Assistant's discovery topics. `run` it for each connection; `take` what comes before anybody else."""

    def __init__(self, hub: Hub, topics: Topics, devices: Devices, options: DiscoveryOptions) -> None:
        self._hub = hub
        self._topics = topics
        self._devices = devices
        self._discovery = Discovery(options, topics.base, __version__)
        self._shown: dict[str, SpeakerFacts] = {}
        self._again_at: float | None = None
        self._awake = asyncio.Event()

    async def run(self, client: Client) -> None:
        """Tell all afresh, then what is new, until cancelled or the connection is lost."""
        filters = self._discovery.config_filters
        await client.through(client.subscribe([(topic, 1) for topic in (self._discovery.status_topic, *filters)]))
        await asyncio.sleep(LOOK_S)
        await client.through(client.unsubscribe(list(filters)))
        news = self._news()
        told = {message.topic for message in news}
        await self._tell(client, news)
        await self._tell(client, [each for each in self._discovery.everything() if each.topic not in told])
        while True:
            await self._pause()
            await self._tell(client, self._news())
            if self._again_at is not None and self._now() >= self._again_at:
                self._again_at = None
                await self._tell(client, self._discovery.everything())

    def take(self, topic: str, payload: bytes, retained: bool) -> bool:
        """Take what is for here; return whether it was."""
        if topic == self._discovery.status_topic:
            pause = None if retained else self._discovery.on_status(payload)
            if pause is not None:
                self._again_at = self._now() + pause
                self._awake.set()
            return True
        if not topic.endswith("/config") or topic.startswith(f"{self._topics.base}/"):
            return False
        if retained:
            self._discovery.found(topic, payload)
        return True

    def _news(self) -> list[Publish]:
        """Return what is to be told that was not yet."""
        http = self._hub.addresses.get("http", "")
        messages = self._discovery.hub(HubFacts(http=http))
        shown: dict[str, SpeakerFacts] = {}
        speakers = self._hub.speakers()
        personas = tuple(persona.name for persona in self._hub.personas())
        voices = tuple(dict.fromkeys(persona.voice.name for persona in self._hub.personas() if persona.voice.name))
        for speaker in speakers:
            before = self._shown.get(speaker["id"])
            facts = speaker_facts(speaker, self._devices.get(speaker["id"]), personas, voices, before)
            shown[facts.id] = facts
            if facts != before:  # building all that is told of hundreds takes its time
                messages += self._discovery.speaker(facts)
        for id in self._shown.keys() - shown:
            messages += self._discovery.removed(id)
        self._shown = shown
        return messages

    async def _tell(self, client: Client, messages: Iterable[Publish]) -> None:
        for message in messages:
            if message.pause:
                await asyncio.sleep(message.pause)
            await client.through(client.publish(message.topic, message.payload, 1, message.retain))

    async def _pause(self) -> None:
        """Wait until something may be new."""
        until = self._now() + TICK_S
        if self._again_at is not None:
            until = min(until, self._again_at)
        self._awake.clear()
        try:
            async with asyncio.timeout_at(until):
                await self._awake.wait()
        except TimeoutError:
            return

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def speaker_facts(
    speaker: Mapping[str, Any],
    device: Device | None,
    personas: tuple[str, ...],
    voices: tuple[str, ...],
    before: SpeakerFacts | None = None,
) -> SpeakerFacts:
    """Return what Home Assistant is told of a speaker; `device` is what it told over MQTT, if it has that.

    `before` is what was told last: a microphone that is off will be what it was.
    """
    info: Mapping[str, Any] = device.info if device is not None else {}
    state: Mapping[str, Any] = device.state if device is not None else {}
    microphone = state.get("microphone")
    if microphone not in ("open", "button"):
        microphone = before.microphone if before is not None else "button"
    return SpeakerFacts(
        id=speaker["id"],
        name=speaker["name"] or "",
        area=speaker["area"] or "",
        board=info.get("board", ""),
        firmware=info.get("firmware", ""),
        mac=info.get("mac", ""),
        # One without MQTT has a microphone that nobody can switch from here.
        records=device is not None and info.get("records", True),
        wireless=bool(state.get("rssi")),
        microphone=microphone,
        personas=personas,
        voices=voices,
    )
