"""Opus packets: how long one sounds, and the identification header that opens a stream of them.

Formats: RFC 6716 section 3 (the packet), RFC 7845 section 5 (OpusHead, OpusTags).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from mynah.errors import AudioError

OPUS_RATE: Final = 48_000
"""Opus counts time in samples of this rate, whatever rate was encoded."""
ENCODER_RATES: Final = (8_000, 12_000, 16_000, 24_000, 48_000)

_SILK_SAMPLES = (480, 960, 1920, 2880)
_HYBRID_SAMPLES = (480, 960)
_CELT_SAMPLES = (120, 240, 480, 960)
_MAX_SAMPLES = 5760


def packet_samples(packet: bytes) -> int:
    """How long a packet sounds, in samples at 48 kHz; 0 if it is not a valid packet."""
    if not packet:
        return 0
    config = packet[0] >> 3
    if config < 12:
        samples = _SILK_SAMPLES[config % 4]
    elif config < 16:
        samples = _HYBRID_SAMPLES[config % 2]
    else:
        samples = _CELT_SAMPLES[config % 4]
    frames = (1, 2, 2, packet[1] & 63 if len(packet) > 1 else 0)[packet[0] & 3]
    return samples * frames if samples * frames <= _MAX_SAMPLES else 0


@dataclass(frozen=True, slots=True)
class OpusHead:
    """The identification header: channels, samples at 48 kHz to drop at the start; `data` is all of it."""

    channels: int
    pre_skip: int
    data: bytes


def parse_head(data: bytes) -> OpusHead:
    """Parse an OpusHead packet; AudioError if it is damaged, of a later version, or has more than two channels."""
    if len(data) < 19 or not data.startswith(b"OpusHead") or data[8] >> 4:
        raise AudioError("this Opus stream is damaged: its header cannot be read")
    channels, pre_skip = struct.unpack_from("<BH", data, 9)
    if channels not in (1, 2):
        raise AudioError(f"this Opus stream has {channels} channels; use 1 or 2")
    return OpusHead(channels, pre_skip, data)
