"""An open microphone: finds the utterances in a stream of audio. Pure and synchronous: no loop, no clock."""

from __future__ import annotations

import math
from array import array
from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

from mynah.audio.formats import LISTENING
from mynah.engines.protocols import SpeechDetector

EndReason = Literal["silence", "max_length", "noise"]

LEVEL_OVER_MS: Final = 300
SOFTER_FOR_MS: Final = 1_000
PEAK_FALL_DB_PER_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class ListeningOptions:
    """What counts as an utterance. Times in milliseconds unless the name says otherwise.

    Speech begins when `onset_frames` of the last `onset_window` frames of the detector reach `threshold`, and goes on
    while frames reach `threshold - hysteresis`. `pre_roll_ms` of what came before is kept; `silence_ms` without speech
    or `max_seconds` of audio end it. With less than `min_speech_ms` of speech it was noise. After `max_seconds`
    nothing begins before `rearm_silence_ms` without speech or a change of level by `rearm_change_db`.
    """

    silence_ms: float = 600
    pre_roll_ms: float = 300
    max_seconds: float = 30.0
    threshold: float = 0.5
    hysteresis: float = 0.15
    min_speech_ms: float = 150
    onset_frames: int = 3
    onset_window: int = 5
    rearm_silence_ms: float = 400
    rearm_change_db: float = 9.0


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """Somebody began to speak; `pre_roll` is the audio from a little before that up to now."""

    pre_roll: bytes


