"""Any server that speaks OpenAI's API: language models, transcription, speech and, by a prompt, translation.

Ollama, llama.cpp, vLLM, LocalAI, Speaches, Kokoro-FastAPI and OpenAI itself. Needs the extra `openai`.
"""

from __future__ import annotations

from collections.abc import Iterable

from mynah import EngineSpec, hookimpl
from mynah_openai.chat import open_chat
from mynah_openai.config import CHAT, SPEECH, TRANSCRIPTION, TRANSLATION
from mynah_openai.speech import open_speech
from mynah_openai.transcription import open_transcription
from mynah_openai.translation import open_translation


@hookimpl
def mynah_engines() -> Iterable[EngineSpec]:
    """Declare the engine `openai` of four kinds."""
    yield EngineSpec(
        name="openai",
        kind="llm",
        open=open_chat,
        schema=CHAT,
        accepts_audio=lambda config: bool(config["audio_input"]),
        description="Chat models of any OpenAI-compatible server, with tools; some take the person's voice itself.",
    )
    yield EngineSpec(
        name="openai",
        kind="stt",
        open=open_transcription,
        schema=TRANSCRIPTION,
        description="Transcription by any OpenAI-compatible server.",
    )
    yield EngineSpec(
        name="openai",
        kind="tts",
        open=open_speech,
        schema=SPEECH,
        description="Voices of any OpenAI-compatible server, streamed as PCM, MP3 or Opus.",
    )
    yield EngineSpec(
        name="openai",
        kind="translator",
        open=open_translation,
        schema=TRANSLATION,
        description="Translation by a chat model of any OpenAI-compatible server, as it is written.",
    )
