"""Text on its way to the service."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Control characters and what XML cannot hold would end the request without a word of speech.
_NOT_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def clean(text: str) -> str:
    """Return `text` with everything blanked that the service would refuse, at the same length."""
    return _NOT_TEXT.sub(" ", text)


def speakable(text: str) -> bool:
    """Whether there is anything to say: a letter, a digit or a symbol. Of mere punctuation the service says nothing."""
    return any(unicodedata.category(character)[0] in "LNS" for character in text) or any(
        character in _SAID_MARKS for character in text
    )


_SAID_MARKS: Final = frozenset("&%@#")
