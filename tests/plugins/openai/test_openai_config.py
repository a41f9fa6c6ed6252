from __future__ import annotations

import pytest

from mynah import ConfigError
from mynah.testing.contract_run import checked_options
from mynah_openai.config import ServerOptions


@pytest.mark.parametrize("kind", ["llm", "stt", "tts"])
def test_a_model_is_demanded(specs, kind):
    with pytest.raises(ConfigError, match="model"):
        checked_options(specs[kind], {})


@pytest.mark.parametrize("url", ["localhost:11434", "ftp://x/v1", "http://", "http://[", "http://x:99999"])
def test_an_address_must_be_one(specs, url):
    with pytest.raises(ConfigError, match=r"begins with http:// or https://"):
        checked_options(specs["llm"], {"model": "x", "base_url": url})


@pytest.mark.parametrize("url", ["http://me:pa55word@x/v1", "http://x/v1?key=pa55word"])
def test_an_address_holds_no_secret(specs, url):
    with pytest.raises(ConfigError, match="no user, password or query") as caught:
        checked_options(specs["llm"], {"model": "x", "base_url": url})
    assert "pa55word" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "sk-hidden\nsecond", "sk-hidden-ü", 7])
def test_a_key_that_no_header_can_hold_is_refused_without_repeating_it(specs, key):
    with pytest.raises(ConfigError) as caught:
        checked_options(specs["llm"], {"model": "x", "api_key": key})
    assert "hidden" not in str(caught.value)


def test_a_final_slash_and_spaces_around_a_key_do_no_harm(specs):
    options = checked_options(specs["llm"], {"model": "x", "base_url": "http://x/v1/", "api_key": " sk-1\n"})
    assert (options["base_url"], options["api_key"]) == ("http://x/v1", "sk-1")


def test_options_do_not_show_their_secrets(specs):
    config = checked_options(specs["llm"], {"model": "x", "api_key": "sk-hidden", "headers": {"X-Key": "hidden-too"}})
    options = ServerOptions.parse(config)
    assert "hidden" not in repr(options)
    assert options.secrets == ("sk-hidden", "hidden-too")
