"""What plugin authors test with: hubs, scripted engines, contracts of engines, a fake speaker, virtual time.

    from mynah.testing import check_text_to_speech, run_hub

Names are imported when they are asked for: a program that needs the fake speaker loads nothing else, and pytest is
never imported. The fixture `run_hub` comes by itself where Mynah is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mynah.testing.calls import Call, Calls, scripts_folder, took
    from mynah.testing.contracts import (
        ContractBroken,
        check_language_model,
        check_speech_to_text,
        check_text_to_speech,
        check_translator,
        check_voice_activity_detector,
    )
    from mynah.testing.engines import (
        ScriptedDetector,
        ScriptedLanguageModel,
        ScriptedSpeechToText,
        ScriptedTextToSpeech,
        ScriptedTranslator,
        ScriptedVoiceActivity,
        as_mp3,
        scripted,
    )
    from mynah.testing.hubs import run_hub, scripted_engines
    from mynah.testing.processes import HubProcess, hub_process
    from mynah.testing.received import Received, ReceivedAudio, ReceivedTurn
    from mynah.testing.rows import bench_row
    from mynah.testing.speaker import FakeSpeaker, HubRefused
    from mynah.testing.virtual_time import VirtualLoop, run_in_virtual_time

__all__ = [
    "Call",
    "Calls",
    "ContractBroken",
    "FakeSpeaker",
    "HubProcess",
    "HubRefused",
    "Received",
    "ReceivedAudio",
    "ReceivedTurn",
    "ScriptedDetector",
    "ScriptedLanguageModel",
    "ScriptedSpeechToText",
    "ScriptedTextToSpeech",
    "ScriptedTranslator",
    "ScriptedVoiceActivity",
    "VirtualLoop",
    "as_mp3",
    "bench_row",
    "check_language_model",
    "check_speech_to_text",
    "check_text_to_speech",
    "check_translator",
    "check_voice_activity_detector",
    "hub_process",
    "run_hub",
    "run_in_virtual_time",
    "scripted",
    "scripted_engines",
    "scripts_folder",
    "took",
]

_HOMES = {
    "calls": ("scripts_folder", "Call", "Calls", "took"),
    "contracts": ("ContractBroken", *(name for name in __all__ if name.startswith("check_"))),
    "engines": ("as_mp3", "scripted", *(name for name in __all__ if name.startswith("Scripted"))),
    "hubs": ("run_hub", "scripted_engines"),
    "processes": ("HubProcess", "hub_process"),
    "received": ("Received", "ReceivedAudio", "ReceivedTurn"),
    "rows": ("bench_row",),
    "speaker": ("FakeSpeaker", "HubRefused"),
    "virtual_time": ("VirtualLoop", "run_in_virtual_time"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
