"""The models of a persona on disk: built from its hints, kept under a key, loaded into a decoder."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from mynah import EngineError, Hints
from mynah_pocketsphinx.expected import Sentence, names_of, sentences

VERSION: Final = 1
"""Goes into the key: to be raised when models are built in another way."""
GENERAL_WORDS: Final = 5_000
GENERAL_N_GRAMS: Final = 60_000
KEPT: Final = 8
"""Models on disk; the ones used longest ago go."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Model:
    """A decoder of its own, and what tells talk of the domain from other talk: names and pairs of words."""

    decoder: Any
    names: frozenset[Sentence]
    pairs: frozenset[str]


def key_of(hints: Hints, background: float) -> str:
    """Return the name of the model for `hints`: the same hints have the same model."""
    sum_ = hashlib.sha256(f"{VERSION} {background}".encode())
    for part in (hints.questions, hints.words, sorted(hints.pronunciations.items())):
        sum_.update(repr(part).encode())
    return sum_.hexdigest()[:20]


class Models:
    """The models in `folder`. `background` is the share of general talk, 0 to 1."""

    def __init__(self, folder: Path, background: float) -> None:
        self._folder = folder
        self._background = background
        self._wheel = Path(_model_path())

    def load(self, key: str) -> Model | None:
        """Return the model, or None where it is not there or damaged."""
        home = self._folder / key
        if not (home / "domain.json").is_file():
            return None
        try:
            domain = json.loads((home / "domain.json").read_text(encoding="utf-8"))
            if any((home / file).stat().st_size != size for file, size in domain["sizes"].items()):
                raise ValueError("a file is not as long as it was")  # noqa: TRY301 - one more kind of damage
            decoder = self.decoder(lm=str(home / "talk.lm.bin"), dict=str(home / "words.dict"))
            os.utime(home)
        except (OSError, ValueError, KeyError, AttributeError, RuntimeError) as error:
            log.warning("the model in %s cannot be used (%s); it is built anew", home, error)
            return None
        names = frozenset(tuple(name) for name in domain["names"])
        return Model(decoder, names, frozenset(domain["pairs"]))

    def build(self, key: str, hints: Hints) -> Model:
        """Build the model, put it in its place at once, and return it. Raises `EngineError` where it cannot."""
        began = time.monotonic()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._folder, prefix=".") as temporary:
                self._write(Path(temporary) / key, hints)
                shutil.rmtree(self._folder / key, ignore_errors=True)
                (Path(temporary) / key).rename(self._folder / key)
            self._forget()
        except OSError as error:
            raise EngineError(f"the language model cannot be written to {self._folder}: {error}") from error
        if (model := self.load(key)) is None:
            raise EngineError(f"the language model built in {self._folder / key} cannot be loaded")
        log.info("language model built in %.1f s", time.monotonic() - began)
        return model

    def decoder(self, **settings: Any) -> Any:
        """Return a decoder with the wheel's acoustic model. Raises `RuntimeError` where it cannot be made."""
        import pocketsphinx

        return pocketsphinx.Decoder(hmm=str(self._wheel / "en-us" / "en-us"), loglevel="FATAL", **settings)

    def meter(self) -> Any:
        """Return a small decoder for measuring: one cannot be had without something to search for."""
        with tempfile.NamedTemporaryFile("w", suffix=".dict") as dictionary:
            dictionary.write("a AH\n")
            dictionary.flush()
            return self.decoder(lm=None, dict=dictionary.name, keyphrase="a")

    def _write(self, home: Path, hints: Hints) -> None:
        import pocketsphinx

        from mynah_pocketsphinx.general import END, START, GeneralModel
        from mynah_pocketsphinx.mixture import count, mix
        from mynah_pocketsphinx.pronunciation import pronounce

        home.mkdir()
        expected = sentences(hints)
        vocabulary = {word for sentence in expected for word in sentence}
        wheel = GeneralModel(self._wheel / "en-us" / "en-us.lm.bin")
        general = wheel.cut(vocabulary, GENERAL_WORDS, GENERAL_N_GRAMS)
        words = vocabulary.union(general.words) - {START, END}
        sounds = pronounce(words, self._wheel / "en-us" / "cmudict-en-us.dict", hints.pronunciations, _letters())
        can_say: Callable[[Sentence], bool] = lambda sentence: all(word in sounds for word in sentence)  # noqa: E731
        expected = [sentence for sentence in expected if can_say(sentence)]
        mix(count(expected, general.words), general, self._background).write(home / "talk.arpa")
        # Its own binary format loads in a tenth of the time.
        pocketsphinx.NGramModel.readfile(str(home / "talk.arpa")).write(str(home / "talk.lm.bin"))
        (home / "talk.arpa").unlink()
        entries = ((word, number, said) for word in sorted(sounds) for number, said in enumerate(sounds[word], 1))
        lines = (f"{word} {said}\n" if number == 1 else f"{word}({number}) {said}\n" for word, number, said in entries)
        (home / "words.dict").write_text("".join(lines), encoding="utf-8")
        padded = ((START, *sentence, END) for sentence in expected)
        pairs = sorted({f"{one} {two}" for row in padded for one, two in pairwise(row)})
        sizes = {file.name: file.stat().st_size for file in home.iterdir()}
        domain = {"names": names_of(hints), "pairs": pairs if hints.questions else [], "sizes": sizes}
        (home / "domain.json").write_text(json.dumps(domain), encoding="utf-8")

    def _forget(self) -> None:
        homes = [home for home in self._folder.iterdir() if home.is_dir() and not home.name.startswith(".")]
        for home in sorted(homes, key=lambda home: home.stat().st_mtime, reverse=True)[KEPT:]:
            shutil.rmtree(home, ignore_errors=True)


def _model_path() -> str:
    import pocketsphinx

    return str(pocketsphinx.get_model_path())


def _letters() -> Any:
    from mynah_pocketsphinx.letters import Letters

    try:
        return Letters()
    except (ImportError, OSError) as error:
        log.warning("words that no dictionary has will not be understood: espeak-ng cannot be loaded (%s)", error)
        return None
