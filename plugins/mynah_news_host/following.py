"""Follows feeds: tells the last copies at once, then fetches every feed again and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

import aiohttp

from mynah import Hub, MynahError
from mynah_news_host.feeds import Copies, Copy, Feed
from mynah_news_host.fetching import fetch, session
from mynah_news_host.news import knowledge
from mynah_news_host.persona import NEWS_HOST

log = logging.getLogger(__name__)

LONGEST_PAUSE_S: Final = 6 * 3600.0
STAGGER_S: Final = 0.5
"""Feeds are fetched one after the other at first, not all in the same moment."""


class Following:
    """All feeds and what they held last."""

    def __init__(self, hub: Hub, feeds: Sequence[Feed], every_s: float, at_once: int) -> None:
        self._hub = hub
        self._feeds = feeds
        self._every_s = every_s
        self._at_once = at_once
        self._copies = Copies(hub.folder / "news_host")
        self._news: dict[Feed, Copy] = {}

    async def recall(self) -> None:
        """Tell the copies that were kept."""
        self._news = await asyncio.to_thread(self._copies.read, self._feeds)
        self._renew()

    async def follow_all(self) -> None:
        """Fetch every feed again and again, until cancelled; without any there is nothing to do."""
        if not self._feeds:
            await asyncio.Event().wait()
        async with session() as http, asyncio.TaskGroup() as group:
            for number, feed in enumerate(self._feeds):
                group.create_task(self.follow(http, feed, number * STAGGER_S), name=f"news-{number}")

    async def follow(self, http: aiohttp.ClientSession, feed: Feed, pause_s: float) -> None:
        """Fetch one feed again and again; the pauses grow while it fails."""
        failures = 0
        while True:
            await asyncio.sleep(pause_s)
            try:
                copy = await fetch(http, feed, self._news.get(feed))
                await asyncio.to_thread(self._copies.write, feed, copy)
            except (MynahError, OSError) as error:
                if not failures:
                    log.warning("the feed %r: %s; what was fetched before is told on", feed.name, error)
                failures += 1
            else:
                if failures:
                    log.info("the feed %r can be fetched again", feed.name)
                failures = 0
                self._news[feed] = copy
                self._renew()
            pause_s = min(self._every_s * 2**failures, max(LONGEST_PAUSE_S, self._every_s))

    def _renew(self) -> None:
        news = {feed: self._news[feed] for feed in self._feeds if feed in self._news}
        self._hub.renew_knowledge(NEWS_HOST.name, [knowledge(news, self._feeds, self._at_once)])
