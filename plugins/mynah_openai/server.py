"""A server and the connections to it: opened, kept alive, asked at its pace, its faults told in words."""

from __future__ import annotations

import asyncio
import logging
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from mynah import EngineError, EngineUnavailable
from mynah_openai.config import ServerOptions
from mynah_openai.events import body
from mynah_openai.pace import SOON_S, Pace
from mynah_openai.troubles import Hurried, Refused, known_errors, no_api, trouble, unreachable

if TYPE_CHECKING:
    import httpx
    from openai import AsyncOpenAI

log = logging.getLogger(__name__)

REACH_S: Final = 1.5
"""How long opening waits for a sign of the server."""

KEEP_ALIVE_S: Final = 300.0
"""How long an idle connection is kept; the server may close it sooner."""

MAX_IDLE: Final = 20
PRELOAD_S: Final = 120.0

Ask = Callable[["AsyncOpenAI"], AbstractAsyncContextManager[Any]]
"""Begins a request whose response is streamed."""


@asynccontextmanager
async def connected(config: Mapping[str, Any]) -> AsyncIterator[Server]:
    """Connect to the configured server. Raises `EngineUnavailable` where it is not there or refuses the key."""
    options = ServerOptions.parse(config)
    await _knock(options)
    client = await asyncio.to_thread(_client, options)
    server = Server(client, options)
    try:
        await server.greet()
        yield server
    finally:
        await server.close()
        await client.close()


def far(options: ServerOptions) -> bool:
    """Return whether a new connection to the server takes its time, as those with TLS do."""
    return options.base_url.startswith("https:")


class Server:
    """One configured server."""

    def __init__(self, client: AsyncOpenAI, options: ServerOptions) -> None:
        self._client = client
        self._pace = Pace(options.base_url)
        self._preloaded = False
        self._renewals: set[asyncio.Task[None]] = set()
        self.options = options

    async def greet(self) -> None:
        """Open a connection, so that the next request finds one. Raises `EngineUnavailable` as `connected` does."""
        try:
            async with asyncio.timeout(REACH_S):
                await self._greet()
        except TimeoutError:
            raise EngineUnavailable(f"{self.options.base_url}: connected, but no answer for {REACH_S:g} s") from None

    async def _greet(self) -> None:
        try:
            async with self.answer(lambda client: client.models.with_streaming_response.list()) as response:
                await body(response)
        except Refused as refusal:
            if refusal.status == 401:
                raise EngineUnavailable(str(refusal)) from None
            # Not every server lists its models, nor may every key see them; it is there, and that is enough.
            log.debug("%s", refusal)
        except Hurried as hurried:
            raise EngineUnavailable(str(hurried)) from None

    async def preload(self, ask: Ask) -> None:
        """Make a request for nothing but its effect on the server, once, where that is configured."""
        if not self.options.preload or self._preloaded:
            return
        self._preloaded = True
        patient = self.answer(lambda client: ask(client.with_options(timeout=PRELOAD_S)))
        try:
            async with asyncio.timeout(PRELOAD_S), patient as response:
                await body(response)
        except TimeoutError:
            raise EngineError(f"{self.options.base_url}: the model was not loaded in {PRELOAD_S:g} s") from None

    @asynccontextmanager
    async def answer(self, ask: Ask) -> AsyncIterator[Any]:
        """Give the response to a request; leaving closes it, and so aborts what the server has not yet answered.

        Raises `EngineError` for every fault of the server, also while the response is read.
        """
        try:
            async with AsyncExitStack() as stack:
                response = await self._response(ask, stack)
                with self._in_words(answering=True):
                    self._check_type(response)
                    yield response
        except (GeneratorExit, asyncio.CancelledError):
            self._renew()
            raise

    async def close(self) -> None:
        """Stop what is still at work in the background."""
        for renewal in self._renewals:
            renewal.cancel()
        if self._renewals:
            await asyncio.wait(self._renewals)

    def _renew(self) -> None:
        """Open a connection in place of one that was broken off, before the next turn needs it."""
        if far(self.options) and not self._renewals:
            task = asyncio.get_running_loop().create_task(self._greet_again(), name="openai: connecting again")
            self._renewals.add(task)
            task.add_done_callback(self._renewals.discard)

    async def _greet_again(self) -> None:
        try:
            await self.greet()
        except EngineError as error:
            log.debug("%s", error)  # the next request will say it

    async def _response(self, ask: Ask, stack: AsyncExitStack) -> Any:
        """Ask, and once more where a short pause or a fresh connection is all that it takes."""
        await self._pause()
        try:
            return await self._ask(ask, stack)
        except Hurried:
            # As a server does that closes an idle connection just when it is used again.
            log.debug("%s closed the connection; asking once more", self.options.base_url)
        except Refused as refusal:
            if refusal.pause is None or refusal.pause > SOON_S:
                raise
            log.debug("%s; waiting", refusal)
            await self._pause()
        return await self._ask(ask, stack)

    async def _pause(self) -> None:
        if wait := self._pace.wait():
            await asyncio.sleep(wait)

    async def _ask(self, ask: Ask, stack: AsyncExitStack) -> Any:
        try:
            with self._in_words(answering=False):
                return await stack.enter_async_context(ask(self._client))
        except Refused as refusal:
            if refusal.pause is not None:
                self._pace.pause(refusal.pause)
            raise

    def _check_type(self, response: Any) -> None:
        if content_type(response) == "text/html":
            raise no_api(self.options, "a web page")

    @contextmanager
    def _in_words(self, *, answering: bool) -> Iterator[None]:
        try:
            yield
        except known_errors() as error:
            # Nothing of the original is kept along: it may hold what the server echoed.
            raise trouble(error, self.options, answering=answering) from None


