"""A scripted hub for the wire's tests: it keeps the promises of `mynah.Hub` and `mynah.Session`, and no more."""

from __future__ import annotations

import asyncio
import warnings
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import mynah
from mynah.testing.speaker import FakeSpeaker
from mynah_websocket import mynah_routes

PCM = mynah.AudioFormat("pcm_s16le", 24_000, 1)


class Outlet:
    """One attachment of a session."""

    def __init__(self, options: mynah.OutletOptions, resume: bool) -> None:
        self.options, self.resume, self.over = options, resume, False


class ScriptedSession:
    """Notes every call; gives what the test puts into it with `give`."""

    def __init__(self, id: str, options: mynah.SessionOptions) -> None:
        self.id, self.options = id, options
        self.context: dict[str, str] = dict(options.context)
        self.closed = False
        self.calls: list[tuple[Any, ...]] = []
        self.outlets: list[Outlet] = []
        self.on_text: Callable[[str], Any] = lambda text: None
        self.refuses: Exception | None = None
        self._waiting: deque[mynah.Output] = deque()
        self._changed = asyncio.Event()
        self.nobody = asyncio.Event()

    def give(self, *outputs: mynah.Output) -> None:
        self._waiting.extend(outputs)
        self._changed.set()

    def note(self, *call: Any) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.calls.append(call)

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [call[1:] for call in self.calls if call[0] == name]

    def update(self, *, persona=None, language=None, context=None) -> None:
        self.note("update", persona, language, context)

    def listen(self, format, mode="push_to_talk") -> None:
        self.note("listen", format, mode)

    def feed(self, data: bytes) -> None:
        self.note("feed", data)

    def end_listening(self) -> None:
        self.note("end_listening")

    def submit(self, text, *, language=None) -> str:
        self.note("submit", text, language)
        self.on_text(text)
        return "t1"

    def say(self, text, *, language=None, start_at=None, urgency="reply") -> str:
        self.note("say", text, language, start_at)
        self.on_text(text)
        return "t1"

    def greet(self) -> str:
        self.note("greet")
        return "t1"

    def interrupt(self, reason="interrupt") -> bool:
        """As the real one: nothing of the turn that waits goes out any more."""
        self.note("interrupt", reason)
        self._waiting.clear()
        self.give(mynah.Interrupted(turn_id="t1", heard_ms=20.0, heard="One", reason=reason))
        return True

    def played(self, turn_id, ms) -> None:
        self.note("played", turn_id, ms)

    def note_volume(self, percent) -> None:
        self.note("note_volume", percent)

    async def outputs(self, options, *, resume=False) -> AsyncGenerator[mynah.Output, None]:
        for outlet in self.outlets:
            outlet.over = True
        self.outlets.append(mine := Outlet(options, resume))
        self._changed.set()
        self.nobody.clear()
        try:
            while not (mine.over or self.closed):
                if self._waiting:
                    yield self._waiting.popleft()
                else:
                    self._changed.clear()
                    await self._changed.wait()
        finally:
            mine.over = True
            if all(outlet.over for outlet in self.outlets):
                self.nobody.set()

    def close(self) -> None:
        self.closed = True
        self._changed.set()


