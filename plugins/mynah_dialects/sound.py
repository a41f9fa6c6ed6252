"""Speech as these clients play it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from mynah import AudioChunk, AudioFormat, Output, PhraseReady, ReplyReady, SpeechChunk, TurnFailed, TurnFinished
from mynah.audio import MP3_RATES, converter, wav_header

RATES: Final = (24_000, 16_000, 22_050, 44_100, 48_000, 32_000, 8_000, 11_025, 12_000)

MP3: Final = tuple(
    AudioFormat("mp3", rate, channels) for channels in (1, 2) for rate in (24_000, *(set(MP3_RATES) - {24_000}))
)
"""Every MP3 there is, so that an engine's passes through; what is made from something else is the first."""

PCM: Final = tuple(AudioFormat("pcm_s16le", rate, channels) for channels in (1, 2) for rate in RATES)
"""Samples of the usual kinds, so that each piece that the engine makes stays one; from what is compressed the first."""

SILENCE_MS: Final = 10.0


def whole_wav(audio: AudioChunk) -> bytes:
    """Return samples as a complete WAV file."""
    return wav_header(audio.format, len(audio.data)) + audio.data


def joined(pieces: Sequence[AudioChunk]) -> tuple[bytes, float]:
    """Return `PCM` pieces as one complete WAV, and how many milliseconds it lasts.

    Where voices of different kinds spoke, that of the first sets the tone.
    """
    format = pieces[0].format if pieces else PCM[0]
    data = bytearray()
    for kind, same in groupby(pieces, key=lambda piece: piece.format):
        samples = b"".join(piece.data for piece in same)
        convert = converter(kind, format)
        data += b"".join(chunk.data for chunk in (*convert.feed(samples), *convert.flush()))
    return wav_header(format, len(data)) + data, format.pcm_ms(len(data))


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of a reply's speech: of which phrase, counted from 0 within it, and whether it is the reply's last."""

    phrase: int
    index: int
    audio: AudioChunk
    last: bool = False


class Pieces:
    """The pieces of one turn's speech. One is held back for as long as it might be the last.

    While the text is not complete, or a later phrase is known, more is sure to come, and nothing waits.
    """

    def __init__(self) -> None:
        self._held: Piece | None = None
        self._phrases = 0
        self._text_complete = False
        self._counts: dict[int, int] = {}
        self._last_format: AudioFormat | None = None

    def take(self, output: Output) -> Iterator[Piece]:
        """Yield the pieces that an output of the turn lets go."""
        match output:
            case PhraseReady(phrase=phrase):
                self._phrases = max(self._phrases, phrase)
            case ReplyReady():
                self._text_complete = True
            case SpeechChunk(phrase=phrase, audio=audio):
                yield from self._release()
                index = self._counts.get(phrase, 0)
                self._counts[phrase] = index + 1
                self._last_format = audio.format
                self._held = Piece(phrase, index, audio)
                if phrase < self._phrases or not self._text_complete:
                    yield from self._release()
            case TurnFinished() | TurnFailed():
                yield from self._end()

    def _release(self) -> Iterator[Piece]:
        if self._held is not None:
            held, self._held = self._held, None
            yield held

    def _end(self) -> Iterator[Piece]:
        if self._held is not None:
            yield replace(self._held, last=True)
            self._held = None
        elif self._last_format is not None:
            # What was sure to come failed: a moment of silence says that it is over.
            phrase = max(self._counts)
            silence = bytes(self._last_format.pcm_bytes(SILENCE_MS))
            audio = AudioChunk(silence, self._last_format, SILENCE_MS)
            yield Piece(phrase, self._counts[phrase], audio, last=True)