def content_type(response: Any) -> str:
    """Return the media type of a response, "" where it does not tell."""
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


async def _knock(options: ServerOptions) -> None:
    """See whether anybody listens, before the client library is loaded for nothing."""
    parts = urlsplit(options.base_url)
    if {parts.scheme, "all"} & urllib.request.getproxies().keys():
        return  # a way there need not begin with its own address
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(REACH_S):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except OSError as error:  # a time-out is one
        raise unreachable([error], options) from None
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def _client(options: ServerOptions) -> AsyncOpenAI:
    """Load the client library and make a client that takes nothing from the environment but proxies."""
    try:
        import httpx
        import openai
    except ImportError as error:
        raise EngineUnavailable(f"the openai library is missing ({error}); pip install 'mynah[openai]'") from None
    timeout = httpx.Timeout(options.timeout, connect=options.connect_timeout)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=MAX_IDLE, keepalive_expiry=KEEP_ALIVE_S)
    # Without these the library would send the keys and names in its own environment variables to any server.
    headers: dict[str, Any] = {"OpenAI-Organization": openai.Omit(), "OpenAI-Project": openai.Omit()}
    # The library does not ask without a key.
    keyless = options.api_key is None and "authorization" not in {name.lower() for name in options.headers}
    hooks = [_leave_key_out] if keyless else []
    # Redirects are not followed: a key is for the address that it was given for.
    client = openai.AsyncOpenAI(
        api_key=options.api_key or "none",
        base_url=options.base_url,
        max_retries=0,
        default_headers={**headers, **options.headers},
        timeout=timeout,
        http_client=httpx.AsyncClient(
            timeout=timeout, limits=limits, follow_redirects=False, event_hooks={"request": hooks}
        ),
    )
    # Each of these is imported when it is first used, which takes a third of a second: here rather than on the loop.
    for part in (client.models, client.chat.completions, client.audio.transcriptions, client.audio.speech):
        _ = part.with_streaming_response
    return client


async def _leave_key_out(request: httpx.Request) -> None:
    del request.headers["Authorization"]
