"""The voice: audio is handed on as it arrives."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mynah import AudioChunk, AudioError, AudioFormat, EngineError, Grounding, Hints, Voice
from mynah_openai.events import body
from mynah_openai.server import Server, connected, content_type
from mynah_openai.sound import Sound
from mynah_openai.troubles import no_api, told

if TYPE_CHECKING:
    from openai import AsyncOpenAI

SPEEDS: Final = (0.25, 4.0)
"""The slowest and the fastest that the API knows."""


@asynccontextmanager
async def open_speech(config: Mapping[str, Any], folder: Path) -> AsyncIterator[SpeechModel]:
    """Open the engine; `folder` is not used. Raises `EngineUnavailable` where the server cannot be used."""
    async with connected(config) as server:
        yield SpeechModel(server, config)


class SpeechModel:
    """A voice behind `/audio/speech`; gives no word marks, as the API has none."""

    def __init__(self, server: Server, config: Mapping[str, Any]) -> None:
        self._server = server
        self._config = config
        self._format = _asked(config["format"], config["sample_rate"])

    async def synthesize(self, text: str, *, voice: Voice, language: str) -> AsyncIterator[AudioChunk]:
        """Yield the audio of `text` as it arrives. Pitch, volume and language are the voice's own.

        Raises `EngineError` for every fault of the server, and where it gives no audio.
        """
        if not text.strip():
            return
        given = False
        async with self._server.answer(lambda client: self._create(client, text, voice)) as response:
            if content_type(response) in ("application/json", "text/plain"):
                raise await self._no_audio(response)
            sound = Sound(self._format, content_type(response))
            async with aclosing(response.iter_bytes()) as received:
                async for data in received:
                    for chunk in self._chunks(sound, data):
                        given = True
                        yield chunk
        for chunk in self._chunks(sound, None):
            given = True
            yield chunk
        if not given:
            raise EngineError(f"{self._server.options.base_url}: the server gave no audio")

    async def warm_up(self, grounding: Grounding, hints: Hints) -> None:
        """Have the model loaded where so configured; a connection is open already."""
        await self._server.preload(lambda client: self._create(client, "Hi.", Voice()))

    def _chunks(self, sound: Sound, data: bytes | None) -> list[AudioChunk]:
        try:
            return sound.flush() if data is None else sound.feed(data)
        except AudioError as error:
            raise EngineError(f"{self._server.options.base_url}: the audio cannot be read: {error}") from error

    async def _no_audio(self, response: Any) -> EngineError:
        """Return the error for a server that says its trouble with a status of success."""
        options, answer = self._server.options, await body(response)
        said = told(json.loads(answer), options.secrets) if content_type(response) == "application/json" else ""
        return EngineError(f"{options.base_url}: {said}") if said else no_api(options, "text instead of audio")

    def _create(self, client: AsyncOpenAI, text: str, voice: Voice) -> AbstractAsyncContextManager[Any]:
        config = self._config
        more: dict[str, Any] = {}
        speed = min(max(config["speed"] * voice.rate, SPEEDS[0]), SPEEDS[1])
        if speed != 1:
            more["speed"] = speed
        if config["instructions"]:
            more["instructions"] = config["instructions"]
        create: Any = client.audio.speech.with_streaming_response.create
        begun: AbstractAsyncContextManager[Any] = create(
            model=config["model"],
            input=text,
            voice=voice.name or config["voice"],
            response_format=config["format"],
            extra_body=dict(config["extra_body"]) or None,
            **more,
        )
        return begun


def _asked(name: str, rate: int) -> AudioFormat:
    """Return what an API's name of a format means. Opus comes in Ogg; compressed rates are told by the stream."""
    if name == "pcm":
        return AudioFormat("pcm_s16le", rate)
    return AudioFormat("mp3", 24_000) if name == "mp3" else AudioFormat("ogg_opus", 48_000)
