"""Keys go to the server and nowhere else: not into logs, errors or `/health`, not even if the server repeats them."""

from __future__ import annotations

import json
import logging
import traceback

import pytest

from counterparts.openai_server import OpenAIServer, Script
from mynah import EngineError
from mynah.testing import run_hub

KEY = "sk-verysecret-0123456789"
HEADER = "another-secret-987654"
ECHO = {"error": {"message": f"bad key {KEY} or {HEADER}", "type": KEY}}
FAULTS = (
    *(Script(status=status, body=ECHO) for status in (400, 401, 403, 404, 429, 500)),
    Script(status=500, body=f"key {KEY} {HEADER}"),
    Script(fault="drop"),
    Script(fault="cut", after=1),
    Script(fault="garbage", after=1),
    Script(tokens=(f"{KEY} {HEADER}",), finish="content_filter"),
    Script(whole={"error": ECHO}),
)


@pytest.fixture
def debug_log(caplog):
    """Log everything that any library has to say."""
    caplog.set_level(logging.DEBUG)
    for name in ("openai", "openai._base_client", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, name)
    return caplog


async def test_the_key_goes_to_the_server(server: OpenAIServer, opened, reply):
    async with opened("llm", api_key=KEY, headers={"X-Other": HEADER}) as engine:
        await reply(engine)
    for seen in server.seen:
        assert seen.headers["Authorization"] == f"Bearer {KEY}"
        assert seen.headers["X-Other"] == HEADER


async def test_keys_of_the_environment_go_to_no_server(server: OpenAIServer, opened, reply, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, KEY)
    async with opened("llm") as engine:
        await reply(engine)
    for seen in server.seen:
        assert "Authorization" not in seen.headers
        assert KEY not in str(seen.headers)


@pytest.mark.parametrize("script", FAULTS)
async def test_keys_are_in_no_error_and_no_log(server: OpenAIServer, opened, reply, debug_log, script):
    async with opened("llm", api_key=KEY, headers={"X-Other": HEADER}) as engine:
        server.chat = script
        with pytest.raises(EngineError) as caught:
            await reply(engine)
    told = [str(caught.value), *traceback.format_exception(caught.value)]
    debug_log.handler.flush()
    told += [debug_log.text]
    assert "POST" in debug_log.text
    for text in told:
        assert KEY not in text
        assert HEADER not in text


async def test_a_key_or_header_of_a_letter_leaves_the_server_s_words_readable(server: OpenAIServer, opened, reply):
    server.chat = Script(status=400, body={"error": {"message": "at most 112 texts; your key was x"}})
    async with opened("llm", api_key="x", headers={"X-Beta": "1"}) as engine:
        with pytest.raises(EngineError, match="at most 112 texts; your key was «secret»"):
            await reply(engine)


async def test_keys_are_not_in_health(server: OpenAIServer, tmp_path, debug_log):
    server.key = "another"
    entry = {"engine": "openai", "base_url": server.base_url, "model": "tiny", "api_key": KEY}
    config = {"engines": {"llm": [entry, {"engine": "facts"}], "tts": [entry], "stt": [entry]}}
    async with run_hub(tmp_path, config=config, installed=["openai", "facts", "zoo_guide"]) as hub:
        health = json.dumps(hub.health())
    assert "the api_key is refused" in health
    assert KEY not in health
    assert KEY not in debug_log.text
