"""A friendly voice for the speech console: small talk, the time of day, jokes and riddles of our own, in `knowledge/`.

It says plainly that it is a program, what it can do and what it cannot, and pretends neither feelings nor friendship.
"""

from __future__ import annotations

from collections.abc import Iterable

from mynah import PersonaSpec, hookimpl
from mynah_companion.persona import COMPANION


@hookimpl
def mynah_personas() -> Iterable[PersonaSpec]:
    """Declare the companion."""
    yield COMPANION
