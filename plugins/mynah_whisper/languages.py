"""Languages: what the hub calls them (BCP 47) and what Whisper does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mynah import EngineError
from mynah_whisper.config import AUTO, PERSONA

OTHER_NAMES: Final = {"nb": "no", "jv": "jw", "fil": "tl", "iw": "he", "in": "id", "cmn": "zh"}


def asked(configured: str, told: str | None) -> str | None:
    """Return the language to decode in as a tag, or None where it is to be heard from the speech."""
    if configured == AUTO:
        return None
    return (told or None) if configured == PERSONA else configured


def code(tag: str | None, knows: Callable[[str], bool], model: str) -> str:
    """Return Whisper's code of a language, "" for None. Raises `EngineError` where the model does not know it."""
    if tag is None:
        return ""
    primary = tag.lower().replace("_", "-").split("-")[0]
    found = OTHER_NAMES.get(primary, primary)
    if knows(found):
        return found
    if knows("en") and not knows("de"):
        raise EngineError(
            f"the Whisper model {model!r} knows only English, not {tag!r}; take one for all languages, such as "
            f"`model: {model.removesuffix('.en') if model.endswith('.en') else 'base'}`"
        )
    raise EngineError(f"the Whisper model {model!r} does not know the language {tag!r}")


def tag(code: str) -> str:
    """Return the BCP 47 tag of Whisper's code."""
    return "jv" if code == "jw" else code
