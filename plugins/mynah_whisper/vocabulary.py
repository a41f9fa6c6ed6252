"""What Whisper is told to expect: it takes it for the text before, and so for its spelling and its subject.

What it is told is bounded, as prompt and answer share 448 tokens, and as a long prompt costs time in every decode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from mynah import Hints

PROMPT_TOKENS: Final = 160
WORDS: Final = 120
"""More are not looked at."""


def vocabulary_of(hotwords: Sequence[str], hints: Hints) -> tuple[str, ...]:
    """Return the configured words and those of the persona, each once."""
    words = dict.fromkeys(word.strip() for word in (*hotwords, *hints.words[: 2 * WORDS]))
    return tuple(word for word in words if word)[:WORDS]


def tokens_of(words: Sequence[str], prompt: str, spelled: Callable[[str], list[int]]) -> list[int]:
    """Return the tokens of a prompt: as many of `words` as there is room for, and `prompt` last, where it counts most.

    `spelled` gives the tokens of a text.
    """
    ending = spelled(f" {prompt.strip()}")[-PROMPT_TOKENS:] if prompt.strip() else []
    listed: list[int] = []
    for word in words:
        more = spelled(f", {word}" if listed else f" {word}")
        if len(listed) + len(more) + len(ending) >= PROMPT_TOKENS:
            break
        listed += more
    return listed + (spelled(".") if listed else []) + ending
