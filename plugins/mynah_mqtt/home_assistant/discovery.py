"""What to publish when: the difference between what Home Assistant should be told and what the broker holds."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from mynah_mqtt.home_assistant import forms
from mynah_mqtt.home_assistant.config import DiscoveryOptions
from mynah_mqtt.home_assistant.entities import hub_entities, speaker_entities
from mynah_mqtt.home_assistant.facts import HubFacts, SpeakerFacts
from mynah_mqtt.home_assistant.forms import Shown
from mynah_mqtt.home_assistant.names import mac_address, object_id, plain, readable, tag

MANUFACTURER: Final = "Mynah"
MIGRATE: Final = json.dumps({"migrate_discovery": True}).encode()

SETTLE_S: Final = 3.0
"""How long Home Assistant is given to take one step of a change in, as it works off a message in the background."""

JITTER_S: Final = (0.5, 5.0)
"""When to answer Home Assistant's birth: not while it is busiest, nor together with every other device."""

GONE: Final = 100
"""How many of the speakers that were removed are remembered."""

FOUND_TOPICS: Final = 20_000
"""How many of the messages that the broker holds are looked at: twenty each of a thousand speakers."""


@dataclass(frozen=True, slots=True)
class Publish:
    """A message to publish with QoS 1, after waiting `pause` seconds."""

    topic: str
    payload: bytes
    retain: bool = True
    pause: float = 0.0


