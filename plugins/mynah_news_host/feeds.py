"""A feed, the items that it had when it was last fetched, and where that is kept."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import time
from calendar import timegm
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from mynah import MynahError
from mynah_news_host.text import plain

log = logging.getLogger(__name__)

MOST_ITEMS: Final = 20
MOST_TITLE: Final = 200
MOST_SUMMARY: Final = 500
MOST_KEPT_BYTES: Final = 200_000


@dataclass(frozen=True, slots=True)
class Feed:
    """A configured feed."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of news, as plain text; `published` in seconds since the epoch, 0 where it is not told."""

    title: str
    summary: str = ""
    published: float = 0.0


@dataclass(frozen=True, slots=True)
class Copy:
    """What a feed held when it was `fetched`, and what its server wants to hear the next time."""

    fetched: float
    items: tuple[Item, ...] = ()
    etag: str = ""
    modified: str = ""


def parse(data: bytes, content_type: str) -> tuple[Item, ...]:
    """Return the first items of a feed. Takes a while: not for the loop. Raises `MynahError` for what is no feed."""
    try:
        import feedparser
    except ImportError as error:
        raise MynahError("feedparser is not installed; install it with: pip install 'mynah[news]'") from error
    # A stream, as bytes might be taken for the name of a file.
    headers = {"content-type": content_type}
    try:
        found = feedparser.parse(io.BytesIO(data), response_headers=headers, sanitize_html=False)
    except Exception as error:  # what strangers write must not end the following of other feeds
        raise MynahError(f"what it gives cannot be read: {type(error).__name__}") from error
    if not found.get("version") and not found.entries:
        raise MynahError("what it gives is no RSS or Atom feed")
    items = (_item(entry) for entry in found.entries[: MOST_ITEMS * 2])
    return tuple(item for item in items if item.title)[:MOST_ITEMS]


def _item(entry: dict[str, Any]) -> Item:
    # The entry's own values: by its usual way one is taken for the other, with a warning.
    moment = dict.get(entry, "published_parsed") or dict.get(entry, "updated_parsed")
    summary = entry.get("summary") or next((part.get("value") for part in entry.get("content", ())), "")
    try:
        published = float(timegm(moment)) if moment else 0.0
    except (ValueError, OverflowError):
        published = 0.0
    title, text = plain(entry.get("title"), MOST_TITLE), plain(summary, MOST_SUMMARY)
    return Item(title, "" if text == title else text, max(0.0, published))


class Copies:
    """The last copies of feeds, one file each in a folder of the data folder. Blocks: not for the loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, feeds: Sequence[Feed]) -> dict[Feed, Copy]:
        """Return the copies that are there; a damaged one is left out."""
        return {feed: copy for feed in feeds if (copy := self._one(feed)) is not None}

    def write(self, feed: Feed, copy: Copy) -> None:
        """Keep a copy, whole or not at all."""
        file = self._file(feed)
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".part")
        unfinished.write_text(json.dumps(asdict(copy), ensure_ascii=False), encoding="utf-8")
        unfinished.replace(file)

    def _one(self, feed: Feed) -> Copy | None:
        file = self._file(feed)
        try:
            if file.stat().st_size > MOST_KEPT_BYTES:
                raise ValueError("it is too large")  # noqa: TRY301  # the same is done about it as about a damaged one
            data = json.loads(file.read_text(encoding="utf-8"))
            items = tuple(
                Item(str(each["title"]), str(each["summary"]), float(each["published"])) for each in data["items"]
            )
            fetched = min(float(data["fetched"]), time.time())
            return Copy(fetched, items[:MOST_ITEMS], str(data["etag"]), str(data["modified"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("the last copy of the feed %r cannot be read, and is fetched anew: %s", feed.name, error)
            return None

    def _file(self, feed: Feed) -> Path:
        return self._folder / f"{hashlib.sha256(feed.url.encode()).hexdigest()[:24]}.json"