class ScriptedHub:
    """Opens scripted sessions. `access_as` is who the server takes every caller for."""

    def __init__(self) -> None:
        self.opened: list[ScriptedSession] = []
        self.gone: list[tuple[str, str]] = []
        self.access_as: tuple[str, str] | None = ("admin", "")
        self.tokens = {"boss": ("admin", ""), "lion": ("speaker", "lion_house"), "eyes": ("viewer", "")}
        self.on_open: Callable[[ScriptedSession], Any] = lambda session: None
        self.refuses: Exception | None = None

    @property
    def only(self) -> ScriptedSession:
        (session,) = self.opened
        return session

    def access(self, token: str):
        return self.tokens.get(token)

    def sessions(self):
        return [
            {"id": s.id, "speaker": s.options.speaker, "persona": s.options.persona or "sparrow", "language": "en"}
            for s in self.opened
            if not s.closed
        ]

    def open_session(self, options: mynah.SessionOptions) -> ScriptedSession:
        if self.refuses is not None:
            raise self.refuses
        session = ScriptedSession(f"s{len(self.opened) + 1}", options)
        self.opened.append(session)
        self.on_open(session)
        return session

    def session(self, session_id: str) -> ScriptedSession:
        for session in self.opened:
            if session.id == session_id and not session.closed:
                return session
        raise mynah.InputError(f"no session {session_id!r} is open")

    def close_session(self, session_id: str, reason: str = "closed") -> None:
        self.session(session_id).close()
        self.gone.append((session_id, reason))


@pytest.fixture
def scripted_hub() -> ScriptedHub:
    return ScriptedHub()


@pytest.fixture
async def url(scripted_hub):
    """The address of a server with nothing but the plugin's route, served as the http plugin does."""
    (route,) = mynah_routes()

    async def handle(request: web.Request) -> web.StreamResponse:
        with warnings.catch_warnings():  # aiohttp would rather have a typed key than a string
            warnings.simplefilter("ignore", web.NotAppKeyWarning)
            request["access"] = scripted_hub.access_as
        return await route.handle(scripted_hub, request)

    app = web.Application()
    app.router.add_get(route.path, handle)
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


@pytest.fixture
def speaker(url):
    """Connect a fake speaker to the scripted hub."""

    @asynccontextmanager
    async def connect(**hello: Any):
        async with FakeSpeaker(url, **hello) as one:
            yield one

    return connect


def _speech(phrase: int, text: str, *chunks: bytes, turn: str = "t1", track: int = 0, at_ms: float = 0.0):
    yield mynah.SpeechStarted(turn_id=turn, phrase=phrase, format=PCM, text=text, track=track, at_ms=at_ms)
    total = 0.0
    for data in chunks:
        audio = mynah.AudioChunk(data, PCM, PCM.pcm_ms(len(data)))
        yield mynah.SpeechChunk(turn_id=turn, phrase=phrase, audio=audio, track=track, at_ms=at_ms + total)
        total += audio.ms
    yield mynah.SpeechEnded(turn_id=turn, phrase=phrase, track=track, ms=total)


def _finished(reply: str, phrases: int = 1, turn: str = "t1", outcome: Any = "answered") -> mynah.TurnFinished:
    timeline = mynah.Timeline(marks={"speech_end": 10.0, "first_token": 10.1, "first_audio": 10.25, "finished": 10.5})
    timeline.engine("thinking", "parrot", 100.0)
    timeline.engine("speaking", "parrot", 140.0)
    return mynah.TurnFinished(turn_id=turn, outcome=outcome, reply=reply, phrases=phrases, timeline=timeline)


def _reply(turn: str = "t1"):
    """A whole turn of two phrases."""
    one, two = b"\x01\x02" * 480, b"\x03\x04" * 480
    return [
        mynah.StageStarted(turn_id=turn, stage="thinking"),
        mynah.ReplyToken(turn_id=turn, text="One. "),
        mynah.PhraseReady(turn_id=turn, phrase=1, text="One."),
        *_speech(1, "One.", one, one, turn=turn),
        mynah.ReplyToken(turn_id=turn, text="Two."),
        mynah.PhraseReady(turn_id=turn, phrase=2, text="Two."),
        *_speech(2, "Two.", two, turn=turn, at_ms=40.0),
        _finished("One. Two.", 2, turn=turn),
    ]


@pytest.fixture
def outputs():
    """Make outputs: `speech(phrase, text, *chunks)`, `finished(reply)`, `reply()`, and the format `pcm`."""
    return SimpleNamespace(speech=_speech, finished=_finished, reply=_reply, pcm=PCM)
