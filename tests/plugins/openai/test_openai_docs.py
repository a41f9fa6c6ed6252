from __future__ import annotations

import re
from pathlib import Path

import pytest

from mynah.config import load_config
from mynah.plugins import load_plugins

PAGE = Path(__file__).parents[3] / "docs" / "engines" / "openai.md"
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_page_shows_is_a_valid_configuration(block, tmp_path):
    (tmp_path / "config.yaml").write_text(block, encoding="utf-8")
    (tmp_path / "secrets.yaml").write_text("openai_key: sk-123456\n", encoding="utf-8")
    assert load_config(tmp_path / "config.yaml", load_plugins().specs).values["engines"]["llm"][0]["engine"] == "openai"


def test_the_page_explains_every_kind():
    assert len(BLOCKS) == 2
    for word in ("llm", "stt", "tts", "Ollama", "llama.cpp", "vLLM", "LocalAI", "Speaches", "Kokoro-FastAPI"):
        assert word in PAGE.read_text(encoding="utf-8")
