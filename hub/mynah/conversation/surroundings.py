"""What every session of a hub finds there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mynah.archive import Archive
from mynah.automation import IntentSpec
from mynah.bus import EventBus
from mynah.conversation.arbitration import Arbitration
from mynah.conversation.listening import ListeningOptions, OpenMicrophone
from mynah.conversation.media import Media
from mynah.conversation.persona import Persona
from mynah.conversation.scene import Latency, TurnLimits
from mynah.conversation.shares import Shares
from mynah.conversation.tools import Tools
from mynah.engines.chain import Chain
from mynah.engines.protocols import SpeechDetector
from mynah.errors import InputError, SizeError
from mynah.hub_protocol import Hub
from mynah.specs import EngineKind
from mynah.statistics import Statistics


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """What one session may cost."""

    history_turns: int = 20
    utterance_seconds: float = 60.0
    text_chars: int = 4_000
    chunk_bytes: int = 1 << 20
    context_entries: int = 32

    def check_text(self, text: str) -> None:
        """Raise `InputError` for a text that cannot be taken."""
        if not text.strip():
            raise InputError("the text is empty")
        if len(text) > self.text_chars:
            raise SizeError(f"the text has {len(text)} characters; at most {self.text_chars} are taken")

    def check_chunk(self, data: bytes) -> None:
        """Raise `SizeError` for a piece of audio that is too large."""
        if len(data) > self.chunk_bytes:
            size, most = len(data) / 1024, self.chunk_bytes // 1024
            raise SizeError(f"a piece of audio has {size:.0f} KiB; at most {most} are taken, so send smaller ones")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What sessions share: the hub, engines, personas, tools, the bus, what is kept, and how they listen and wait."""

    hub: Hub
    chains: Mapping[EngineKind, Chain]
    personas: Mapping[str, Persona]
    bus: EventBus
    tools: Tools
    media: Media
    arbitration: Arbitration
    archive: Archive
    intents: Sequence[IntentSpec] = ()
    statistics: Statistics = field(default_factory=Statistics)
    turn_limits: TurnLimits = field(default_factory=TurnLimits)
    latency: Latency = field(default_factory=Latency)
    limits: SessionLimits = field(default_factory=SessionLimits)
    listening: ListeningOptions = field(default_factory=ListeningOptions)
    shares: Shares = field(default_factory=Shares)

    def detector(self) -> SpeechDetector | None:
        """Return a fresh voice activity detector, or None where no engine is ready."""
        for engine in self.chains["vad"].engines:
            if engine.state == "ready":
                detector: SpeechDetector = engine.engine.detector()
                return detector
        return None

    def open_microphone(self) -> OpenMicrophone:
        """Return what finds the utterances of an open microphone. Raises `InputError` where nothing can."""
        detector = self.detector()
        if detector is None:
            raise InputError("an open microphone needs a voice activity detector, and none is ready; use push_to_talk")
        return OpenMicrophone(detector, self.listening)