class Discovery:
    """Keeps account of what is published; see the package for how it is used."""

    def __init__(
        self, options: DiscoveryOptions, base: str, version: str, *, rng: Callable[[], float] = random.random
    ) -> None:
        """Announce what lies under the topics of `base`, for a hub of that version; `rng` returns 0 up to 1."""
        self._options = options
        self._base = base
        self._tag = tag(base)
        self._origin = {"name": MANUFACTURER, "sw_version": version}
        self._rng = rng
        self._wanted: dict[str, dict[str, bytes]] = {}  # by node, then by topic
        self._held: dict[str, dict[str, bytes]] = {}  # what the broker holds, likewise
        self._count = 0
        self._gone: dict[str, list[str]] = {}  # by node: the topics of what was taken away

    @property
    def status_topic(self) -> str:
        """Where Home Assistant says that it has started."""
        return self._options.status_topic or f"{self._options.prefix}/status"

    @property
    def config_filters(self) -> tuple[str, str]:
        """Where what was published earlier may lie."""
        return f"{self._options.prefix}/device/+/config", f"{self._options.prefix}/+/+/+/config"

    def hub(self, facts: HubFacts) -> list[Publish]:
        """Return what tells of the hub; nothing where it was told before."""
        self._origin = {"name": MANUFACTURER, "sw_version": self._origin["sw_version"]}
        device: dict[str, Any] = {
            "identifiers": [self._hub_node],
            "name": readable(facts.name) or MANUFACTURER,
            "manufacturer": MANUFACTURER,
            "model": "Hub",
            "sw_version": self._origin["sw_version"],
        }
        if re.match("https?://[^/]", facts.http):
            device["configuration_url"] = self._origin["support_url"] = facts.http
        entities = tuple(hub_entities(facts, self._base))
        slug = object_id(self._tag, "hub")
        return self._show(Shown(self._hub_node, slug, device, self._origin, (self._hub_online,), entities))

    def speaker(self, facts: SpeakerFacts) -> list[Publish]:
        """Return what tells of a speaker; nothing where it was told before."""
        node = self._speaker_node(facts.id)
        topic = f"{self._base}/speaker/{facts.id}"
        device: dict[str, Any] = {
            "identifiers": [node],
            "name": readable(facts.name) or readable(facts.id),
            "manufacturer": MANUFACTURER,
            "model": plain(facts.board) or "Speaker",
            "via_device": self._hub_node,
        }
        if facts.firmware:
            device["sw_version"] = facts.firmware
        if area := readable(facts.area):
            device["suggested_area"] = area
        if mac := mac_address(facts.mac):
            device["connections"] = [["mac", mac]]
        online = (self._hub_online, f"{topic}/availability")
        entities = tuple(speaker_entities(facts, topic))
        return self._show(Shown(node, object_id(facts.id), device, self._origin, online, entities))

    def removed(self, speaker_id: str) -> list[Publish]:
        """Return what makes Home Assistant forget a speaker."""
        node = self._speaker_node(speaker_id)
        self._wanted.pop(node, None)
        return list(self._converge(node))

    def found(self, topic: str, payload: bytes) -> None:
        """Take note of a retained message on a config topic; those of others are none of our business."""
        place = self._place(topic)
        if place is None or not payload or self._count >= FOUND_TOPICS:
            return
        self._note(place[1], topic, payload)

    def everything(self) -> list[Publish]:
        """Return all there is to tell, and whatever takes away what is at the broker and should not be.

        What was removed is taken away once more, as Home Assistant may have been away then.
        """
        nodes = [*self._wanted, *(node for node in self._held if node not in self._wanted)]
        # Home Assistant links a speaker to a hub that it knows.
        nodes.sort(key=lambda node: node != self._hub_node)
        before = [Publish(topic, b"") for topics in self._gone.values() for topic in topics]
        return [*before, *(message for node in nodes for message in self._converge(node, again=True))]

    def on_status(self, payload: bytes | str) -> float | None:
        """Return how many seconds after Home Assistant's message to publish `everything`, or None for never."""
        text = payload if isinstance(payload, str) else payload.decode("utf-8", "replace")
        low, high = JITTER_S
        return low + (high - low) * self._rng() if text.strip() == "online" else None

    @property
    def _hub_node(self) -> str:
        return f"{self._tag}-hub"

    @property
    def _hub_online(self) -> str:
        return f"{self._base}/hub/availability"

    def _speaker_node(self, speaker_id: str) -> str:
        return f"{self._tag}-speaker-{speaker_id}"

    def _place(self, topic: str) -> tuple[str, str, str] | None:
        """Return the platform (or `device`), our node and the key (or nothing) in a config topic of ours."""
        prefix = re.escape(self._options.prefix)
        own = rf"{re.escape(self._tag)}-(?:hub|speaker-[a-z0-9_-]+)"
        match = re.fullmatch(rf"{prefix}/([a-z_]+)/({own})(?:/([a-z0-9_]+))?/config", topic)
        if match is None or (match[1] == "device") != (match[3] is None):
            return None
        return match[1], match[2], match[3] or ""

    def _show(self, shown: Shown) -> list[Publish]:
        if not self._options.discovery:
            return []
        form = forms.device_form if self._options.form == "device" else forms.single_form
        self._wanted[shown.node] = form(shown, self._options.prefix)
        return list(self._converge(shown.node))

    def _converge(self, node: str, *, again: bool = False) -> Iterator[Publish]:
        wanted, held = self._wanted.get(node, {}), dict(self._held.get(node, {}))
        strays = [topic for topic in held if topic not in wanted]
        carried = self._carried(node, strays, wanted)
        for topic in carried:
            yield Publish(topic, MIGRATE, retain=False)
        pause = SETTLE_S if carried else 0.0
        for topic, payload in wanted.items():
            if again or carried or held.get(topic) != payload:
                yield from self._update(topic, payload, held.get(topic), pause)
                pause = 0.0
            self._note(node, topic, payload)
        pause = SETTLE_S if carried else 0.0
        for topic in strays:
            yield Publish(topic, b"", pause=pause)
            pause = 0.0
        self._forget(node, strays)
        if wanted:
            self._gone.pop(node, None)
        elif strays:
            self._gone[node] = [*self._gone.get(node, ()), *strays]
            if len(self._gone) > GONE:
                del self._gone[next(iter(self._gone))]

    def _carried(self, node: str, strays: Iterable[str], wanted: dict[str, bytes]) -> list[str]:
        """Return which strays are of the other form and live on in this one, so that their settings must be kept."""
        whole = forms.device_topic(self._options.prefix, node)
        if whole not in wanted:
            return [topic for topic in strays if topic == whole and wanted]
        alive = forms.components(wanted[whole])
        places = ((topic, self._place(topic)) for topic in strays)
        return [topic for topic, place in places if place is not None and alive.get(place[2]) == place[0]]

    def _update(self, topic: str, payload: bytes, held: bytes | None, pause: float) -> Iterator[Publish]:
        now = forms.components(payload)
        gone = {key: platform for key, platform in forms.components(held or b"").items() if key not in now}
        # Home Assistant takes a component away when told so; one that is merely left out stays as a ghost.
        if now and gone:
            yield Publish(topic, forms.with_removed(payload, gone), pause=pause)
            pause = SETTLE_S
        yield Publish(topic, payload, pause=pause)

    def _note(self, node: str, topic: str, payload: bytes) -> None:
        topics = self._held.setdefault(node, {})
        self._count += topic not in topics
        topics[topic] = payload

    def _forget(self, node: str, topics: Iterable[str]) -> None:
        held = self._held.get(node, {})
        for topic in topics:
            self._count -= held.pop(topic, None) is not None
        if not held:
            self._held.pop(node, None)
