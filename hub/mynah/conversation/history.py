"""What a session remembers of its turns."""

from __future__ import annotations

from mynah.values import Exchange


class History:
    """The exchanges of a session, in the order in which their turns began; the oldest beyond `most` are forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.exchanges: tuple[Exchange, ...] = ()

    def remember(self, exchange: Exchange) -> bool:
        """Put `exchange` in, for what was known of its turn before; return whether nothing was."""
        entries = [*(entry for entry in self.exchanges if entry.turn_id != exchange.turn_id), exchange]
        entries.sort(key=lambda entry: turn_number(entry.turn_id))
        new = len(entries) > len(self.exchanges)
        self.exchanges = tuple(entries[max(0, len(entries) - self._most) :])
        return new


def turn_number(turn_id: str) -> int:
    """Return the number in the id of a turn: how many the session had up to it."""
    return int(turn_id[1:])
