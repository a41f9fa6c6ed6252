"""`mynah bench browser`: what it measures, and what it says where there is no browser."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from mynah import MynahError
from mynah_web.bench import measure

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.long
async def test_both_formats_sound_and_the_page_is_there_within_their_limits(tmp_path):
    *sound, page = await measure(SimpleNamespace(runs=9, sessions=(1,), folder=tmp_path))
    assert page["measure"] == "the page asked for to ready to talk"
    assert page["own_limit_ms"] == 1_000
    assert [row["measure"].rsplit(" ", 1)[1] for row in sound] == ["MP3", "PCM"]
    assert [row["own_limit_ms"] for row in sound] == [60, 60]
    for row in (*sound, page):
        assert row["runs"] == 9
        assert -2 < row["own_p50_ms"] <= row["own_limit_ms"], row


async def test_says_how_to_get_a_browser(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(MynahError, match="apt install chromium"):
        await measure(SimpleNamespace(runs=1, sessions=(1,), folder=tmp_path))
