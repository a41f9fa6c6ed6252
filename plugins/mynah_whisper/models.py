"""Where a model is: in a folder that was named, in the engine's own, in Hugging Face's cache, or to be fetched."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mynah import EngineUnavailable

REPOSITORIES: Final = {
    **{
        name: f"Systran/faster-whisper-{name}"
        for name in (
            "tiny.en", "tiny", "base.en", "base", "small.en", "small", "medium.en", "medium", "large-v1", "large-v2",
            "large-v3",
        )
    },
    "large": "Systran/faster-whisper-large-v3",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-large-v2": "Systran/faster-distil-whisper-large-v2",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
}  # fmt: skip
"""The models that have a name, and the repositories on Hugging Face that hold them."""

WEIGHTS: Final = "model.bin"
NEEDED: Final = (WEIGHTS, "config.json", "tokenizer.json")
WHERE: Final = "engines → stt → whisper → model"


def find(model: str, folder: Path) -> Path | None:
    """Return the folder of the model, or None where it is to be fetched; looks at the disk alone.

    Raises `EngineUnavailable` where it is neither a folder nor a name, or where the folder holds no model.
    """
    place = Path(model).expanduser()
    if place.is_dir() and (place.is_absolute() or model.startswith(".") or model not in REPOSITORIES):
        return checked(place)
    for kept in (folder / model, home(model, folder)):
        if (kept / WEIGHTS).is_file():
            return checked(kept)
    if model not in REPOSITORIES and not _is_repository(model):
        raise EngineUnavailable(_unknown(model, folder))
    for cached in _cached(repository(model)):
        if all((cached / file).exists() for file in NEEDED):
            return cached
    return None


def home(model: str, folder: Path) -> Path:
    """Return the folder that a fetched model is put into."""
    return folder / model.replace("/", "--")


def repository(model: str) -> str:
    """Return the repository of a model as owner/name."""
    return REPOSITORIES.get(model, model)


def checked(place: Path) -> Path:
    """Return the folder. Raises `EngineUnavailable` where it holds no model that can be loaded."""
    missing = [file for file in NEEDED if not (place / file).is_file()]
    if missing:
        raise EngineUnavailable(
            f"{WHERE}: the folder {place} has no {' and no '.join(missing)}; it must hold a Whisper model in "
            "CTranslate2's format (model.bin, config.json, tokenizer.json, vocabulary.json or vocabulary.txt)"
        )
    return place


def missing(model: str, folder: Path, trouble: str) -> EngineUnavailable:
    """Return the error that says what to fetch and where to put it."""
    return EngineUnavailable(
        f"{WHERE}: {model!r} is not on this computer and cannot be fetched ({trouble}); on a computer with a network "
        f"fetch all files of https://huggingface.co/{repository(model)} and put them into {home(model, folder)}"
    )


def _is_repository(model: str) -> bool:
    owner, slash, name = model.partition("/")
    return bool(slash and owner and name) and "/" not in name and owner[0] not in ".~" and "\\" not in model


def _unknown(model: str, folder: Path) -> str:
    if "/" in model or "\\" in model or model.startswith(("~", ".")):
        return f"{WHERE}: there is no folder {Path(model).expanduser()}"
    close = difflib.get_close_matches(model, REPOSITORIES, 1)
    guess = f"did you mean {close[0]!r}? " if close else ""
    return (
        f"{WHERE}: there is no model named {model!r} and no folder of that name here or in {folder}; "
        f"{guess}known are {', '.join(REPOSITORIES)}"
    )


def _cached(repository: str) -> Iterator[Path]:
    """Yield what Hugging Face's cache holds of a repository, as other programs fetched it."""
    base = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or base / "hub")
    yield from (hub / f"models--{repository.replace('/', '--')}" / "snapshots").glob("*")
