"""What the libraries below say of their troubles, in words for people."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mynah_whisper.config import Options
from mynah_whisper.models import WHERE

DEVICE: Final = "engines → stt → whisper → device"
COMPUTE: Final = "engines → stt → whisper → compute_type"


def trouble(error: Exception, options: Options, path: Path | None = None) -> str:
    """Return what is wrong, and what to do, in one line."""
    text = " ".join(str(error).split())
    low = text.lower()
    if isinstance(error, MemoryError) or "out of memory" in low or "bad alloc" in low:
        return f"{WHERE}: there is not enough memory for {options.model!r} ({text}); take a smaller model, or int8"
    if "cuda" in low or "cublas" in low or "cudnn" in low or "gpu" in low:
        return f"{DEVICE}: CUDA does not work here ({text}); set `device: cpu`, or install CUDA 12 and cuDNN 9"
    if "compute type" in low:
        return f"{COMPUTE}: {text} Set `compute_type: auto`"
    place = f"the model in {path} cannot be loaded" if path else "the audio cannot be decoded"
    return f"{WHERE}: {place} ({text or type(error).__name__})" + ("; fetch it again" if path else "")
