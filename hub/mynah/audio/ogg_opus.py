"""Opus in Ogg: which packets a page brings, and how much of them is not to be heard (RFC 7845 section 4)."""

from __future__ import annotations

from dataclasses import dataclass

from mynah.audio.ogg import OggPage, OggReader
from mynah.audio.opus import OpusHead, packet_samples, parse_head


@dataclass(frozen=True, slots=True)
class OpusPage:
    """Sound packets of one stream; `excess` samples at 48 kHz of their end are padding.

    A new `head` object means that a new stream begins.
    """

    head: OpusHead
    packets: tuple[bytes, ...]
    excess: int

    @property
    def samples(self) -> int:
        """Samples at 48 kHz to hear, those to skip at the stream's start included."""
        return max(0, sum(map(packet_samples, self.packets)) - self.excess)


class OggOpusReader:
    """Takes Ogg cut anywhere and gives its Opus packets page by page, with headers and tags taken out.

    `head` is that of the stream now read, None before the first. Follows streams that are put in a row.
    """

    def __init__(self) -> None:
        self.head: OpusHead | None = None
        self._reader = OggReader()
        self._granule = 0
        self._tags_due = False

    @property
    def junk(self) -> int:
        """Bytes that were no page."""
        return self._reader.junk

    def feed(self, data: bytes) -> list[OpusPage]:
        """Return the pages that `data` completes; AudioError for a header that cannot be read."""
        return [opus for page in self._reader.feed(data) for opus in self._page(page)]

    def flush(self) -> list[OpusPage]:
        """End the stream: a page that was cut short is left out."""
        return [opus for page in self._reader.flush() for opus in self._page(page)]

    def _page(self, page: OggPage) -> list[OpusPage]:
        packets = list(page.packets)
        if page.first and packets:
            self.head = parse_head(packets.pop(0))
            self._granule = 0
            self._tags_due = True
        if self._tags_due and packets:
            packets.pop(0)
            self._tags_due = False
        if self.head is None or not packets:
            return []
        end = self._granule + sum(map(packet_samples, packets))
        known = page.granule >= 0
        excess = max(0, end - page.granule) if known and page.last else 0
        self._granule = page.granule if known else end
        return [OpusPage(self.head, tuple(packets), excess)]
