"""Opens the detector that is configured, or the best one that is installed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mynah import EngineUnavailable, VoiceActivityDetector
from mynah_vad import silero
from mynah_vad.webrtc import WebrtcActivity

logger = logging.getLogger(__name__)


@asynccontextmanager
async def open_vad(config: Mapping[str, Any], folder: Path) -> AsyncIterator[VoiceActivityDetector]:
    """Open the engine; `folder` is not used. Raises `EngineUnavailable` where the configured model is missing."""
    yield await asyncio.to_thread(choose, config.get("model", "auto"), config.get("aggressiveness", 1))


def choose(model: str, aggressiveness: int) -> VoiceActivityDetector:
    """Return the engine for `model`: auto, silero or webrtc. Blocks while it loads."""
    path = silero.find_model() if model != "webrtc" else None
    if path is not None:
        logger.info("voice activity detection by Silero")
        return silero.SileroActivity(silero.load(path))
    if model == "silero":
        raise EngineUnavailable(
            f"engines → vad: no Silero model ({silero.MODEL}) is installed here; "
            "run: pip install 'mynah[whisper]', or set `model: webrtc`"
        )
    logger.info("voice activity detection by WebRTC")
    return WebrtcActivity(aggressiveness)
