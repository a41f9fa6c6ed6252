"""What can be configured under `engines: translator: [{engine: ctranslate2}]`."""

from __future__ import annotations

from typing import Any, Final

import voluptuous as vol

COMPUTE_TYPES: Final = ("auto", "default", "int8", "int8_float32", "int8_float16", "int16", "float16", "float32")


def _whole(low: int, high: int) -> Any:
    return vol.All(int, vol.Range(min=low, max=high))


SCHEMA: Final[dict[Any, Any]] = {
    vol.Required("model", description="The folder of the model, as its converter made it."): vol.All(
        str, vol.Length(min=1)
    ),
    vol.Optional(
        "source", default=None, description="What an Opus-MT model translates from; null: as its folder's name says."
    ): vol.Any(None, str),
    vol.Optional(
        "target", default=None, description="What an Opus-MT model translates into; null: as its folder's name says."
    ): vol.Any(None, str),
    vol.Optional("device", default="cpu", description="Where it computes."): vol.In(["cpu", "cuda", "auto"]),
    vol.Optional(
        "compute_type", default="auto", description="How exactly it computes; auto is the quickest that the device has."
    ): vol.In(COMPUTE_TYPES),
    vol.Optional("workers", default=2, description="Sentences that are translated at once."): _whole(1, 16),
    vol.Optional(
        "threads", default=0, description="Threads of each worker on the CPU; 0: as the library has it."
    ): _whole(0, 64),
    vol.Optional("max_tokens", default=256, description="The longest translation of a sentence, in tokens."): _whole(
        8, 1024
    ),
    vol.Optional(
        "repetition_penalty", default=1.1, description="Above 1: words that were given become less likely again."
    ): vol.All(vol.Coerce(float), vol.Range(min=1, max=2)),
}
