"""A persona that tells headlines from RSS and Atom feeds, and the component that fetches them.

What was fetched is kept in the data folder, so that there are news after a restart without a network; how old they are
is told with them. What comes from a feed is text of strangers: markup is dropped and lengths are limited.
"""

from __future__ import annotations

from collections.abc import Iterable

from mynah import ComponentSpec, PersonaSpec, hookimpl
from mynah_news_host.component import run
from mynah_news_host.config import SCHEMA
from mynah_news_host.persona import NEWS_HOST


@hookimpl
def mynah_components() -> Iterable[ComponentSpec]:
    """Declare what fetches the feeds."""
    yield ComponentSpec(
        name="news_host", run=run, schema=SCHEMA, description="News: the feeds that the persona news_host tells of."
    )


@hookimpl
def mynah_personas() -> Iterable[PersonaSpec]:
    """Declare the news host."""
    yield NEWS_HOST
