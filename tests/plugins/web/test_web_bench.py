"""`mynah bench browser`: what it measures, and what it says where there is no browser."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mynah import MynahError
from mynah_web.bench import measure

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.long
async def test_measures_both_formats_and_the_page(tmp_path):
    *sound, page = await measure(SimpleNamespace(runs=1, sessions=(1,), folder=tmp_path))
    assert page["measure"] == "the page asked for to ready to talk"
    assert page["runs"] == 1
    assert 0 < page["p50_ms"] < 30_000
    assert [row["measure"].rsplit(" ", 1)[1] for row in sound] == ["MP3", "PCM"]
    for row in sound:
        assert row["runs"] == 1
        assert -2 < row["p50_ms"] < 1_000
        assert row["own_limit_ms"] == 60


async def test_says_how_to_get_a_browser(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(MynahError, match="apt install chromium"):
        await measure(SimpleNamespace(runs=1, sessions=(1,), folder=tmp_path))
