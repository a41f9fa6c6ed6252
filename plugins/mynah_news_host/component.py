"""The component: renews what the persona knows, from its last copies at once, then from the feeds themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mynah import Hub
from mynah_news_host.feeds import Feed


async def run(hub: Hub, config: Mapping[str, Any], ready: Callable[[], None]) -> None:
    """Follow the configured feeds until cancelled; without any there is only to say so."""
    # aiohttp takes 0.2 s to import, which commands that work offline need not pay.
    from mynah_news_host.following import Following

    feeds = [Feed(each["name"], each["url"]) for each in config["feeds"]]
    news = Following(hub, feeds, config["every"], config["headlines"])
    await news.recall()
    ready()
    await news.follow_all()
