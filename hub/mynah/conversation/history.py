"""What a session remembers of its turns."""

from __future__ import annotations

from collections.abc import Iterator

from mynah.values import Exchange, Message


class History:
    """The exchanges of a session, in the order in which their turns began; the oldest beyond `most` are forgotten.

    `messages` is the same as a language model takes it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.exchanges: tuple[Exchange, ...] = ()
        self.messages: tuple[Message, ...] = ()

    def remember(self, exchange: Exchange) -> bool:
        """Put `exchange` in, for what was known of its turn before; return whether nothing was."""
        entries = [*(entry for entry in self.exchanges if entry.turn_id != exchange.turn_id), exchange]
        entries.sort(key=lambda entry: turn_number(entry.turn_id))
        new = len(entries) > len(self.exchanges)
        self.exchanges = tuple(entries[max(0, len(entries) - self._most) :])
        self.messages = tuple(message for entry in self.exchanges for message in _messages(entry))
        return new


def _messages(exchange: Exchange) -> Iterator[Message]:
    yield Message("user", exchange.user)
    if exchange.reply or exchange.subject:  # stopped before a word was heard: there was no answer
        yield Message("assistant", exchange.reply, exchange.subject)


def turn_number(turn_id: str) -> int:
    """Return the number in the id of a turn: how many the session had up to it."""
    return int(turn_id[1:])
