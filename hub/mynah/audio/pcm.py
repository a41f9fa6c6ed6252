"""PCM between the stages of a conversion: what a decoder gives, brought to the rate and channels of the target."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mynah.errors import AudioError

if TYPE_CHECKING:
    from av import AudioFrame
    from av.audio.resampler import AudioResampler

_LAYOUTS = {1: "mono", 2: "stereo"}


@dataclass(frozen=True, slots=True)
class Pcm:
    """Signed 16-bit samples, interleaved, with the rate in Hz and the channels (1 or 2) that they really have."""

    data: bytes
    rate: int
    channels: int


def make_frame(pcm: Pcm, sample_format: str = "s16") -> AudioFrame:
    """PCM as PyAV's frame; `sample_format` is `s16`, or `s16p` for mono or for a codec that knows only planes."""
    from av import AudioFrame

    frame = AudioFrame(sample_format, _LAYOUTS[pcm.channels], len(pcm.data) // (2 * pcm.channels))
    if pcm.channels == 1 or sample_format == "s16":
        frame.planes[0].update(pcm.data)
    else:
        samples = array("h", pcm.data)
        for channel, plane in enumerate(frame.planes):
            plane.update(samples[channel :: pcm.channels].tobytes())
    frame.sample_rate = pcm.rate
    return frame


def frame_pcm(frame: AudioFrame) -> Pcm:
    """PyAV's frame of 16-bit samples, planar or not, as PCM; AudioError for more than two channels."""
    channels = frame.layout.nb_channels
    if channels not in _LAYOUTS:
        raise AudioError(f"sound of {channels} channels is not supported; use 1 or 2")
    size = 2 * frame.samples
    if channels == 1 or not frame.format.is_planar:
        return Pcm(bytes(frame.planes[0])[: size * channels], frame.sample_rate, channels)
    samples = array("h", bytes(2 * size))
    for channel, plane in enumerate(frame.planes):
        samples[channel::channels] = array("h", bytes(plane)[:size])
    return Pcm(samples.tobytes(), frame.sample_rate, channels)


class Resampler:
    """PCM of any rate and channels in, interleaved 16-bit bytes of one rate and channels out.

    What comes in may change its rate or channels in mid-stream. Nothing is done, and PyAV not touched, where only the
    same goes out. Holds back a few milliseconds, which `flush` gives.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._rate = rate
        self._channels = channels
        self._source = (rate, channels)
        self._inner: AudioResampler | None = None

    def feed(self, pcm: Pcm) -> bytes:
        """Bytes at the target's rate; those held back at a change of the input come first."""
        if not pcm.data:
            return b""
        held = b""
        if (pcm.rate, pcm.channels) != self._source:
            held = self.flush()
            self._source = (pcm.rate, pcm.channels)
        if pcm.rate == self._rate and pcm.channels <= self._channels:
            return held + self._spread(pcm.data, pcm.channels)
        return held + self._resample(make_frame(pcm))

    def flush(self) -> bytes:
        """Return what was held back; the resampler can then be fed anew."""
        held = self._resample(None) if self._inner is not None else b""
        self._inner = None
        return held

    def _resample(self, frame: AudioFrame | None) -> bytes:
        channels = min(self._source[1], self._channels)
        if self._inner is None:
            from av.audio.resampler import AudioResampler

            self._inner = AudioResampler("s16", _LAYOUTS[channels], self._rate)
        data = b"".join(frame_pcm(out).data for out in self._inner.resample(frame))
        return self._spread(data, channels)

    def _spread(self, data: bytes, channels: int) -> bytes:
        # FFmpeg's own matrix makes mono 3 dB quieter on its way to stereo, so a second channel is a plain copy here.
        if channels == self._channels:
            return data
        mono = array("h", data)
        stereo = array("h", bytes(2 * len(data)))
        stereo[0::2] = stereo[1::2] = mono
        return stereo.tobytes()
