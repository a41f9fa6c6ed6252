"""The recogniser, as it lives in a worker process."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mynah import EngineError, EngineUnavailable, Hints, Transcript
from mynah_pocketsphinx.models import Model, Models
from mynah_pocketsphinx.utterance import HeardWord, Meter, Utterance, text_of
from mynah_pocketsphinx.verdict import verdict

LOADED: Final = 4
"""Models in memory, 10 to 30 MB each."""

log = logging.getLogger(__name__)


class Recognizer:
    """Listens to one utterance at a time. Methods are called as a `mynah.WorkerPool` does."""

    def __init__(self, models: Models, confidence: float) -> None:
        self._models = models
        self._confidence = confidence
        self._loaded: OrderedDict[str, Model] = OrderedDict()
        self._meter = Meter(models.meter())

    def prepare(self, _: Iterator[object], key: str, hints: Hints) -> Iterator[float]:
        """Load the model of `key`, or build it; yield the seconds it took."""
        began = time.monotonic()
        if self._model(key) is None:
            self._keep(key, self._models.build(key, hints))
        yield time.monotonic() - began

    def transcribe(self, audio: Iterator[bytes], key: str) -> Iterator[Transcript]:
        """Yield what is heard in `audio`, 16 kHz mono PCM, with a model that was prepared."""
        model = self._model(key)
        if model is None:
            raise EngineError(
                "the language model has gone from the data folder; it is built anew for the next question"
            )
        del self._loaded[key]
        utterance = Utterance(model.decoder, self._meter)
        last: list[HeardWord] = []
        for chunk in audio:
            words = utterance.feed(chunk)
            if words is not None and words != last:
                last = words
                text, pauses = text_of(words)
                yield Transcript(text, language="en", pauses=pauses)
        final = verdict(utterance.finish(), model, self._confidence)
        # Only now: the decoder of an abandoned utterance is in the middle of it and of no more use.
        self._keep(key, model)
        yield final

    def _model(self, key: str) -> Model | None:
        model = self._loaded.get(key) or self._models.load(key)
        if model is not None:
            self._keep(key, model)
        return model

    def _keep(self, key: str, model: Model) -> None:
        self._loaded[key] = model
        self._loaded.move_to_end(key)
        while len(self._loaded) > LOADED:
            self._loaded.popitem(last=False)


def create(folder: str, background: float, confidence: float) -> Recognizer:
    """Return a recogniser that keeps its models in `folder`. Raises `EngineUnavailable` without PocketSphinx."""
    try:
        return Recognizer(Models(Path(folder), background), confidence)
    except (ImportError, RuntimeError) as error:
        raise EngineUnavailable(f"PocketSphinx cannot be loaded ({error}); run: pip install pocketsphinx") from error
