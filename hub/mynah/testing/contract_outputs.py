"""What the outputs of each kind of engine must be like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mynah.audio import LISTENING, AudioChunk, converter
from mynah.errors import AudioError
from mynah.testing.contract_run import ContractBroken
from mynah.values import ReplyNote, Token, ToolCall, Transcript, WordMark

CHUNK_MS: Final = 1.0
"""How exactly a chunk of PCM tells its length."""

STREAM_MS: Final = 150.0
STREAM_SHARE: Final = 0.05
"""How exactly a compressed stream tells its length: encoders add some silence before and after."""


def honest_transcripts(outputs: Sequence[Any]) -> None:
    """Demand transcripts of which exactly one is final, the last."""
    only(outputs, Transcript)
    finals = [place for place, transcript in enumerate(outputs) if transcript.final]
    if len(finals) != 1:
        raise ContractBroken(f"gave {len(finals)} final transcripts; give exactly one")
    if finals[0] != len(outputs) - 1:
        raise ContractBroken("gave a partial transcript after the final one")
    confidence = outputs[-1].confidence
    if confidence is not None and not 0 <= confidence <= 1:
        raise ContractBroken(f"gave a confidence of {confidence:g}; it goes from 0 to 1")
    _keeps_its_word(outputs)


def _keeps_its_word(transcripts: Sequence[Transcript]) -> None:
    """Demand that what was settled stays as it was, as long as anything is understood at all."""
    settled = ""
    for transcript in transcripts:
        text, pauses = transcript.text, transcript.pauses
        if text and not text.startswith(settled):
            raise ContractBroken(f"gave {text!r} after {settled!r} was settled; what is settled does not change")
        if not 0 <= transcript.settled <= len(text):
            raise ContractBroken(f"settled {transcript.settled} characters of {text!r}")
        if list(pauses) != sorted(set(pauses)) or any(not 0 < place <= len(text) for place in pauses):
            raise ContractBroken(f"gave {pauses} for the pauses in {text!r}; give places in it, in order")
        settled = max(settled, text[: transcript.settled], key=len)


def nothing_heard(outputs: Sequence[Any]) -> None:
    """Demand a final transcript without words."""
    honest_transcripts(outputs)
    if outputs[-1].text.strip():
        raise ContractBroken(f"heard {outputs[-1].text!r} where there was no audio")


def reply_items(outputs: Sequence[Any]) -> None:
    """Demand nothing of a reply but the types of its outputs."""
    only(outputs, Token, ToolCall, ReplyNote)


def reply_words(outputs: Sequence[Any]) -> str:
    """Return what a reply says, however it is cut into tokens."""
    return "".join(item.text for item in outputs if isinstance(item, Token))


def honest_reply(outputs: Sequence[Any]) -> None:
    """Demand a reply that has words, or asks for a tool."""
    reply_items(outputs)
    if not reply_words(outputs).strip() and not any(isinstance(item, ToolCall) for item in outputs):
        raise ContractBroken("gave no words; a reply that does not know says so in words too")


def honest_translation(outputs: Sequence[Any]) -> None:
    """Demand a translation that has words."""
    only(outputs, str)
    if not "".join(outputs).strip():
        raise ContractBroken("gave no words for a text that has some")


def nothing_translated(outputs: Sequence[Any]) -> None:
    """Demand no words where there were none."""
    only(outputs, str)
    if "".join(outputs).strip():
        raise ContractBroken(f"translated an empty text as {''.join(outputs)!r}")


def honest_speech(outputs: Sequence[Any], text: str) -> None:
    """Demand audio of one format, as long as it says, that can be decoded, with word marks that fit `text`."""
    chunks = honest_audio(outputs)
    if not any(chunk.data for chunk in chunks):
        raise ContractBroken("gave no audio for a text that has words")
    ms = sum(chunk.ms for chunk in chunks) or decoded_ms(chunks)
    _honest_marks([item for item in outputs if isinstance(item, WordMark)], text, ms)


def honest_audio(outputs: Sequence[Any]) -> list[AudioChunk]:
    """Return the audio among `outputs`, of which nothing is demanded but that it is what it says."""
    only(outputs, AudioChunk, WordMark)
    chunks = [item for item in outputs if isinstance(item, AudioChunk)]
    formats = list(dict.fromkeys(chunk.format for chunk in chunks))
    if len(formats) > 1:
        raise ContractBroken(f"mixed the formats {', '.join(map(str, formats))} in one call")
    if chunks and formats[0].is_pcm:
        _honest_pcm(chunks)
    elif chunks:
        _honest_stream(chunks)
    return chunks


def _honest_pcm(chunks: Sequence[AudioChunk]) -> None:
    format = chunks[0].format
    told = any(chunk.ms for chunk in chunks)  # where the engine leaves all lengths out, the hub measures them
    for place, chunk in enumerate(chunks):
        if len(chunk.data) % format.frame_bytes:
            raise ContractBroken(
                f"chunk {place} has {len(chunk.data)} bytes, which are not whole frames of {format.frame_bytes}"
            )
        lasts = format.pcm_ms(len(chunk.data))
        if told and abs(chunk.ms - lasts) > CHUNK_MS:
            raise ContractBroken(f"chunk {place} says that it lasts {chunk.ms:g} ms; its bytes last {lasts:g} ms")


def _honest_stream(chunks: Sequence[AudioChunk]) -> None:
    told, lasts = sum(chunk.ms for chunk in chunks), decoded_ms(chunks)
    if abs(told - lasts) > max(STREAM_MS, STREAM_SHARE * lasts):
        raise ContractBroken(f"the chunks say that they last {told:.0f} ms; decoded they last {lasts:.0f} ms")


def decoded_ms(chunks: Sequence[AudioChunk]) -> float:
    """Return how long the chunks of one call sound. Raises `ContractBroken` where they cannot be decoded."""
    decode = converter(chunks[0].format, LISTENING)
    try:
        pieces = [piece for chunk in chunks for piece in decode.feed(chunk.data)] + decode.flush()
    except AudioError as error:
        raise ContractBroken(f"gave audio that is not the {chunks[0].format} it says it is: {error}") from error
    return LISTENING.pcm_ms(sum(len(piece.data) for piece in pieces))


def _honest_marks(marks: Sequence[WordMark], text: str, ms: float) -> None:
    ends = [mark.char_end for mark in marks]
    times = [mark.end_ms for mark in marks]
    if ends != sorted(ends) or times != sorted(times):
        raise ContractBroken("gave word marks that go back; they come in the order of the words")
    if ends and not 0 < ends[0] <= ends[-1] <= len(text):
        raise ContractBroken(f"gave a word mark at character {ends[-1]} of a text of {len(text)}")
    if times and times[-1] > ms + STREAM_MS:
        raise ContractBroken(f"gave a word mark at {times[-1]:.0f} ms of audio that lasts {ms:.0f} ms")


def only(outputs: Sequence[Any], *kinds: type) -> None:
    """Demand that all outputs are of these kinds."""
    for output in outputs:
        if not isinstance(output, kinds):
            names = " or ".join(kind.__name__ for kind in kinds)
            raise ContractBroken(f"gave {type(output).__name__}; it gives {names} only")
