"""A server that speaks OpenAI's API on a loopback socket, as a script says: delays, answers, and every fault.

    async with OpenAIServer() as server:
        server.chat = Script(tokens=("Lions ", "eat meat."), first_s=0.095, each_s=0.04)
        server.speech = Script(fault="cut", after=2)
        ...  # an engine with base_url=server.base_url
        assert server.seen[-1].body["model"] == "tiny"
        await server.seen[-1].left()  # the client hung up

`chat`, `transcriptions`, `speech` and `models` each take a `Script`, or several, of which each request uses up one and
the last stays. Everything else is in `Script` and `Seen`.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
from array import array
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from aiohttp import BodyPartReader, web

Fault = Literal["", "hang", "drop", "cut", "end", "drip", "garbage", "html", "error_event"]
RATE: Final = 24_000


def tone(ms: float = 100, rate: int = RATE) -> bytes:
    """Return PCM of a tone, signed 16-bit mono."""
    samples = array("h", (int(8000 * math.sin(at / 10)) for at in range(int(rate * ms / 1000))))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What an endpoint does with a request.

    `first_s` passes before the first output, `each_s` before each further one. `tokens` are the reply's pieces (an
    utterance's words); `thoughts` come before them as `reasoning_content`; `calls` are tool-call deltas, one list a
    chunk; `audio` are the pieces of a phrase. `whole` answers with JSON, or text, although a stream was asked for; for
    transcriptions it is the answer itself. `status` other than 200 answers with `body` and `headers` and nothing else.

    Faults: `hang` answers nothing; `drop` closes the connection instead of answering; `cut` breaks it off after `after`
    outputs; `end` ends the answer there as if it were complete; `drip` gives `after` outputs and no more; `garbage`
    answers with bytes that mean nothing, after `after` outputs; `html` with a web page; `error_event` reports an error
    in the stream after `after` outputs.
    """

    tokens: Sequence[str] = ("Lions ", "eat ", "meat.")
    thoughts: Sequence[str] = ()
    calls: Sequence[Any] = ()
    audio: Sequence[bytes] = (tone(), tone(), tone())
    content_type: str = "application/octet-stream"
    finish: str | None = "stop"
    usage: Mapping[str, int] | None = None
    first_s: float = 0.0
    each_s: float = 0.0
    whole: Any = None
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Fault = ""
    after: int = 0


