"""The recogniser: an utterance is sent when it has ended, and its words come streamed where the server does that."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mynah import LISTENING, AudioFormat, EngineError, Grounding, Hints, Transcript
from mynah.audio import wav_header
from mynah_openai.events import body, events
from mynah_openai.heard import Listening, whole
from mynah_openai.languages import primary
from mynah_openai.server import Server, connected, content_type
from mynah_openai.troubles import Refused

if TYPE_CHECKING:
    from openai import AsyncOpenAI

log = logging.getLogger(__name__)

PROMPT_CHARS: Final = 600
"""About as much as a Whisper model reads of a prompt: 224 tokens."""


@asynccontextmanager
async def open_transcription(config: Mapping[str, Any], folder: Path) -> AsyncIterator[Transcriber]:
    """Open the engine; `folder` is not used. Raises `EngineUnavailable` where the server cannot be used."""
    async with connected(config) as server:
        yield Transcriber(server, config)


class Transcriber:
    """A model behind `/audio/transcriptions`."""

    def __init__(self, server: Server, config: Mapping[str, Any]) -> None:
        self._server = server
        self._config = config
        self._stream: bool = config["stream"]

    async def transcribe(
        self, audio: AsyncIterator[bytes], format: AudioFormat, *, language: str | None, hints: Hints
    ) -> AsyncIterator[Transcript]:
        """Yield partial transcripts, after the end of `audio` only, and one final one.

        Without audio nothing is sent. Raises `EngineError` for every fault of the server and for an utterance that is
        longer than configured.
        """
        pcm = await self._collected(audio, format)
        if not pcm:
            yield Transcript("", final=True)
            return
        fields = self._fields(language, hints)
        async with self._asked(wav_header(format, len(pcm)) + pcm, fields) as response:
            if content_type(response) != "text/event-stream":
                self._note_plain("ignores")
                final = whole(await body(response))
            else:
                listening = Listening()
                async with aclosing(events(response)) as stream:
                    async for event in stream:
                        if partial := listening.feed(event):
                            yield partial
                final = listening.final()
        yield final

    async def warm_up(self, grounding: Grounding, hints: Hints) -> None:
        """Have the model loaded where so configured; a connection is open already."""
        silence = bytes(LISTENING.pcm_bytes(200))
        sound = wav_header(LISTENING, len(silence)) + silence
        await self._server.preload(
            lambda client: self._create(client, sound, self._fields(None, Hints()), stream=False)
        )

    async def _collected(self, audio: AsyncIterator[bytes], format: AudioFormat) -> bytearray:
        pcm, most = bytearray(), format.pcm_bytes(self._config["max_seconds"] * 1000)
        async for chunk in audio:
            pcm += chunk
            if len(pcm) > most:
                raise EngineError(f"the utterance is longer than max_seconds: {self._config['max_seconds']:g}")
        return pcm

    def _fields(self, language: str | None, hints: Hints) -> dict[str, Any]:
        chosen = self._config["language"] or language or "auto"
        fields: dict[str, Any] = {"response_format": self._config["response_format"]}
        if chosen != "auto":
            fields["language"] = primary(chosen)  # the API takes ISO 639-1
        if prompt := _prompt(self._config["prompt"], hints):
            fields["prompt"] = prompt
        return fields

    # ---------------------------------------------------------------- asking

    @asynccontextmanager
    async def _asked(self, sound: bytes, fields: Mapping[str, Any]) -> AsyncIterator[Any]:
        async with AsyncExitStack() as stack:
            yield await self._answered(stack, sound, fields)

    async def _answered(self, stack: AsyncExitStack, sound: bytes, fields: Mapping[str, Any]) -> Any:
        stream = self._stream
        try:
            return await self._enter(stack, sound, fields, stream=stream)
        except Refused as refusal:
            if not stream or refusal.status not in (400, 422, 500, 501) or "stream" not in refusal.detail.lower():
                raise
            self._note_plain("refuses")
        return await self._enter(stack, sound, fields, stream=False)

    async def _enter(self, stack: AsyncExitStack, sound: bytes, fields: Mapping[str, Any], *, stream: bool) -> Any:
        answer = self._server.answer(lambda client: self._create(client, sound, fields, stream=stream))
        return await stack.enter_async_context(answer)

    def _create(
        self, client: AsyncOpenAI, sound: bytes, fields: Mapping[str, Any], *, stream: bool
    ) -> AbstractAsyncContextManager[Any]:
        create: Any = client.audio.transcriptions.with_streaming_response.create
        begun: AbstractAsyncContextManager[Any] = create(
            model=self._config["model"],
            file=("speech.wav", sound, "audio/wav"),
            extra_body=dict(self._config["extra_body"]) or None,
            **({"stream": True} if stream else {}),
            **fields,
        )
        return begun

    def _note_plain(self, what: str) -> None:
        """Remember that this server does not stream transcripts."""
        if self._stream:
            log.debug("%s %s stream: true; asking for whole transcripts", self._server.options.base_url, what)
            self._stream = False


def _prompt(own: str, hints: Hints) -> str:
    """Return the configured prompt and as many of the expected words as a model reads."""
    prompt = own.strip()
    told = 0
    for word in hints.words:
        text = f"{prompt}{', ' if told else ' ' if prompt else ''}{word}"
        if len(text) > PROMPT_CHARS:
            break
        prompt, told = text, told + 1
    return prompt
