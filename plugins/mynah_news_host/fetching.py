"""Fetching a feed: only what is new, and never more or longer than is good."""

from __future__ import annotations

import asyncio
import time
import zlib
from dataclasses import replace
from typing import Final

import aiohttp

from mynah import MynahError, __version__
from mynah_news_host.feeds import Copy, Feed, parse

MOST_BYTES: Final = 2 * 1024 * 1024
MOST_REDIRECTS: Final = 5
TIMEOUT: Final = aiohttp.ClientTimeout(total=30, sock_connect=10, sock_read=10)
HEADERS: Final = {
    "User-Agent": f"Mynah/{__version__}",
    "Accept": "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1",
    "Accept-Encoding": "gzip",
}
_KEPT_HEADER: Final = 500


def session() -> aiohttp.ClientSession:
    """Return the session for all feeds. What is compressed is opened here, within the limit."""
    return aiohttp.ClientSession(
        timeout=TIMEOUT, headers=HEADERS, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
    )


async def fetch(http: aiohttp.ClientSession, feed: Feed, last: Copy | None) -> Copy:
    """Return what the feed holds now: `last`, with a new time, where nothing has changed. Raises `MynahError`."""
    wanted = {}
    if last is not None and last.etag:
        wanted["If-None-Match"] = last.etag
    if last is not None and last.modified:
        wanted["If-Modified-Since"] = last.modified
    try:
        async with http.get(feed.url, headers=wanted, max_redirects=MOST_REDIRECTS) as response:
            if response.status == 304 and last is not None:
                return replace(last, fetched=time.time())
            if response.status != 200:
                raise MynahError(f"its server answers {response.status} {response.reason or ''}".strip())
            data = await _body(response)
            etag, modified = (response.headers.get(name, "") for name in ("ETag", "Last-Modified"))
            kind = response.headers.get("Content-Type", "")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        # What aiohttp says may hold the address, and that a secret.
        raise MynahError(f"it cannot be fetched: {type(error).__name__}") from None
    items = await asyncio.to_thread(parse, data, kind)
    return Copy(time.time(), items, etag[:_KEPT_HEADER], modified[:_KEPT_HEADER])


async def _body(response: aiohttp.ClientResponse) -> bytes:
    coding = response.headers.get("Content-Encoding", "identity").lower()
    if coding not in ("identity", "gzip", "x-gzip", "deflate"):
        raise MynahError(f"its server compresses by {coding[:20]!r}, which was not asked for")
    opener = None if coding == "identity" else zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    data = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        try:
            data += chunk if opener is None else opener.decompress(chunk, MOST_BYTES + 1 - len(data))
        except zlib.error:
            raise MynahError("what it gives is not compressed as it says") from None
        if len(data) > MOST_BYTES:
            raise MynahError(f"it is larger than {MOST_BYTES // 1024 // 1024} MiB")
    return bytes(data)
