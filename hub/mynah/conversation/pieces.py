"""Long stretches of audio, cut into pieces."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from mynah.audio import AudioChunk
from mynah.audio.mp3 import Mp3Header, parse_header
from mynah.conversation.playback import ROUNDING_MS
from mynah.values import WordMark

Item = AudioChunk | WordMark
"""What a voice gives."""


def pieces(audio: AudioChunk, longest_ms: float) -> Iterator[AudioChunk]:
    """Cut `audio` into pieces of `longest_ms` at most, PCM between samples; a packet of raw Opus stays whole.

    Of no bytes there are no pieces.
    """
    if not audio.data:
        return
    if audio.ms <= longest_ms or audio.format.codec == "opus":
        yield audio
        return
    whole = audio.format.frame_bytes if audio.format.is_pcm else 1
    size = max(whole, int(len(audio.data) * longest_ms / audio.ms) // whole * whole)
    for start in range(0, len(audio.data), size):
        data = audio.data[start : start + size]
        yield AudioChunk(data, audio.format, audio.ms * len(data) / len(audio.data))


def beginning(audio: AudioChunk, ms: float) -> AudioChunk | None:
    """Return the first `ms` of `audio`: PCM to the sample, MP3 to the frame, a packet of Opus wholly or not at all.

    An MP3 frame that began before `audio` stays. None where nothing else can follow what is left: in containers, and in
    ADPCM.
    """
    if audio.format.is_pcm:
        data = audio.data[: audio.format.pcm_bytes(max(0.0, ms) + ROUNDING_MS)]
        return AudioChunk(data, audio.format, audio.format.pcm_ms(len(data)))
    if audio.format.codec == "mp3":
        return _first_frames(audio, ms)
    if audio.format.codec == "opus":
        return audio if audio.ms / 2 <= ms else AudioChunk(b"", audio.format)
    return None


def _first_frames(audio: AudioChunk, ms: float) -> AudioChunk:
    data = audio.data
    found = ((at, header) for at in range(len(data) - 3) if (header := _frame(data, at)))
    end, header = next(found, (len(data), None))
    if header is None:  # some of one frame
        return audio if audio.ms / 2 <= ms else AudioChunk(b"", audio.format)
    frame_ms = header.samples * 1000 / header.rate
    kept_ms = frame_ms if end and not data.startswith(b"ID3") else 0.0
    while header is not None and end + header.size <= len(data) and kept_ms + frame_ms / 2 <= ms:
        end, kept_ms = end + header.size, kept_ms + frame_ms
        header = parse_header(data, end)
    return AudioChunk(data[:end], audio.format, kept_ms)


def _frame(data: bytes, at: int) -> Mp3Header | None:
    """Return the header of the frame at `at`, one that another follows or the end of the data."""
    header = parse_header(data, at)
    if header is None:
        return None
    after = at + header.size
    return header if after > len(data) - 4 or header.continues(parse_header(data, after)) else None


def beginning_of(items: Iterable[Item], at_ms: float, until_ms: float) -> tuple[deque[Item], float] | None:
    """Return those of `items`, the first of which begins at `at_ms`, that end by `until_ms`, and where they end.

    The audio that `until_ms` falls into is cut. None where it cannot be.
    """
    kept: deque[Item] = deque()
    for item in items:
        if isinstance(item, WordMark) or at_ms + item.ms <= until_ms + ROUNDING_MS:
            kept.append(item)
            at_ms += item_ms(item)
            continue
        if (part := beginning(item, until_ms - at_ms)) is None:
            return None
        if part.data:
            kept.append(part)
            at_ms += part.ms
        break
    return kept, at_ms


def item_ms(item: Item) -> float:
    """Return how long `item` sounds."""
    return item.ms if isinstance(item, AudioChunk) else 0.0
