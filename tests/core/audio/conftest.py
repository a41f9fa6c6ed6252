"""Sound to test with: made by PyAV itself, never by the code under test."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterable, Iterator
from types import SimpleNamespace

import av
import numpy as np
import pytest

from mynah.audio import AudioChunk, AudioFormat, converter

STEPS = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107,
    118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963,
    1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894,
    6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794,
    32767,
]  # fmt: skip


def sine(rate: int, channels: int = 1, *, seconds: float = 1.0, hertz: float = 440.0, level: float = 0.4) -> bytes:
    time = np.arange(int(rate * seconds)) / rate
    mono = np.rint(np.sin(2 * np.pi * hertz * time) * level * 32767).astype("<i2")
    return np.repeat(mono, channels).tobytes()


def peak(pcm: bytes, rate: int, channels: int = 1) -> tuple[float, float]:
    """Frequency and level of the strongest tone in the first channel."""
    samples = np.frombuffer(pcm, "<i2")[::channels] / 32767
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    at = int(spectrum.argmax())
    return at * rate / len(samples), float(spectrum[at] * 4 / len(samples))


def frame_of(pcm: bytes, format: AudioFormat) -> av.AudioFrame:
    layout = "mono" if format.channels == 1 else "stereo"
    frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2").reshape(1, -1), "s16", layout)
    frame.sample_rate = format.rate
    return frame


def packets_of(codec: str, pcm: bytes, format: AudioFormat) -> list[bytes]:
    context = av.CodecContext.create(codec, "w")
    context.rate = format.rate
    context.layout = "mono" if format.channels == 1 else "stereo"
    context.format = {"libmp3lame": "s16p", "libopus": "s16"}[codec]
    context.bit_rate = 64_000
    return [bytes(packet) for frame in (frame_of(pcm, format), None) for packet in context.encode(frame)]


def container_of(kind: str, codec: str, pcm: bytes, format: AudioFormat, **options: str) -> bytes:
    """A whole file in memory, `kind` being FFmpeg's name for the container."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind, options=options) as container:
        stream = container.add_stream(codec, rate=format.rate, layout="mono" if format.channels == 1 else "stereo")
        for frame in (frame_of(pcm, format), None):
            container.mux(stream.encode(frame))
    return buffer.getvalue()


def adpcm_of(pcm: bytes) -> bytes:
    """IMA ADPCM blocks of 256 bytes, written down from the recommendation."""
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    out = bytearray()
    index = 0
    for start in range(0, len(samples), 505):
        block = samples[start : start + 505]
        predicted = block[0]
        out += struct.pack("<hBB", predicted, index, 0)
        rest = list(block[1:]) + [block[-1]] * (-(len(block) - 1) % 8)
        codes = []
        for sample in rest:
            step = STEPS[index]
            code = min(7, abs(sample - predicted) * 4 // step) | (8 if sample < predicted else 0)
            predicted, index = adpcm_step(code, predicted, index)
            codes.append(code)
        out += bytes(low | high << 4 for low, high in zip(codes[0::2], codes[1::2], strict=True))
    return bytes(out)


def adpcm_step(code: int, predicted: int, index: int) -> tuple[int, int]:
    step = STEPS[index]
    change = (step >> 3) + (step >> 2) * (code & 1) + (step >> 1) * (code >> 1 & 1) + step * (code >> 2 & 1)
    predicted = max(-32768, min(32767, predicted - change if code & 8 else predicted + change))
    index = max(0, min(88, index + (2 * (code & 7) - 6 if code & 4 else -1)))
    return predicted, index


def adpcm_decoded(data: bytes) -> bytes:
    samples = []
    for start in range(0, len(data), 256):
        block = data[start : start + 256]
        predicted, index, _ = struct.unpack_from("<hBB", block)
        samples.append(predicted)
        for byte in block[4:]:
            for code in (byte & 15, byte >> 4):
                predicted, index = adpcm_step(code, predicted, index)
                samples.append(predicted)
    return struct.pack(f"<{len(samples)}h", *samples)


def wav_of(pcm: bytes, format: AudioFormat) -> bytes:
    fmt = struct.pack("<HHIIHH", 1, format.channels, format.rate, 0, format.frame_bytes, 16)
    head = b"RIFF" + struct.pack("<I", 36 + len(pcm)) + b"WAVEfmt " + struct.pack("<I", 16) + fmt
    return head + b"data" + struct.pack("<I", len(pcm)) + pcm


def source_of(format: AudioFormat, pcm: bytes) -> bytes | list[bytes]:
    """The sound in a format; a list of packets where the format is a row of them."""
    match format.codec:
        case "pcm_s16le":
            return pcm
        case "wav":
            return wav_of(pcm, format)
        case "mp3":
            return b"".join(packets_of("libmp3lame", pcm, format))
        case "opus":
            return packets_of("libopus", pcm, format)
        case "ogg_opus":
            return container_of("ogg", "libopus", pcm, format, page_duration="20000")
        case "webm_opus":
            return container_of("webm", "libopus", pcm, format, live="1")
        case "ima_adpcm":
            return adpcm_of(pcm)


def cut(source: bytes | list[bytes], size: int = 1000) -> list[bytes]:
    """Pieces of one size; packets stay whole."""
    if isinstance(source, list):
        return source
    return [source[at : at + size] for at in range(0, len(source), size)]


def cut_at_random(source: bytes, seed: int) -> Iterator[bytes]:
    dice = random.Random(seed)
    at = 0
    while at < len(source):
        size = dice.choice((1, 2, 3, 7, 50, 333, 2000))
        yield source[at : at + size]
        at += size


def convert(source: AudioFormat, target: AudioFormat, pieces: Iterable[bytes]) -> list[AudioChunk]:
    stream = converter(source, target)
    chunks = [chunk for piece in pieces for chunk in stream.feed(piece)]
    return chunks + stream.flush()


def joined(chunks: Iterable[AudioChunk]) -> bytes:
    return b"".join(chunk.data for chunk in chunks)


@pytest.fixture(scope="session")
def lab() -> SimpleNamespace:
    return SimpleNamespace(
        sine=sine,
        peak=peak,
        packets_of=packets_of,
        container_of=container_of,
        adpcm_of=adpcm_of,
        adpcm_decoded=adpcm_decoded,
        wav_of=wav_of,
        source_of=source_of,
        cut=cut,
        cut_at_random=cut_at_random,
        convert=convert,
        joined=joined,
    )
