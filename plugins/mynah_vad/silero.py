"""Silero's voice activity detector, the model that travels inside faster-whisper, run frame by frame.

The model (version 6, 16 kHz) takes 64 samples of context and 512 new ones, and hands its recurrent state back.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from mynah import LISTENING, EngineUnavailable

FRAME: Final = 512
CONTEXT: Final = 64
STATE: Final = 128
MODEL: Final = "silero_vad_v6.onnx"


class Model(Protocol):
    """An `onnxruntime.InferenceSession`, as far as it is used; safe to share, as the state is the caller's."""

    def run(self, outputs: Sequence[str] | None, inputs: dict[str, Any], /) -> Sequence[Any]:
        """Return probability, h and c for `input` (1, 576), `h` and `c` (1, 1, 128), all of them float32."""
        ...


def find_model() -> Path | None:
    """Return where the model lies, or None unless it and onnxruntime are installed. Imports neither."""
    if importlib.util.find_spec("onnxruntime") is None:
        return None
    package = importlib.util.find_spec("faster_whisper")
    for folder in (package.submodule_search_locations or []) if package else []:
        path = Path(folder, "assets", MODEL)
        if path.is_file():
            return path
    return None


def load(path: Path) -> Model:
    """Load the model on one thread; takes a tenth of a second. Raises `EngineUnavailable`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        model: Model = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    # onnxruntime raises classes of its own that derive from Exception alone.
    except Exception as error:
        raise EngineUnavailable(
            f"engines → vad: the Silero model {path} cannot be loaded ({error}); "
            "install faster-whisper again, or set `model: webrtc`"
        ) from error
    return model


class SileroDetector:
    """One microphone's state."""

    def __init__(self, model: Model) -> None:
        self.frame_bytes = FRAME * LISTENING.frame_bytes
        self._model = model
        self._input: Any
        self._h: Any
        self._c: Any
        self.reset()

    def feed(self, frame: bytes) -> float:
        """Return the probability, 0 to 1, that `frame` (32 ms) holds speech."""
        import numpy as np

        self._input[0, :CONTEXT] = self._input[0, FRAME:]
        self._input[0, CONTEXT:] = np.frombuffer(frame, "<i2")
        self._input[0, CONTEXT:] *= 1 / 32768
        probability, self._h, self._c = self._model.run(None, {"input": self._input, "h": self._h, "c": self._c})
        return float(probability.flat[0])

    def reset(self) -> None:
        """Forget what was heard."""
        import numpy as np

        self._input = np.zeros((1, CONTEXT + FRAME), np.float32)
        self._h = np.zeros((1, 1, STATE), np.float32)
        self._c = np.zeros((1, 1, STATE), np.float32)


class SileroActivity:
    """The engine: one model, a detector for each microphone."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def detector(self) -> SileroDetector:
        """Return a fresh state for one microphone."""
        return SileroDetector(self._model)
