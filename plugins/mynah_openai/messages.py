"""The hub's messages as the API has them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Final

from mynah import LISTENING, AudioClip, EngineError, Message
from mynah.audio import converter, wav_header
from mynah_openai.tool_calls import told_calls

VOICE_S: Final = 30.0
"""How much of the person's voice a request carries, the latest first; what was said before is only hinted at."""

UNHEARD: Final = "(spoken earlier; there is no transcript)"


def api_messages(messages: Sequence[Message], note: str, *, audio_input: bool) -> list[dict[str, Any]]:
    """Return messages for a request, with `note` in the one system message, as many models take no second one.

    Raises `EngineError` for audio where the model takes none.
    """
    system = [text for each in messages if each.role == "system" and isinstance(text := each.content, str)]
    rest = [each for each in messages if each.role != "system"]
    if not rest:
        raise EngineError("there is nothing to reply to")
    if not audio_input and isinstance(rest[-1].content, AudioClip):
        raise EngineError(
            "this model is given text only; set audio_input: true or put a speech-to-text engine before it"
        )
    told = [{"role": "system", "content": "\n\n".join(filter(None, [*system, note]))}]
    clips = _clips(rest) if audio_input else {}
    return told + [_message(each, clips.get(place)) for place, each in enumerate(rest)]


def wav(clip: AudioClip) -> bytes:
    """Return a clip as a WAV in the format of `LISTENING`."""
    pcm = clip.data
    if clip.format != LISTENING:
        convert = converter(clip.format, LISTENING)
        pcm = b"".join(chunk.data for chunk in [*convert.feed(clip.data), *convert.flush()])
    return wav_header(LISTENING, len(pcm)) + pcm


def _clips(messages: Sequence[Message]) -> dict[int, bytes]:
    """Return the latest clips as WAVs, by the place of their message."""
    chosen: dict[int, bytes] = {}
    left = LISTENING.pcm_bytes(VOICE_S * 1000)
    for place in range(len(messages) - 1, -1, -1):
        clip = messages[place].content
        if not isinstance(clip, AudioClip):
            continue
        sound = wav(clip)
        left -= len(sound)
        if left < 0 and chosen:
            break
        chosen[place] = sound
    return chosen


def _message(message: Message, sound: bytes | None) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.call_id, "content": _text(message)}
    if sound is not None:
        data = base64.b64encode(sound).decode()
        part = {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}
        return {"role": message.role, "content": [part]}
    told: dict[str, Any] = {"role": message.role, "content": _text(message)}
    if message.calls:
        told["tool_calls"] = told_calls(message.calls)
    return told


def _text(message: Message) -> str:
    return message.content if isinstance(message.content, str) else UNHEARD
