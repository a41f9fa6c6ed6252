"""What a parrot says."""

from __future__ import annotations

from collections.abc import Iterator


def repeated(text: str, times: int) -> Iterator[str]:
    """Yield the words of `text`, `times` over, each with the space before it; joined they end as sentences."""
    sentence = " ".join(text.split())
    if sentence and sentence[-1] not in ".!?…":
        sentence += "."
    for round_number in range(times):
        for place, word in enumerate(sentence.split()):
            yield word if round_number == place == 0 else f" {word}"
