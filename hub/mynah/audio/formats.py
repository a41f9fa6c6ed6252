"""Audio formats: what a stretch of bytes is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from mynah.errors import AudioError

Codec = Literal["pcm_s16le", "wav", "mp3", "opus", "ogg_opus", "webm_opus", "ima_adpcm"]
CODECS: Final[tuple[Codec, ...]] = get_args(Codec)

MIN_RATE: Final = 4_000
MAX_RATE: Final = 192_000


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """What bytes of audio are: codec, sample rate in Hz, channels.

    `pcm_s16le` is raw signed 16-bit little-endian, interleaved. `wav` is the same behind a RIFF header. `opus` is one
    raw Opus packet per chunk; `ogg_opus` and `webm_opus` are containers. `ima_adpcm` is a stream of 4-bit IMA ADPCM
    blocks (see `mynah.audio.adpcm`). For compressed formats the rate is that of the decoded sound.
    """

    codec: Codec = "pcm_s16le"
    rate: int = 16_000
    channels: int = 1

    def __post_init__(self) -> None:
        if self.codec not in CODECS:
            raise AudioError(f"unknown audio codec {self.codec!r}; known are {', '.join(CODECS)}")
        if not MIN_RATE <= self.rate <= MAX_RATE:
            raise AudioError(f"sample rate {self.rate} Hz is outside {MIN_RATE} to {MAX_RATE}")
        if self.channels not in (1, 2):
            raise AudioError(f"{self.channels} channels are not supported; use 1 or 2")

    @property
    def is_pcm(self) -> bool:
        """Whether the bytes are raw samples, so that any even cut is a valid one."""
        return self.codec == "pcm_s16le"

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels, as PCM."""
        return 2 * self.channels

    def pcm_ms(self, size: int) -> float:
        """Milliseconds that `size` bytes of PCM of this rate and channels last."""
        return size / self.frame_bytes * 1000 / self.rate

    def pcm_bytes(self, ms: float) -> int:
        """Bytes of PCM for `ms` milliseconds, a whole number of frames."""
        return int(ms * self.rate / 1000) * self.frame_bytes

    def __str__(self) -> str:
        return f"{self.codec}/{self.rate}/{self.channels}"


LISTENING: Final = AudioFormat("pcm_s16le", 16_000, 1)
"""The one format in which the hub listens: recognisers and detectors are given this."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Some audio, as an engine made it or an outlet takes it; carries its format and its length.

    `ms` is how long it sounds; where a codec cannot tell for a fragment, the stream's total is right in the sum.
    """

    data: bytes
    format: AudioFormat
    ms: float = 0.0
