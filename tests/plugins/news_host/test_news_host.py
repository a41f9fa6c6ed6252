"""The news host, on a server of feeds on this machine: fetched, kept, told, and told again without a network."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import subprocess
import sys
import time
from contextlib import aclosing, asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from mynah import MynahError, OutletOptions, SessionOptions, TurnFinished
from mynah.config import load_config
from mynah.errors import ConfigError
from mynah.testing.hubs import run_hub
from mynah.testing.virtual_time import run_in_virtual_time
from mynah_news_host import mynah_components
from mynah_news_host.feeds import MOST_ITEMS, MOST_SUMMARY, MOST_TITLE, Copies, Copy, Feed, Item, parse
from mynah_news_host.fetching import MOST_BYTES, fetch, session
from mynah_news_host.following import Following
from mynah_news_host.text import plain, sentence, shortened

FEEDS = Path(__file__).parent / "feeds"
HARBOUR, GAZETTE = ((FEEDS / name).read_bytes() for name in ("harbour.rss", "gazette.atom"))
INSTALLED = ("news_host", "facts", "espeak")


class Server:
    """Serves feeds by path, with ETag and Last-Modified, and counts what it was asked."""

    def __init__(self):
        self.bodies = {"/harbour": HARBOUR, "/gazette": GAZETTE}
        self.headers = {}
        self.status = 200
        self.asked = []

    async def answer(self, request):
        self.asked.append((request.path, dict(request.headers)))
        if request.path == "/round":
            raise web.HTTPFound("/round")
        if self.status != 200:
            return web.Response(status=self.status, text="gone fishing")
        if request.headers.get("If-None-Match") == '"one"':
            return web.Response(status=304)
        headers = {"ETag": '"one"', "Last-Modified": "Fri, 27 Nov 2026 10:00:00 GMT", **self.headers}
        return web.Response(body=self.bodies[request.path], headers=headers)


@pytest.fixture
async def served():
    served = Server()
    app = web.Application()
    app.router.add_get("/{path:.*}", served.answer)
    async with TestServer(app) as server:
        served.url = str(server.make_url("")).rstrip("/")
        served.stop = server.close
        yield served


@pytest.fixture
def feeds(served):
    named = (("Harbour Times", "harbour"), ("Star Gazette", "gazette"))
    return {
        "news_host": {"feeds": [{"name": name, "url": f"{served.url}/{path}"} for name, path in named], "headlines": 3}
    }


class Asking:
    """Asks a hub one thing after another."""

    def __init__(self, hub):
        self._hub = hub
        self._session = hub.open_session(SessionOptions(persona="news_host"))

    async def __call__(self, text):
        async with aclosing(self._session.outputs(OutletOptions())) as outputs, asyncio.timeout(20):
            turn = self._session.submit(text)
            async for output in outputs:
                if isinstance(output, TurnFinished) and output.turn_id == turn:
                    return output.reply
        raise AssertionError("no reply")

    async def until(self, text, part):
        async with asyncio.timeout(20):
            while part not in (reply := await self(text)):  # noqa: ASYNC110  # the answer is the signal
                await asyncio.sleep(0.05)
        return reply


@asynccontextmanager
async def news(folder, config):
    async with run_hub(folder, config=config, installed=INSTALLED) as hub:
        yield Asking(hub)


# ---------------------------------------------------------------- what is told


async def test_headlines_details_topics_and_sources_are_told(tmp_path, served, feeds):
    async with news(tmp_path, feeds) as ask:
        await ask.until("what are your sources", "Star Gazette")
        await ask.until("What does the Star Gazette say?", "Comet")
        headlines = await ask.until("What are the headlines?", "bridge")
        assert headlines.startswith("Here are the headlines, fetched at ")
        assert "First, from Harbour Times: City council votes on trams." in headlines
        assert "Second, from Harbour Times: Volcano on the island of Marra wakes up." in headlines
        assert (
            "Third, from Harbour Times: New bridge opens in Tolby & cyclists cheer." in headlines
            or "Comet" in headlines
        )
        assert await ask("Tell me more about the second one") == (
            "From Harbour Times: Volcano on the island of Marra wakes up. "
            "Ash was seen over the harbour. Nobody was hurt. Read more."
        )
        about = await ask("What is new about Tolby?")
        assert "New bridge opens in Tolby" in about
        assert "Comet seen over Tolby" in about
        assert (await ask("any news about volcanoes")).startswith("From Harbour Times: Volcano")
        gazette = await ask("What does the Star Gazette say?")
        assert gazette.startswith("Star Gazette, fetched at ")
        assert gazette.endswith("First: Comet seen over Tolby. Second: Chess champion Ira Bloom wins again.")
        assert "Fourth, from" in await ask("more headlines please")
        assert await ask("what are your sources") == "I have news from Harbour Times and Star Gazette."
        assert await ask("what is new about cricket") == "I'm sorry, I have no news about that."
        assert await ask("read me the ninth one") == "There is no ninth headline. I have only 5."


async def test_it_says_how_old_its_news_are(tmp_path, served, feeds):
    async with news(tmp_path, feeds) as ask:
        said = await ask.until("How old are your news?", "Star Gazette was fetched at ")
        assert said.startswith("Harbour Times was fetched at ")


async def test_without_feeds_it_says_so_and_what_to_do(tmp_path):
    async with news(tmp_path, {}) as ask:
        assert await ask("What are the headlines?") == (
            "I have no news, because no news feeds are configured. Whoever runs this hub can add them to the "
            "configuration, under news host, feeds."
        )


async def test_where_nothing_was_ever_fetched_it_says_so(tmp_path, served, feeds):
    served.status = 503
    async with news(tmp_path, feeds) as ask:
        assert (await ask("What are the headlines?")).startswith(
            "I could not fetch any news yet from Harbour Times and"
        )


async def test_without_a_network_it_tells_its_last_copy_and_from_when_it_is(tmp_path, served, feeds):
    yesterday = time.time() - 86_400
    copies = Copies(tmp_path / "data" / "news_host")
    kept = Copy(yesterday, (Item("Lighthouse painted red", "It was white."),))
    copies.write(Feed("Harbour Times", feeds["news_host"]["feeds"][0]["url"]), kept)
    await served.stop()
    async with news(tmp_path, feeds) as ask:
        said = await ask("What are the headlines?")
        assert "Lighthouse painted red" in said
        assert time.strftime("%A", time.localtime(yesterday)) in said
        assert "I have nothing from Star Gazette yet." in await ask("How old are your news?")


async def test_what_was_fetched_is_there_after_a_restart_without_the_server(tmp_path, served, feeds):
    async with news(tmp_path, feeds) as ask:
        await ask.until("What does the Star Gazette say?", "Comet")
        await ask.until("What does the Harbour Times say?", "Volcano")
    await served.stop()
    async with news(tmp_path, feeds) as ask:
        assert "Volcano" in await ask("What are the headlines?")


async def test_a_feed_that_breaks_keeps_its_last_good_copy_and_costs_one_line(tmp_path, served, feeds, caplog):
    async with news(tmp_path, feeds) as ask:
        await ask.until("What does the Harbour Times say?", "Volcano")
    served.bodies["/harbour"], served.headers = b"<html>502</html>", {"ETag": '"two"'}
    for file in (tmp_path / "data" / "news_host").glob("*.json"):
        file.write_text(file.read_text(encoding="utf-8").replace("one", "zero"), encoding="utf-8")
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="mynah_news_host"):
        async with news(tmp_path, feeds) as ask:
            async with asyncio.timeout(20):
                while not caplog.records:  # noqa: ASYNC110  # the line in the log is the signal
                    await asyncio.sleep(0.05)
            assert "Volcano" in await ask("What does the Harbour Times say?")
    [line] = [record.getMessage() for record in caplog.records if record.name.startswith("mynah_news_host")]
    assert line.startswith("the feed 'Harbour Times': what it gives is no RSS or Atom feed;")


# ---------------------------------------------------------------- fetching


async def test_what_has_not_changed_is_not_fetched_again(served):
    feed = Feed("Harbour Times", f"{served.url}/harbour")
    async with session() as http:
        first = await fetch(http, feed, None)
        again = await fetch(http, feed, first)
    assert again.items == first.items
    assert again.fetched >= first.fetched
    asked = served.asked[1][1]
    assert (asked["If-None-Match"], asked["If-Modified-Since"]) == ('"one"', "Fri, 27 Nov 2026 10:00:00 GMT")


async def test_a_compressed_feed_is_opened(served):
    served.bodies["/harbour"], served.headers = gzip.compress(HARBOUR), {"Content-Encoding": "gzip"}
    async with session() as http:
        assert len((await fetch(http, Feed("a", f"{served.url}/harbour"), None)).items) == 3


TROUBLES = {
    "larger than 2 MiB": (b"x" * (MOST_BYTES + 10), {}),
    "larger than 2 MiB ": (gzip.compress(bytes(MOST_BYTES * 50)), {"Content-Encoding": "gzip"}),
    "not compressed as it says": (HARBOUR, {"Content-Encoding": "gzip"}),
    "compresses by 'br'": (HARBOUR, {"Content-Encoding": "br"}),
    "no RSS or Atom feed": (b"<html><body>Hello</body></html>", {"Content-Type": "text/html"}),
    "no RSS or Atom feed ": (b"", {}),
    "no RSS or Atom feed  ": (bytes(range(256)) * 40, {}),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_what_is_no_good_is_refused_with_its_reason(served, trouble):
    served.bodies["/harbour"], served.headers = TROUBLES[trouble]
    async with session() as http:
        with pytest.raises(MynahError, match=trouble.strip()):
            await fetch(http, Feed("a", f"{served.url}/harbour"), None)


async def test_errors_tell_the_status_and_no_address(served):
    served.status = 404
    async with session() as http:
        with pytest.raises(MynahError, match=r"^its server answers 404 Not Found$"):
            await fetch(http, Feed("a", f"{served.url}/harbour?key=secret"), None)
        with pytest.raises(MynahError, match=r"^it cannot be fetched: TooManyRedirects$"):
            await fetch(http, Feed("a", f"{served.url}/round?key=secret"), None)
        await served.stop()
        with pytest.raises(MynahError, match=r"^it cannot be fetched: ClientConnectorError$"):
            await fetch(http, Feed("a", f"{served.url}/harbour?key=secret"), None)


# ---------------------------------------------------------------- what a feed holds


def test_rss_is_read():
    volcano, bridge, trams = parse(HARBOUR, "application/rss+xml")
    assert volcano == Item(
        "Volcano on the island of Marra wakes up",
        "Ash was seen over the harbour. Nobody was hurt. Read more",
        1795773600.0,
    )
    assert bridge.title == "New bridge opens in Tolby & cyclists cheer"
    assert trams == Item("City council votes on trams")


def test_atom_is_read():
    comet, chess = parse(GAZETTE, "application/atom+xml")
    assert (comet.title, comet.summary) == (
        "Comet seen over Tolby", "It can be seen with field glasses until Sunday."
    )  # fmt: skip
    assert chess.summary == "She won in forty moves!"


def test_of_a_feed_that_is_cut_off_the_beginning_is_read():
    items = parse((FEEDS / "cut_off.rss").read_bytes(), "text/xml")
    assert items[0].title == "Ferry & harbour unite"


def test_entities_neither_grow_without_bounds_nor_read_files():
    try:
        items = parse((FEEDS / "laughs.rss").read_bytes(), "text/xml")
    except MynahError:
        return
    hostname = Path("/etc/hostname").read_text(encoding="utf-8").strip() if Path("/etc/hostname").exists() else "?"
    assert all(len(item.title) <= MOST_TITLE and hostname not in item.summary for item in items)


def test_the_bytes_of_a_feed_are_never_taken_for_the_name_of_a_file():
    with pytest.raises(MynahError):
        parse(str(FEEDS / "harbour.rss").encode(), "")


def test_lengths_and_numbers_are_limited():
    item = f"<item><title>{'long ' * 2000}</title><description>{'A sentence here. ' * 2000}</description></item>"
    items = parse(f"<rss version='2.0'><channel>{item * 100}</channel></rss>".encode(), "text/xml")
    assert len(items) == MOST_ITEMS
    assert all(len(item.title) <= MOST_TITLE and len(item.summary) <= MOST_SUMMARY for item in items)


@pytest.mark.parametrize(
    ("markup", "said"),
    [
        ("<p>One<br>two</p>three", "One two three"),
        ("<style>p {}</style>seen<script>x()</script>", "seen"),
        ("&lt;b&gt;bold&lt;/b&gt;", "bold"),
        ("a\u202eb\u0000c\u200b d", "abc d"),
        ("see https://example.org/x?y=1 now", "see now"),
        ("{name} and {plural}", "name and plural"),
        ("<a href='x", ""),
        (None, ""),
    ],
)
def test_only_words_are_left_of_markup(markup, said):
    assert plain(markup, 100) == said


def test_a_text_is_cut_after_a_sentence_or_else_after_a_word():
    assert shortened("One two. Three four five.", 15) == "One two."
    assert shortened("One two three four", 12) == "One two…"
    assert (sentence("Hello"), sentence("Hello!"), sentence("Wait:")) == ("Hello.", "Hello!", "Wait.")


# ---------------------------------------------------------------- copies


def test_a_damaged_copy_is_left_out_with_a_line(tmp_path, caplog):
    copies, feed, other = Copies(tmp_path), Feed("a", "http://a"), Feed("b", "http://b")
    for each in (feed, other):
        copies.write(each, Copy(1.0, (Item("x"),), "e", "m"))
    copies._file(feed).write_text('{"items": 3}', encoding="utf-8")
    assert copies.read([feed, other]) == {other: Copy(1.0, (Item("x"),), "e", "m")}
    assert "the last copy of the feed 'a' cannot be read" in caplog.text


def test_a_copy_from_the_future_is_not_newer_than_now(tmp_path):
    copies, feed = Copies(tmp_path), Feed("a", "http://a")
    copies.write(feed, Copy(time.time() + 1e6))
    assert copies.read([feed])[feed].fetched <= time.time()


# ---------------------------------------------------------------- configuration


@pytest.mark.parametrize(
    ("feeds", "message"),
    [
        ([{"name": "a", "url": "file:///etc/passwd"}], "expected an address that begins with http:// or https://"),
        ([{"url": "http://a"}], "name"),
        ([{"name": "a", "url": "http://a"}] * 31, "feeds"),
    ],
)
def test_mistakes_in_the_configuration_are_told(tmp_path, feeds, message):
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps({"news_host": {"feeds": feeds}}), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_config(file, [*mynah_components()])


def test_no_http_library_is_imported_before_the_component_runs():
    code = "import sys, mynah_news_host; print(sorted({'aiohttp', 'feedparser'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


class NoHub:
    """All that following needs of a hub."""

    def __init__(self, folder):
        self.folder = folder

    def renew_knowledge(self, persona, knowledge):
        assert persona == "news_host"


def test_pauses_grow_while_a_feed_fails_and_are_short_again_after(monkeypatch, tmp_path):
    outcomes, times = iter([MynahError("no"), MynahError("no"), Copy(1.0), MynahError("no")]), []

    async def fetched(http, feed, last):
        times.append(asyncio.get_running_loop().time())
        outcome = next(outcomes, None)
        if isinstance(outcome, Copy):
            return outcome
        raise outcome or asyncio.CancelledError

    async def scenario():
        feed = Feed("a", "http://a")
        with suppress(asyncio.CancelledError):
            await Following(NoHub(tmp_path), [feed], 900.0, 5).follow(None, feed, 0.0)

    monkeypatch.setattr("mynah_news_host.following.fetch", fetched)
    run_in_virtual_time(scenario())
    pauses = [after - before for before, after in pairwise(times)]
    assert [round(pause) for pause in pauses] == [1800, 3600, 900, 1800]
