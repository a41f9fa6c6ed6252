"""What Home Assistant is told of the hub and of a speaker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SpeakerFacts:
    """A speaker. What does not apply to it is left out of Home Assistant."""

    id: str
    name: str = ""
    """For people; empty: made from the id."""
    area: str = ""
    board: str = ""
    firmware: str = ""
    """Its version; empty where there is none that could be updated or restarted, as in a browser."""
    mac: str = ""
    """Twelve hexadecimal digits."""
    records: bool = True
    """Whether it has a microphone."""
    wireless: bool = True
    """Whether its `rssi` says anything."""
    microphone: Literal["button", "open"] = "button"
    """What its microphone is when switched on."""
    personas: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HubFacts:
    """The hub."""

    name: str = "Mynah"
    http: str = ""
    """The address of its pages, with http:// or https://."""
    everyone: str = "all"
    """The group of all speakers; empty where there is none, and then the hub shows its state only."""
