"""Ids that Home Assistant takes, and names that people read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

NAME_LENGTH: Final = 64
OPTIONS_BYTES: Final = 4096
"""How much the options of one select may take; Home Assistant's page is of no use with more."""


def tag(base: str) -> str:
    """Return what ids begin with, of letters, digits and `_`: two bases on one broker never share it."""
    if re.fullmatch("[a-z0-9_]{1,32}", base):
        return base
    slug = re.sub("[^a-z0-9]+", "_", base.lower()).strip("_")[:24]
    return f"{slug}_{hashlib.sha256(base.encode()).hexdigest()[:8]}"


def object_id(*parts: str) -> str:
    """Return the parts as the second half of an entity id, of `a-z 0-9 _`."""
    return re.sub("[^a-z0-9]+", "_", "_".join(parts).lower()).strip("_")


def readable(text: str) -> str:
    """Return a plain name for people, made from the id where it is one."""
    return plain(re.sub("[_-]+", " ", text).strip().capitalize() if re.fullmatch("[a-z0-9_-]+", text) else text)


def plain(text: str) -> str:
    """Return a text without control characters, and not too long."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:NAME_LENGTH].rstrip()


def choices(values: Iterable[str]) -> list[str]:
    """Return the values that a select can offer, each once: no empty or overlong ones, and not too many."""
    kept: list[str] = []
    left = OPTIONS_BYTES
    for value in dict.fromkeys(values):
        size = len(value.encode()) + 3  # quotes and a comma
        if value.strip() and len(value) <= NAME_LENGTH and value.isprintable() and size <= left:
            kept.append(value)
            left -= size
    return kept


def mac_address(digits: str) -> str | None:
    """Return a MAC address as Home Assistant compares them, or None where `digits` is none."""
    plain = re.sub("[:-]", "", digits.lower())
    return ":".join(re.findall("..", plain)) if re.fullmatch("[0-9a-f]{12}", plain) else None
