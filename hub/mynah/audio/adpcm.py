"""IMA ADPCM in blocks that a microcontroller decodes with a dozen lines: a quarter of the bytes of 16-bit PCM.

One channel. A stream is a row of blocks of 256 bytes, 505 samples each:

    bytes 0-1   the block's first sample, signed 16-bit little-endian; it is also where prediction starts
    byte  2     index into the step table, 0 to 88
    byte  3     0
    then        a 4-bit code for each further sample, low nibble first

Only the last block of a stream may be shorter: 4 header bytes and a multiple of 4 bytes of codes; n bytes hold
2n - 7 samples, the last sample being repeated to fill it. Each block stands alone, so a player may start at any of
them. A code c moves the prediction by step/8 + (c&1)·step/4 + (c&2)/2·step/2 + (c&4)/4·step, each term without its
fraction, down if c&8, clipped to 16 bits; the index then moves by −1 for (c&7) < 4, else by 2·(c&7) − 6, clipped to 0
to 88. It is the IMA ADPCM of WAV files (format tag 0x11, block size 256); the step table is that of the IMA
"Recommended Practices for Enhancing Digital Audio Compatibility", 1992.

FFmpeg's codec does the work: a second of 16 kHz sound takes under a millisecond. Some of its versions, and many small
decoders, move by (2·(c&7) + 1)·step/8 at once; the last bits then differ (by 33 of 32768 at most in 11 s of speech,
at the same noise level) until the next block sets them right. Both are fine here.
"""

from __future__ import annotations

from typing import Final

from mynah.audio.pcm import Pcm, frame_pcm, make_frame
from mynah.errors import AudioError

BLOCK_BYTES: Final = 256
BLOCK_SAMPLES: Final = 505
HEADER_BYTES: Final = 4


def samples_in(size: int) -> int:
    """Count the samples in the first `size` bytes of a stream, cut anywhere."""
    blocks, rest = divmod(size, BLOCK_BYTES)
    return blocks * BLOCK_SAMPLES + (2 * rest - 7 if rest >= HEADER_BYTES else 0)


class Encoder:
    """16-bit mono PCM in, whole blocks out; holds less than a block of samples."""

    def __init__(self, rate: int) -> None:
        from av import CodecContext

        self._rate = rate
        self._codec = CodecContext.create("adpcm_ima_wav", "w")
        self._codec.rate = rate
        self._codec.layout = "mono"
        self._codec.format = "s16p"
        self._codec.options = {"block_size": str(BLOCK_BYTES)}
        self._codec.open()
        self._rest = b""

    def feed(self, pcm: bytes) -> bytes:
        """Return the blocks that `pcm` (whole samples) completes."""
        data = self._rest + pcm
        size = 2 * BLOCK_SAMPLES
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        return b"".join(self._block(data[at : at + size]) for at in range(0, whole, size))

    def flush(self) -> bytes:
        """Return the last, shorter block; the encoder is done."""
        if not self._rest:
            return b""
        count = len(self._rest) // 2
        codes = (count - 1 + 7) // 8 * 4
        block = self._block(self._rest + self._rest[-2:] * (BLOCK_SAMPLES - count))
        self._rest = b""
        return block[: HEADER_BYTES + codes]

    def _block(self, pcm: bytes) -> bytes:
        return b"".join(bytes(packet) for packet in self._codec.encode(make_frame(Pcm(pcm, self._rate, 1), "s16p")))


class Decoder:
    """Blocks cut anywhere in, 16-bit mono PCM out; holds less than a block. `junk` counts bytes of damaged blocks."""

    def __init__(self, rate: int) -> None:
        from av import CodecContext

        self._codec = CodecContext.create("adpcm_ima_wav", "r")
        self._codec.rate = rate
        self._codec.layout = "mono"
        self._codec.options = {"bits_per_coded_sample": "4"}
        self._buffer = b""
        self.junk = 0

    def feed(self, data: bytes) -> bytes:
        """Return the samples of the blocks that `data` completes; a damaged block is left out."""
        data = self._buffer + data
        whole = len(data) - len(data) % BLOCK_BYTES
        self._buffer = data[whole:]
        return b"".join(self._block(data[at : at + BLOCK_BYTES]) for at in range(0, whole, BLOCK_BYTES))

    def flush(self) -> bytes:
        """Return the samples of the last, shorter block, or as much of it as came."""
        block, self._buffer = self._buffer, b""
        block = block[: len(block) - len(block) % 4]
        if len(block) == HEADER_BYTES:
            return block[:2]
        return self._block(block) if block else b""

    def _block(self, block: bytes) -> bytes:
        from av import FFmpegError, Packet

        try:
            return b"".join(frame_pcm(frame).data for frame in self._codec.decode(Packet(block)))
        except FFmpegError:
            self.junk += len(block)
            return b""


def check_channels(channels: int) -> None:
    """AudioError unless it is one channel."""
    if channels != 1:
        raise AudioError(f"IMA ADPCM is mono here, not of {channels} channels; use channels: 1")