@dataclass(slots=True)
class Seen:
    """A request: its path, headers and body (JSON, or a form's fields with the file as bytes)."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    peer: Any
    done: bool = False
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)

    async def left(self, within_s: float = 2.0) -> None:
        """Wait until the client has closed the connection before the end of the answer."""
        async with asyncio.timeout(within_s):
            await self.disconnected.wait()


class OpenAIServer:
    """The server; see the module. `key`, where given, is demanded of every request."""

    def __init__(self, key: str | None = None) -> None:
        self.chat: Script | list[Script] = Script()
        self.transcriptions: Script | list[Script] = Script(tokens=("what ", "do ", "lions ", "eat"))
        self.speech: Script | list[Script] = Script()
        self.models: Script | list[Script] = Script()
        self.seen: list[Seen] = []
        self.key = key
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> OpenAIServer:
        await self.listen()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.refuse()

    @property
    def base_url(self) -> str:
        """The address that an engine is given; it stays the same over `refuse` and `listen`."""
        return f"http://127.0.0.1:{self._port}/v1"

    def asked(self, path: str) -> list[Seen]:
        """Return the requests whose path ends so."""
        return [seen for seen in self.seen if seen.path.endswith(path)]

    async def listen(self) -> None:
        """Accept connections, again or for the first time."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/audio/transcriptions", self._transcriptions)
        app.router.add_post("/v1/audio/speech", self._speech)
        app.router.add_get("/v1/models", self._models)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.01, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def refuse(self) -> None:
        """Break every connection and refuse new ones, as a server that was killed."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    # ---------------------------------------------------------------- endpoints

    async def _models(self, request: web.Request) -> web.StreamResponse:
        data = {"object": "list", "data": [{"id": "tiny", "object": "model"}]}
        return await self._run(request, "models", lambda script: [json.dumps(data).encode()], "application/json")

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        return await self._run(request, "chat", _chat_events, "text/event-stream")

    async def _transcriptions(self, request: web.Request) -> web.StreamResponse:
        return await self._run(request, "transcriptions", _transcript_events, "text/event-stream")

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        return await self._run(request, "speech", lambda script: list(script.audio), "")

    async def _run(self, request: web.Request, name: str, outputs: Any, media: str) -> web.StreamResponse:
        script = self._script(name)
        seen = Seen(request.path, request.headers, await _body(request), request.transport)
        self.seen.append(seen)
        try:
            return await self._answer(request, script, seen, name, outputs, media)
        except (asyncio.CancelledError, ConnectionError):
            if self._runner is not None:
                seen.disconnected.set()
            raise

    async def _answer(
        self, request: web.Request, script: Script, seen: Seen, name: str, outputs: Any, media: str
    ) -> web.StreamResponse:
        if self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": {"message": "Incorrect API key provided"}}, status=401)
        if script.fault == "hang":
            await asyncio.get_running_loop().create_future()
        if script.fault == "drop" and request.transport is not None:
            request.transport.abort()
        if script.fault == "html":
            return web.Response(text="<html><body>Hello</body></html>", content_type="text/html")
        if script.status != 200:
            await asyncio.sleep(script.first_s)
            body = script.body if script.body is not None else {"error": {"message": f"scripted {script.status}"}}
            return _plain(body, script)
        if name != "speech" and name != "models" and _wants_whole(script, seen):
            await asyncio.sleep(script.first_s)
            return _plain(script.whole if script.whole is not None else _whole(name, script), script)
        return await self._stream(request, script, seen, outputs(script), media or script.content_type)

    async def _stream(
        self, request: web.Request, script: Script, seen: Seen, outputs: Sequence[bytes], media: str
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": media, **script.headers})
        async for output in _paced(outputs, script):
            if not response.prepared:
                await response.prepare(request)
            if isinstance(output, bytes):
                await response.write(output)
            elif output == "cut" and request.transport is not None:
                request.transport.abort()
                await asyncio.sleep(0)
            elif output == "drip":
                await asyncio.get_running_loop().create_future()
        if not response.prepared:
            await response.prepare(request)
        await response.write_eof()
        seen.done = True
        return response

    def _script(self, name: str) -> Script:
        scripts = getattr(self, name)
        if isinstance(scripts, Script):
            return scripts
        return scripts.pop(0) if len(scripts) > 1 else scripts[0]


async def _paced(outputs: Sequence[bytes], script: Script) -> AsyncIterator[bytes | str]:
    """Yield the outputs at their times, and the fault, if any, in its place."""
    faulty = script.fault in ("cut", "end", "drip", "garbage", "error_event")
    for place, output in enumerate(outputs[: script.after] if faulty else outputs):
        if wait := script.first_s if place == 0 else script.each_s:
            await asyncio.sleep(wait)
        yield output
    if not faulty or script.fault == "end":
        return
    if script.fault == "garbage":
        yield b"data: \xff\xfe{nonsense\n\n" * 3
    elif script.fault == "error_event":
        yield _event({"error": {"message": "out of memory"}})
    else:
        yield script.fault


def _chat_events(script: Script) -> list[bytes]:
    deltas: list[Any] = [{"reasoning_content": thought} for thought in script.thoughts]
    deltas += [{"content": token} for token in script.tokens]
    deltas += [{"tool_calls": calls} for calls in script.calls]
    chunks = [_chunk(delta) for delta in deltas]
    if script.finish is not None:
        chunks.append(_chunk({}, script.finish))
    if script.usage is not None:
        chunks.append({"object": "chat.completion.chunk", "choices": [], "usage": dict(script.usage)})
    return [*map(_event, chunks), b"data: [DONE]\n\n"]


def _chunk(delta: Any, finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "model": "tiny", "choices": [choice]}


def _transcript_events(script: Script) -> list[bytes]:
    deltas = [_event({"type": "transcript.text.delta", "delta": token}) for token in script.tokens]
    return [*deltas, _event({"type": "transcript.text.done", "text": "".join(script.tokens)}), b"data: [DONE]\n\n"]


def _event(data: Any) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


def _wants_whole(script: Script, seen: Seen) -> bool:
    return script.whole is not None or str(seen.body.get("stream", "")).lower() != "true"


def _whole(name: str, script: Script) -> Any:
    text = "".join(script.tokens)
    if name == "transcriptions":
        return {"text": text}
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if script.calls:
        message["tool_calls"] = [call for calls in script.calls for call in calls]
    return {"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": script.finish}]}


def _plain(body: Any, script: Script) -> web.Response:
    if isinstance(body, str):
        media = "text/html" if body.startswith("<") else "text/plain"
        return web.Response(text=body, status=script.status, headers=script.headers, content_type=media)
    return web.json_response(body, status=script.status, headers=script.headers)


async def _body(request: web.Request) -> Mapping[str, Any]:
    if request.method == "GET":
        return {}
    if request.content_type == "application/json":
        body: Mapping[str, Any] = await request.json()
        return body
    fields: dict[str, Any] = {}
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader):
            data = bytes(await part.read())
            fields[part.name or ""] = data if part.filename else data.decode()
    return fields
