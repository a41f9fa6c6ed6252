"""Silero's voice activity detector, which travels inside faster-whisper, on one stream of audio.

The model (version 6, 16 kHz) takes 64 samples of context and 512 new ones, and hands its recurrent state back.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from mynah import LISTENING, EngineUnavailable
from mynah_whisper.pace import Speech

FRAME: Final = 512
CONTEXT: Final = 64
STATE: Final = 128
MODEL: Final = "silero_vad_v6.onnx"
FRAME_BYTES: Final = FRAME * LISTENING.frame_bytes
FRAME_S: Final = FRAME / LISTENING.rate
LASTING: Final = 3
"""Frames in a row (96 ms) that make speech; fewer are a click."""


def load_detector() -> Any:
    """Return the model, on one thread; its state is the caller's. Raises `EngineUnavailable`."""
    import faster_whisper
    import onnxruntime

    path = Path(faster_whisper.__file__).parent / "assets" / MODEL
    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    # onnxruntime raises classes of its own that derive from Exception alone.
    except Exception as error:
        raise EngineUnavailable(
            f"engines → stt → whisper: the voice detector {path} cannot be loaded ({error}); "
            "run: pip install --force-reinstall 'mynah[whisper]'"
        ) from error


class VoiceTrack:
    """Where in a stream of `LISTENING` audio somebody speaks. `threshold` is 0 to 1; `peak` the highest so far."""

    def __init__(self, model: Any, threshold: float) -> None:
        import numpy as np

        self.speech = Speech()
        self.peak = 0.0
        self._numpy = np
        self._model = model
        self._threshold = threshold
        self._input = np.zeros((1, CONTEXT + FRAME), np.float32)
        self._h = np.zeros((1, 1, STATE), np.float32)
        self._c = np.zeros((1, 1, STATE), np.float32)
        self._rest = bytearray()
        self._frames = 0
        self._run = 0

    def feed(self, audio: bytes) -> None:
        """Take some audio and bring `speech` up to date."""
        self._rest += audio
        whole = len(self._rest) - len(self._rest) % FRAME_BYTES
        for at in range(0, whole, FRAME_BYTES):
            self._note(self._probability(self._rest[at : at + FRAME_BYTES]))
        del self._rest[:whole]

    def _note(self, probability: float) -> None:
        self._frames += 1
        self.peak = max(self.peak, probability)
        self._run = self._run + 1 if probability >= self._threshold else 0
        if self._run < LASTING:
            return
        now = self._frames * FRAME_S
        self.speech = Speech(now - LASTING * FRAME_S if self.speech.first is None else self.speech.first, now)

    def _probability(self, frame: bytearray) -> float:
        self._input[0, :CONTEXT] = self._input[0, FRAME:]
        self._input[0, CONTEXT:] = self._numpy.frombuffer(frame, "<i2")
        self._input[0, CONTEXT:] *= 1 / 32768
        inputs = {"input": self._input, "h": self._h, "c": self._c}
        probability, self._h, self._c = self._model.run(None, inputs)
        return float(probability.flat[0])
