"""Contracts are checked in virtual time, where an engine that hangs costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mynah.testing import (
    ContractBroken,
    check_language_model,
    check_speech_to_text,
    check_text_to_speech,
    check_translator,
    check_voice_activity_detector,
    run_in_virtual_time,
    scripted,
)

CHECKS = {
    "stt": check_speech_to_text,
    "tts": check_text_to_speech,
    "llm": check_language_model,
    "translator": check_translator,
    "vad": check_voice_activity_detector,
}


@pytest.fixture
def check() -> Callable[[str, Any], None]:
    """Check an engine by the contract of its kind."""
    return lambda kind, engine: run_in_virtual_time(CHECKS[kind](scripted(kind, engine)))


@pytest.fixture
def broken(check) -> Callable[[str, Any], str]:
    """Return the message with which the contract of a kind refuses an engine."""

    def message(kind: str, engine: Any) -> str:
        with pytest.raises(ContractBroken) as refused:
            check(kind, engine)
        return str(refused.value)

    return message
