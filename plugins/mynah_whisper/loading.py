"""Loads a model."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from threading import Event

from mynah import EngineError, EngineUnavailable
from mynah_whisper.config import Options
from mynah_whisper.recognizer import SHORTEST, Recognizer, Stretch
from mynah_whisper.slots import spares
from mynah_whisper.trouble import DEVICE, trouble

log = logging.getLogger(__name__)


def load(path: Path, options: Options) -> Recognizer:
    """Load a model and decode half a second of silence, so that all is in its place. Blocks for seconds.

    Raises `EngineUnavailable`. With the device `auto`, a CUDA card that does not work is passed over.
    """
    import ctranslate2

    cards = ctranslate2.get_cuda_device_count() if options.device != "cpu" else 0
    if options.device == "cuda" and not cards:
        raise EngineUnavailable(f"{DEVICE}: there is no CUDA card that can be used here; set `device: cpu`")
    if cards:
        try:
            return _loaded(path, options, "cuda")
        except (RuntimeError, ValueError, EngineError) as error:
            if options.device == "cuda":
                raise EngineUnavailable(trouble(error, options)) from error
            log.warning("the CUDA card cannot be used, so it is the CPU: %s", trouble(error, options))
    try:
        return _loaded(path, options, "cpu")
    # A damaged model is told by these, a tokenizer that cannot be read by a bare Exception of the tokenizers library.
    except Exception as error:
        raise EngineUnavailable(trouble(error, options, path)) from error


def _loaded(path: Path, options: Options, device: str) -> Recognizer:
    import faster_whisper

    cores = os.cpu_count() or 1
    model = faster_whisper.WhisperModel(
        str(path),
        device=device,
        compute_type=options.compute_type,
        cpu_threads=options.threads or max(1, cores // options.workers),
        num_workers=options.workers + spares(options.workers),
        local_files_only=True,
    )
    recognizer = Recognizer(model, options)
    recognizer.decode(Stretch(bytes(2 * SHORTEST)), Event())
    return recognizer
