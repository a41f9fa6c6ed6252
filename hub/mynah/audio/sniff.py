"""What a stream is, told by its first bytes."""

from __future__ import annotations

from mynah.audio import webm
from mynah.audio.formats import AudioFormat
from mynah.audio.mp3 import id3_size, parse_header
from mynah.audio.ogg import MAGIC as OGG_MAGIC
from mynah.audio.opus import OPUS_RATE
from mynah.audio.wav import WavPayload
from mynah.errors import AudioError

_SPEECH = AudioFormat("wav")


def sniff(data: bytes) -> AudioFormat | None:
    """Tell the format of a stream that begins so: `wav`, `ogg_opus`, `webm_opus` or `mp3`; None if it is none of them.

    64 bytes are enough to tell, some hundred to tell an MP3 by its second frame too. Rate and channels are those of
    the header where it can be seen, else the codec's usual ones.
    """
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return _wav(data)
    if data[:4] == OGG_MAGIC:
        at = data.find(b"OpusHead", 0, 512)
        return AudioFormat("ogg_opus", OPUS_RATE, _channels(data, at + 9)) if at >= 0 else None
    if data[:4] == webm.MAGIC:
        return _webm(data)
    return _mp3(data)


def _wav(data: bytes) -> AudioFormat:
    reader = WavPayload()
    try:
        reader.feed(data)
    except AudioError:
        return _SPEECH  # a WAV all the same; reading it will say what is wrong
    return AudioFormat("wav", reader.info.rate, reader.info.channels) if reader.info else _SPEECH


def _webm(data: bytes) -> AudioFormat | None:
    codec = data.find(b"A_")
    if codec >= 0 and b"A_OPUS" not in data and not b"A_OPUS".startswith(data[codec : codec + 6]):
        return None
    at = data.find(b"OpusHead")
    return AudioFormat("webm_opus", OPUS_RATE, _channels(data, at + 9) if at >= 0 else 1)


def _mp3(data: bytes) -> AudioFormat | None:
    tag = id3_size(data)
    if tag is not None and tag >= len(data) - 4:
        return AudioFormat("mp3", 44_100, 2)
    at = tag or 0
    header = parse_header(data, at)
    if header is None:
        return None
    following = at + header.size
    if len(data) >= following + 4 and not header.continues(parse_header(data, following)):
        return None
    return AudioFormat("mp3", header.rate, header.channels)


def _channels(data: bytes, at: int) -> int:
    return data[at] if at < len(data) and data[at] in (1, 2) else 1
