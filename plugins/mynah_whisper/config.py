"""What can be configured under `engines: stt: [{engine: whisper}]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import voluptuous as vol

COMPUTE_TYPES: Final = (
    "auto", "default", "int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16", "float16", "bfloat16",
    "float32",
)  # fmt: skip
PERSONA: Final = "persona"
AUTO: Final = "auto"


def _number(low: float, high: float) -> Any:
    return vol.All(vol.Any(int, float), vol.Range(min=low, max=high), vol.Coerce(float))


def _whole(low: int, high: int) -> Any:
    return vol.All(int, vol.Range(min=low, max=high))


SCHEMA: Final[dict[Any, Any]] = {
    vol.Optional(
        "model",
        default="base.en",
        description="A name (tiny, base, small, medium, large-v3, turbo; with .en for English alone), a repository "
        "such as owner/name, or a folder with a model in CTranslate2's format",
    ): vol.All(str, vol.Length(min=1)),
    vol.Optional(
        "device", default="auto", description="Where it computes; auto takes a CUDA card if one works, else the CPU"
    ): vol.In(["auto", "cpu", "cuda"]),
    vol.Optional(
        "compute_type", default="auto", description="How exactly it computes; auto is the quickest that the device has"
    ): vol.In(COMPUTE_TYPES),
    vol.Optional(
        "language",
        default=PERSONA,
        description="What is spoken: a code such as de, auto to hear it from the speech, or persona (what the session "
        "or its persona speaks)",
    ): vol.All(str, vol.Length(min=1)),
    vol.Optional(
        "hotwords",
        default=[],
        description="Words that it should expect, before those that the persona's knowledge holds anyway",
    ): [str],
    vol.Optional(
        "prompt", default="", description="A sentence in the style and with the spellings that are wanted"
    ): str,
    vol.Optional(
        "workers", default=2, description="How many stretches of speech are decoded at once, for all sessions together"
    ): _whole(1, 16),
    vol.Optional(
        "threads", default=0, description="Threads of each worker on the CPU; 0 shares the cores out"
    ): _whole(0, 64),
    vol.Optional(
        "window_s", default=2.0, description="Seconds of speech in a window; how often there is a partial transcript"
    ): _number(0.5, 15),
    vol.Optional(
        "overlap_s", default=0.5, description="Seconds by which windows overlap, less than window_s"
    ): _number(0.1, 5),
    vol.Optional(
        "beam_size", default=1, description="Alternatives that are followed: 1 is quickest, 5 a little more accurate"
    ): _whole(1, 10),
    vol.Optional(
        "max_new_tokens", default=200, description="The most tokens that one decode may give, which bounds its time"
    ): _whole(8, 224),
    vol.Optional(
        "speech", default=0.5, description="How clear, 0 to 1, the voice detector must hear a voice before it decodes"
    ): _number(0, 1),
    vol.Optional(
        "no_speech",
        default=0.6,
        description="An unsure text is dropped if it was this likely, 0 to 1, that nobody spoke",
    ): _number(0, 1),
    vol.Optional(
        "repetition",
        default=2.4,
        description="A text that can be compressed by this factor repeats itself and is dropped",
    ): _number(1, 100),
    vol.Optional(
        "confidence", default=0.3, description="How sure it must be, 0 to 1; below, it says it did not understand"
    ): _number(0, 1),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """The configuration, checked."""

    model: str = "base.en"
    device: str = "auto"
    compute_type: str = "auto"
    language: str = PERSONA
    hotwords: tuple[str, ...] = ()
    prompt: str = ""
    workers: int = 2
    threads: int = 0
    window_s: float = 2.0
    overlap_s: float = 0.5
    beam_size: int = 1
    max_new_tokens: int = 200
    speech: float = 0.5
    no_speech: float = 0.6
    repetition: float = 2.4
    confidence: float = 0.3

    @classmethod
    def parse(cls, config: Mapping[str, Any]) -> Options:
        """Return the options in `config`, defaults filled in; other keys, such as `engine`, are not looked at."""
        known = {field.name: config[field.name] for field in fields(cls) if field.name in config}
        if "hotwords" in known:
            known["hotwords"] = tuple(known["hotwords"])
        return cls(**known)

    @property
    def step_s(self) -> float:
        """Seconds of new audio between two decodes."""
        return self.window_s - self.overlap_s
