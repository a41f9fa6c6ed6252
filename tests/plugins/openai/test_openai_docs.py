from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "engines" / "openai.md"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page_explains_every_kind():
    assert len(BLOCKS) == 3
    for word in (
        "llm",
        "stt",
        "tts",
        "translator",
        "Ollama",
        "llama.cpp",
        "vLLM",
        "LocalAI",
        "Speaches",
        "Kokoro-FastAPI",
    ):
        assert word in PAGE.read_text(encoding="utf-8")
