"""The translator `libretranslate`, against a server that speaks its API."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager

import pytest
import voluptuous as vol

from counterparts.libretranslate_server import LibreTranslateServer
from mynah import EngineError, EngineUnavailable, InputError
from mynah.testing import check_translator
from mynah.testing.contract_run import checked_options
from mynah_libretranslate import mynah_engines

(SPEC,) = mynah_engines()
KEY = "sk-very-secret"


@asynccontextmanager
async def opened(server, **config):
    options = checked_options(SPEC, {"base_url": server.base_url, **config})
    async with SPEC.open(options, None) as engine:
        yield engine


async def put(engine, text="Hello", source="en", target="es"):
    return [piece async for piece in engine.translate(text, source=source, target=target)]


async def test_it_keeps_the_contract_of_a_translator(tmp_path):
    async with LibreTranslateServer() as server:
        await check_translator(SPEC, {"base_url": server.base_url}, folder=tmp_path)


async def test_a_text_is_translated():
    async with LibreTranslateServer() as server, opened(server) as engine:
        assert await put(engine, "Where does it hurt?") == ["¿Dónde le duele?"]
        assert server.seen == [{"q": "Where does it hurt?", "source": "en", "target": "es", "format": "text"}]


@pytest.mark.parametrize(
    ("tag", "code"),
    [("es-MX", "es"), ("zh", "zh-Hans"), ("zh-CN", "zh-Hans"), ("zh-TW", "zh-Hant"), ("zh-Hant-HK", "zh-Hant"),
     ("pt-BR", "pt-BR"), ("pt-PT", "pt"), ("cmn", "zh-Hans")],
)  # fmt: skip
async def test_languages_are_told_by_the_servers_own_codes(tag, code):
    async with LibreTranslateServer() as server, opened(server) as engine:
        await put(engine, "Hi", "en-US", tag)
        assert (server.seen[-1]["source"], server.seen[-1]["target"]) == ("en", code)


async def test_the_older_codes_of_chinese_are_known_too():
    async with (
        LibreTranslateServer(targets={"en": ["zh", "zt"], "zh": [], "zt": []}) as server,
        opened(server) as engine,
    ):
        await put(engine, "Hi", "en", "zh-CN")
        await put(engine, "Hi", "en", "zh-TW")
        assert [asked["target"] for asked in server.seen] == ["zh", "zt"]


@pytest.mark.parametrize(("source", "target"), [("en", "tlh"), ("tlh", "en")])
async def test_a_language_that_the_server_does_not_have_is_refused_without_asking(source, target):
    async with LibreTranslateServer() as server, opened(server) as engine:
        with pytest.raises(InputError, match="does not have the language 'tlh'"):
            await put(engine, "Hi", source, target)
        assert server.seen == []


async def test_a_pair_that_the_server_does_not_have_is_refused():
    targets = {"en": ["es"], "es": ["en"], "de": ["en"]}
    async with LibreTranslateServer(targets=targets) as server, opened(server) as engine:
        with pytest.raises(InputError, match="does not translate from en into de"):
            await put(engine, "Hi", "en", "de")


async def test_the_key_goes_along_and_is_never_shown(caplog):
    caplog.set_level(logging.DEBUG)
    async with LibreTranslateServer(key=KEY) as server:
        async with opened(server, api_key=KEY) as engine:
            assert await put(engine) == ["Hola"]
            assert server.seen[-1]["api_key"] == KEY
            server.fault = 429
            with pytest.raises(EngineError, match=r"answered 429 .*fewer requests") as refused:
                await put(engine)
        async with opened(server, api_key="wrong-key") as engine:
            with pytest.raises(EngineError, match=r"answered 403 .*check api_key") as wrong:
                await put(engine)
    assert KEY not in f"{refused.value}{caplog.text}"
    assert "wrong-key" not in f"{wrong.value}{caplog.text}"


@pytest.mark.parametrize(
    ("fault", "says"),
    [(500, "answered 500"), ("html", "no translation in it"), ("empty", "no translation in it"),
     ("huge", "more than 1 MiB"), ("drop", "127.0.0.1"), ("hang", "no answer in time")],
)  # fmt: skip
async def test_a_fault_of_the_server_is_told_in_words(fault, says):
    async with LibreTranslateServer(fault=fault) as server, opened(server, timeout=0.3) as engine:
        with pytest.raises(EngineError, match=says):
            await put(engine)


@pytest.mark.parametrize(("fault", "says"), [("language", "es is not supported"), ("long", "exceeds text limit")])
async def test_words_that_are_not_for_the_server_are_no_fault_of_it(fault, says):
    async with LibreTranslateServer(fault=fault) as server, opened(server) as engine:
        with pytest.raises(InputError, match=says):
            await put(engine)


@pytest.mark.parametrize("status", [400, 403, 429])
async def test_what_the_server_refuses_otherwise_is_its_fault(status):
    async with LibreTranslateServer(fault=status) as server, opened(server) as engine:
        with pytest.raises(EngineError, match=f"answered {status}"):
            await put(engine)


async def test_a_server_that_is_not_there_is_told_at_once():
    async with LibreTranslateServer() as server:
        gone = server.base_url
    options = checked_options(SPEC, {"base_url": gone})
    with pytest.raises(EngineUnavailable, match=r"127\.0\.0\.1"):
        async with SPEC.open(options, None):
            pass


@pytest.mark.parametrize(
    "config",
    [{"base_url": "localhost:5000"}, {"base_url": "http://me:secret@host"}, {"base_url": "http://host/?key=1"},
     {"api_key": ""}, {"api_key": 7}, {"timeout": 0}],
)  # fmt: skip
def test_a_wrong_configuration_is_told(config):
    with pytest.raises(vol.Invalid):
        vol.Schema(SPEC.schema)(config)
