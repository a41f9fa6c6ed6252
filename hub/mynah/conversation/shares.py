"""Who may have a phrase made now, where sessions of one origin are given so many voices and no more."""

from __future__ import annotations

from mynah.places import Places


class Shares:
    """The voices of all origins that have a share of them, which is one for all their sessions."""

    def __init__(self) -> None:
        self._shares: dict[tuple[str, int], Places] = {}

    def of(self, origin: str, most: int | None) -> Places | None:
        """Return the share of an origin; None where `most` says that it has none and takes what it needs."""
        return None if most is None else self._shares.setdefault((origin, most), Places(most))
