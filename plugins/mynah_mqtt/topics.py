"""The names of topics, made and read. See docs/mqtt.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

ID: Final = re.compile(r"[a-z0-9_-]{1,64}\Z")
SPEAKERS_OWN: Final = ("availability", "info", "state", "event", "reply")
"""What a speaker's topics end in where it is the speaker that writes them."""

SETTABLE: Final = ("+", "volume", "mute", "microphone", "persona", "language", "voice", "firmware")
"""What a speaker may ask for of `<property>/set`."""

Place = Literal["hub", "speaker", "group", "request", "response"]


@dataclass(frozen=True, slots=True)
class Address:
    """A topic taken apart: of a hub the leaf, of a speaker or group its name and the leaf, of a request its name.

    The leaf of `volume/set` is `set`, and its `property` is `volume`.
    """

    place: Place
    name: str
    leaf: str
    property: str = ""


@dataclass(frozen=True, slots=True)
class Topics:
    """Every topic below one base."""

    base: str = "mynah"

    def hub(self, leaf: str) -> str:
        """Return a topic of the hub's own."""
        return f"{self.base}/hub/{leaf}"

    def speaker(self, id: str, leaf: str) -> str:
        """Return a topic of a speaker."""
        return f"{self.base}/speaker/{id}/{leaf}"

    def group(self, name: str, leaf: str) -> str:
        """Return a topic of a group or an area."""
        return f"{self.base}/group/{name}/{leaf}"

    @property
    def followed(self) -> tuple[str, ...]:
        """What the hub subscribes to."""
        return (
            self.speaker("+", "availability"),
            self.speaker("+", "info"),
            self.speaker("+", "state"),
            self.speaker("+", "cmd"),
            self.speaker("+", "reply"),
            self.speaker("+", "event"),
            self.speaker("+", "+/set"),
            self.group("+", "cmd"),
            self.hub("request/+"),
        )

    def read(self, topic: str) -> Address | None:
        """Return what `topic` says, or None for one that is none of these."""
        if not topic.startswith(self.base + "/"):
            return None
        match topic[len(self.base) + 1 :].split("/"):
            case ["speaker", id, leaf] if ID.match(id):
                return Address("speaker", id, leaf)
            case ["speaker", id, name, "set"] if ID.match(id):
                return Address("speaker", id, "set", name)
            case ["group", name, leaf] if ID.match(name):
                return Address("group", name, leaf)
            case ["hub", "request", name]:
                return Address("request", name, "")
            case ["hub", "response", name]:
                return Address("response", name, "")
            case ["hub", leaf]:
                return Address("hub", "", leaf)
        return None

    def speaker_reads(self, id: str, pattern: str) -> bool:
        """Whether a speaker may subscribe to `pattern`, or receive what is on a topic of that name."""
        own = self.speaker(id, "")
        if pattern in (own + "cmd", self.hub("availability")):
            return True
        rest = pattern.removeprefix(own).split("/")
        return pattern.startswith(own) and len(rest) == 2 and rest[1] == "set" and rest[0] in SETTABLE

    def speaker_writes(self, id: str, topic: str) -> bool:
        """Whether a speaker may publish on `topic`."""
        return topic in {self.speaker(id, leaf) for leaf in SPEAKERS_OWN}

    def may_be_retained(self, topic: str) -> bool:
        """Whether a broker may keep what is published there for those who come later."""
        address = self.read(topic)
        return address is None or address.leaf not in ("cmd", "set", "reply", "event")
