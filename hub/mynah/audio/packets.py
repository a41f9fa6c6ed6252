"""FFmpeg's packet decoders, and the judgement whether what came was sound at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from mynah.audio.pcm import Pcm, frame_pcm
from mynah.errors import AudioError

if TYPE_CHECKING:
    from av import AudioCodecContext

MAX_JUNK: Final = 64 * 1024
_NAMES = {"mp3": "MP3", "opus": "Opus", "ogg_opus": "Ogg Opus", "webm_opus": "WebM with Opus", "ima_adpcm": "IMA ADPCM"}


class Evidence:
    """Tells sound from garbage: whether anything was decoded, and how much came that could not be."""

    def __init__(self, codec: str) -> None:
        self._name = _NAMES[codec]
        self._found = False
        self._fed = False

    def found(self) -> None:
        """Something of the format was met."""
        self._found = True

    def check(self, data: bytes, junk: int) -> None:
        """After each feed; AudioError once there was too much junk and nothing else."""
        self._fed = self._fed or bool(data)
        if junk > MAX_JUNK:
            self.finish()

    def finish(self) -> None:
        """AudioError if something came and nothing of it was sound."""
        if self._fed and not self._found:
            raise AudioError(f"this is not {self._name}, or it is damaged: no sound in it can be decoded")


def open_decoder(name: str, rate: int = 0, channels: int = 0, head: bytes = b"") -> AudioCodecContext:
    """FFmpeg's decoder of that name; `head` is an OpusHead. AudioError if it refuses the header."""
    from av import CodecContext, FFmpegError

    codec = cast("AudioCodecContext", CodecContext.create(name, "r"))
    if rate:
        codec.rate = rate
    if channels:
        codec.layout = "mono" if channels == 1 else "stereo"
    if head:
        codec.extradata = head  # libopus takes pre-skip, gain and channels from it
    try:
        codec.open()
    except FFmpegError as error:
        raise AudioError(f"this sound cannot be decoded: {error.strerror}") from error
    return codec


def decode_packet(codec: AudioCodecContext, data: bytes) -> list[Pcm]:
    """PCM of one packet; nothing if it is damaged."""
    from av import FFmpegError, Packet

    try:
        frames = codec.decode(Packet(data)) if data else []
    except FFmpegError:
        return []
    return [frame_pcm(frame) for frame in frames]
