"""A model in its folder: what it is, how text becomes its tokens and tokens become text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any, Final, Protocol

from mynah import EngineUnavailable, InputError, primary_language
from mynah_ctranslate2.languages import nllb_code

END: Final = "</s>"
_PAIR: Final = re.compile(r"(?:^|[-_])([a-z]{2,3})[-_]([a-z]{2,3})$")


class Kind(Protocol):
    """How one family of models is asked."""

    def asked(self, text: str, source: str, target: str) -> tuple[list[str], list[str]]:
        """Return the tokens of a text and those that the translation begins with. Raises `InputError`."""
        ...

    def text(self, tokens: Sequence[str]) -> str:
        """Return what the tokens of a translation say."""
        ...


class Nllb:
    """NLLB and its kin: many languages, told by a token in the text and one before the translation."""

    def __init__(self, pieces: Any, known: frozenset[str]) -> None:
        self._pieces = pieces
        self._known = known

    def asked(self, text: str, source: str, target: str) -> tuple[list[str], list[str]]:
        """Return the tokens."""
        return [self._code(source), *self._pieces.encode(text, out_type=str), END], [self._code(target)]

    def text(self, tokens: Sequence[str]) -> str:
        """Return the text."""
        return str(self._pieces.decode([token for token in tokens if token not in self._known and token != END]))

    def _code(self, tag: str) -> str:
        code = nllb_code(tag, self._known)
        if code is None:
            raise InputError(f"the model does not know the language {tag!r}")
        return code


class OpusMt:
    """Opus-MT (Marian): one pair of languages; where it has several to choose from, a token names the target."""

    def __init__(self, pieces: tuple[Any, Any], pair: tuple[str, str], choices: frozenset[str], *, ends: bool) -> None:
        self._source_pieces, self._target_pieces = pieces
        self._pair = pair
        self._choices = choices
        self._ends = ends

    def asked(self, text: str, source: str, target: str) -> tuple[list[str], list[str]]:
        """Return the tokens."""
        one, other = self._pair
        if primary_language(source) != one or (primary_language(target) != other and not self._choice(target)):
            raise InputError(f"the model translates from {one} into {other}, not from {source} into {target}")
        choice = self._choice(target)
        tokens = self._source_pieces.encode(text, out_type=str)
        return [*([choice] if choice else []), *tokens, *([END] if self._ends else [])], []

    def text(self, tokens: Sequence[str]) -> str:
        """Return the text."""
        return str(self._target_pieces.decode([token for token in tokens if token != END]))

    def _choice(self, target: str) -> str:
        wanted = (f">>{primary_language(target)}<<", f">>{target}<<")
        return next((choice for choice in wanted if choice in self._choices), "")


class Model:
    """A loaded model."""

    def __init__(self, translator: Any, kind: Kind, options: Mapping[str, Any]) -> None:
        self._translator = translator
        self._kind = kind
        self._limits = {
            "max_decoding_length": options["max_tokens"],
            "repetition_penalty": options["repetition_penalty"],
        }

    def translate(self, text: str, source: str, target: str, stop: Event) -> Iterator[str]:
        """Yield a translation piece by piece, until `stop` is set. Blocks between pieces. Raises `InputError`."""
        tokens, prefix = self._kind.asked(text, source, target)
        steps = self._translator.generate_tokens(tokens, [*prefix] or None, **self._limits)
        given, told = [], ""
        try:
            for step in steps:
                if stop.is_set():
                    return
                given.append(step.token)
                whole = self._kind.text(given)
                # A token may be a part of a character, or change how others are written: only what stands is told.
                if whole.startswith(told) and len(whole) > len(told) and not whole.endswith("\ufffd"):
                    yield whole[len(told) :]
                    told = whole
        finally:
            steps.close()
        if (rest := self._kind.text(given)).startswith(told) and len(rest) > len(told):
            yield rest[len(told) :]


def load(folder: Path, options: Mapping[str, Any]) -> Model:
    """Load a model. Blocks for seconds. Raises `EngineUnavailable`, which says what is missing."""
    if not (folder / "model.bin").is_file():
        raise EngineUnavailable(f"there is no model in {folder}: no file model.bin; see docs/engines/ctranslate2.md")
    try:
        import ctranslate2
        import sentencepiece
    except ImportError as error:
        raise EngineUnavailable(f"not installed ({error.name}); run: pip install 'mynah[ctranslate2]'") from None
    try:
        kind = _kind(folder, options, sentencepiece)
        translator = ctranslate2.Translator(
            str(folder),
            device=options["device"],
            compute_type=options["compute_type"],
            inter_threads=options["workers"],
            intra_threads=options["threads"],
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise EngineUnavailable(f"the model in {folder} cannot be loaded: {error}") from error
    return Model(translator, kind, options)


def _kind(folder: Path, options: Mapping[str, Any], sentencepiece: Any) -> Kind:
    def pieces(name: str) -> Any:
        return sentencepiece.SentencePieceProcessor(model_file=str(folder / name))

    if (folder / "source.spm").is_file() and (folder / "target.spm").is_file():
        vocabulary = _vocabulary(folder)
        choices = frozenset(token for token in vocabulary if token.startswith(">>") and token.endswith("<<"))
        ends = not _settings(folder).get("add_source_eos", False)
        return OpusMt((pieces("source.spm"), pieces("target.spm")), _pair(folder, options), choices, ends=ends)
    found = next((name for name in ("sentencepiece.bpe.model", "sentencepiece.model") if (folder / name).is_file()), "")
    if not found:
        raise EngineUnavailable(
            f"{folder} has no vocabulary: copy sentencepiece.bpe.model (NLLB), or source.spm and target.spm (Opus-MT), "
            "from the original model"
        )
    known = frozenset(token for token in _vocabulary(folder) if re.fullmatch(r"[a-z]{3}_[A-Z][a-z]{3}", token))
    if not known:
        raise EngineUnavailable(
            f"the model in {folder} has no tokens of languages such as eng_Latn: it is no NLLB model"
        )
    return Nllb(pieces(found), known)


def _vocabulary(folder: Path) -> list[str]:
    for name in ("shared_vocabulary", "source_vocabulary"):
        if (file := folder / f"{name}.json").is_file():
            found = json.loads(file.read_text(encoding="utf-8"))
            return [str(token) for token in found] if isinstance(found, list) else []
        if (file := folder / f"{name}.txt").is_file():
            return file.read_text(encoding="utf-8").splitlines()
    raise EngineUnavailable(f"{folder} has no shared_vocabulary.json; convert the model again")


def _settings(folder: Path) -> Mapping[str, Any]:
    file = folder / "config.json"
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found if isinstance(found, dict) else {}


def _pair(folder: Path, options: Mapping[str, Any]) -> tuple[str, str]:
    source, target = options["source"], options["target"]
    if source and target:
        return primary_language(source), primary_language(target)
    found = _PAIR.search(folder.name.lower())
    if found is None:
        raise EngineUnavailable(
            f"what {folder.name} translates is not to be seen from its name; say it with source and target"
        )
    return found[1], found[2]
