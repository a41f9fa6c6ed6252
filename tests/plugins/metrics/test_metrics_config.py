"""The section `metrics`, and what the component does with it."""

from __future__ import annotations

import asyncio
import sys

import pytest
import voluptuous as vol

from mynah import MynahError
from mynah.testing import run_hub, scripted_engines
from mynah_metrics.component import run
from mynah_metrics.config import SCHEMA


def test_nothing_is_sent_unless_it_is_said_where():
    assert vol.Schema(SCHEMA)({}) == {"traces": None, "headers": {}, "service": "mynah"}


@pytest.mark.parametrize("wrong", ["localhost:4318", "ftp://host/", "http://", 4318, ""])
def test_an_address_that_is_none_is_refused(wrong):
    with pytest.raises(vol.Invalid, match="an address such as http"):
        vol.Schema(SCHEMA)({"traces": wrong})


async def test_without_an_address_the_component_is_ready_and_imports_nothing(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("opentelemetry", "mynah_metrics.traces"))]:
        monkeypatch.delitem(sys.modules, name)
    async with run_hub(tmp_path, specs=scripted_engines(), installed=["metrics"]) as hub:
        assert hub.health()["components"]["metrics"]["state"] == "ready"
        assert "mynah_metrics.traces" not in sys.modules


async def test_without_the_library_it_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("opentelemetry", "mynah_metrics.traces"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    config = {"traces": "http://127.0.0.1:4318/v1/traces", "headers": {}, "service": "mynah"}
    with pytest.raises(MynahError, match=r"traces need opentelemetry.*pip install 'mynah\[otel\]'"):
        async with asyncio.timeout(10):
            await run(None, config, lambda: None)