@dataclass(frozen=True, slots=True)
class SpeechAudio:
    """More of the utterance, its pauses and its closing silence included."""

    data: bytes


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The utterance is over: by silence (or because the microphone closed), by its length, or it was only noise.

    `speech_ms` is how long the detector heard speech, `audio_ms` the length of all audio given, pre-roll included.
    """

    reason: EndReason
    speech_ms: float
    audio_ms: float


ListeningEvent = SpeechBegan | SpeechAudio | SpeechEnded


class OpenMicrophone:
    """Finds utterances in `LISTENING` audio: each a `SpeechBegan`, any number of `SpeechAudio`, a `SpeechEnded`.

    Joining the audio of these events gives the utterance without a gap. Noise that never ends (a television, a fan
    that the detector takes for speech) is cut at `max_seconds` and reported as "max_length"; the same noise does not
    begin anew. The microphone arms again after `rearm_silence_ms` without speech, or at once when it becomes louder
    by `rearm_change_db` than the noise was at its loudest lately (somebody speaks up, nearer than the television), or
    when it has been softer by as much for a second (another noise).
    """

    def __init__(self, detector: SpeechDetector, options: ListeningOptions | None = None) -> None:
        self._detector = detector
        self._options = options = options or ListeningOptions()
        self._frame_bytes = detector.frame_bytes
        self._frame_ms = LISTENING.pcm_ms(self._frame_bytes)
        self._stay = options.threshold - options.hysteresis
        self._change = 10 ** (options.rearm_change_db / 10)
        self._pre_roll = math.ceil(options.pre_roll_ms / self._frame_ms)
        self._before: deque[bytes] = deque(maxlen=self._pre_roll + options.onset_window)
        self._onset: deque[bool] = deque(maxlen=options.onset_window)
        self._rest = b""
        self._heard = bytearray()
        self._arm()

    @property
    def speaking(self) -> bool:
        """Whether an utterance is going on."""
        return self._state == "speaking"

    def feed(self, pcm: bytes) -> list[ListeningEvent]:
        """Take `LISTENING` PCM of any size, odd ones included, and return what came of it, in order."""
        data = self._rest + pcm if self._rest else pcm
        events: list[ListeningEvent] = []
        whole = len(data) - len(data) % self._frame_bytes
        for start in range(0, whole, self._frame_bytes):
            self._frame(bytes(data[start : start + self._frame_bytes]), events)
        self._rest = bytes(data[whole:])
        self._flush(events)
        return events

    def close(self) -> list[ListeningEvent]:
        """End an utterance that is going on, and forget everything else."""
        events: list[ListeningEvent] = []
        if self.speaking:
            self._hear(self._rest[: len(self._rest) // 2 * 2])
            self._end("silence", events)
        self.reset()
        return events

    def reset(self) -> None:
        """Forget everything, an utterance that is going on included, and arm."""
        self._detector.reset()
        self._rest = b""
        self._heard.clear()
        self._arm()

    def _arm(self) -> None:
        self._state: Literal["armed", "speaking", "deaf"] = "armed"
        self._onset.clear()
        self._speech_ms = 0.0
        self._audio_ms = 0.0
        self._silent_ms = 0.0
        self._softer_ms = 0.0
        self._loudness = Loudness(self._frame_ms)

    def _frame(self, frame: bytes, events: list[ListeningEvent]) -> None:
        probability = self._detector.feed(frame)
        if self._state == "speaking":
            self._go_on(frame, probability, events)
            return
        self._before.append(frame)
        if self._state == "deaf":
            self._wait_for_change(frame, probability)
            return
        speech = probability >= self._options.threshold
        self._onset.append(speech)
        if speech and sum(self._onset) >= self._options.onset_frames:
            self._begin(events)

    def _begin(self, events: list[ListeningEvent]) -> None:
        wanted = self._pre_roll + len(self._onset) - self._onset.index(True)
        frames = list(self._before)[-wanted:]
        self._state = "speaking"
        self._speech_ms = sum(self._onset) * self._frame_ms
        self._audio_ms = len(frames) * self._frame_ms
        self._before.clear()
        events.append(SpeechBegan(b"".join(frames)))

    def _go_on(self, frame: bytes, probability: float, events: list[ListeningEvent]) -> None:
        self._hear(frame)
        self._loudness.hear(frame)
        if probability >= self._stay:
            self._speech_ms += self._frame_ms
            self._silent_ms = 0.0
        else:
            self._silent_ms += self._frame_ms
        if self._silent_ms >= self._options.silence_ms:
            self._end("silence", events)
            self._arm()
        elif self._audio_ms >= self._options.max_seconds * 1000:
            self._end("max_length", events)
            self._state = "deaf"
            self._silent_ms = 0.0

    def _wait_for_change(self, frame: bytes, probability: float) -> None:
        """Arm again once the noise that was cut is over or clearly another one."""
        self._loudness.hear(frame, hold_peak=True)
        level, peak = self._loudness.level, self._loudness.peak
        self._silent_ms = self._silent_ms + self._frame_ms if probability < self._stay else 0.0
        self._softer_ms = self._softer_ms + self._frame_ms if level * self._change < peak else 0.0
        if (
            self._silent_ms >= self._options.rearm_silence_ms
            or self._softer_ms >= SOFTER_FOR_MS
            or level > peak * self._change
        ):
            self._arm()

    def _hear(self, audio: bytes) -> None:
        self._heard += audio
        self._audio_ms += LISTENING.pcm_ms(len(audio))

    def _flush(self, events: list[ListeningEvent]) -> None:
        if self._heard:
            events.append(SpeechAudio(bytes(self._heard)))
            self._heard.clear()

    def _end(self, reason: EndReason, events: list[ListeningEvent]) -> None:
        self._flush(events)
        if reason == "silence" and self._speech_ms < self._options.min_speech_ms:
            reason = "noise"
        events.append(SpeechEnded(reason, self._speech_ms, self._audio_ms))


class Loudness:
    """Energy over the last 300 ms or so, and its peak, which fades by 3 dB a second unless it is held."""

    def __init__(self, frame_ms: float) -> None:
        self.level = 0.0
        self.peak = 0.0
        self._share = 1 - math.exp(-frame_ms / LEVEL_OVER_MS)
        self._fading = 10 ** (-PEAK_FALL_DB_PER_S / 10 * frame_ms / 1000)

    def hear(self, frame: bytes, *, hold_peak: bool = False) -> None:
        """Take in a frame of PCM."""
        samples = array("h", frame)[::4]  # every fourth sample tells the energy as well, at a quarter of the cost
        energy = sum(sample * sample for sample in samples) / len(samples)
        self.level += self._share * (energy - self.level)
        if not hold_peak:
            self.peak = max(self.level, self.peak * self._fading)
