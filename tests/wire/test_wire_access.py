"""Who may use a dialect, where it is, and as whom it speaks."""

from __future__ import annotations

import aiohttp
import pytest

from mynah.testing import ScriptedLanguageModel
from wire.wire_clients import name_of, of

PATHS = ("/ws/esp32/a", "/ws/audio?client_id=a", "/ws", "/ws/parallel", "/ws/voice", "/ws/speech")
NAMES = ("zoo_speaker", "study_partner", "clinic_interpreter", "news_agent", "speech_console")
REST = "/api/v1/audio-streaming/sessions"
SECRET = "sesame-open-0123456789"


async def status_of(home, path):
    """Return the status of a refused handshake, or 101."""
    try:
        async with home.connect(path):
            return 101
    except aiohttp.WSServerHandshakeError as error:
        return error.status


async def rest_status(home, path=REST):
    async with home.http.post(home.url + path) as answer:
        return answer.status


async def test_on_this_machine_all_are_open(house):
    async with house() as home:
        assert [await status_of(home, path) for path in PATHS] == [101] * 6
        assert await rest_status(home) == 200


async def test_on_the_network_all_are_off(house):
    async with house(config={"http": {"host": "0.0.0.0", "mdns": False}}) as home:
        assert [await status_of(home, path) for path in PATHS] == [403] * 6
        assert await rest_status(home) == 403


async def test_listed_networks_are_let_in(house):
    open_to = {name: {"networks": ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]} for name in NAMES}
    config = {"http": {"host": "0.0.0.0", "mdns": False}}
    async with house(config=config, dialects=open_to) as home:
        home.url = home.url.replace(home.url.split("/")[2].split(":")[0], "127.0.0.1")
        assert [await status_of(home, path) for path in PATHS] == [101] * 6
        assert await rest_status(home) == 200


async def test_other_networks_are_not(house):
    config = {"http": {"host": "0.0.0.0", "mdns": False}}
    async with house(config=config, dialects={"news_agent": {"networks": ["203.0.113.0/24"]}}) as home:
        assert await status_of(home, "/ws/voice") == 403


async def test_a_secret_prefix_opens_a_dialect_to_its_knower(house):
    config = {"http": {"host": "0.0.0.0", "mdns": False}}
    async with house(config=config, dialects={name: {"prefix": SECRET} for name in NAMES}) as home:
        assert [await status_of(home, path) for path in PATHS] == [404] * 6
        assert [await status_of(home, "/wrong-secret-0123456789" + path) for path in PATHS] == [404] * 6
        assert [await status_of(home, f"/{SECRET}{path}") for path in PATHS] == [101] * 6
        assert await rest_status(home, f"/{SECRET}{REST}") == 200
        async with home.http.get(home.url + f"/{SECRET}/health") as answer:
            assert (await answer.json())["status"] == "healthy"
        async with home.http.get(home.url + "/api/v1/openapi.json") as answer:
            assert SECRET not in await answer.text()


async def test_a_short_prefix_only_moves_it(house):
    config = {"http": {"host": "0.0.0.0", "mdns": False}}
    async with house(config=config, dialects={"news_agent": {"prefix": "old"}}) as home:
        assert await status_of(home, "/ws/voice") == 404
        assert await status_of(home, "/old/ws/voice") == 403


async def test_the_address_of_the_websocket_is_under_the_prefix_too(house):
    async with house(dialects={"study_partner": {"prefix": "old"}}) as home:
        async with home.http.post(home.url + "/old" + REST) as answer:
            url = (await answer.json())["websocket_url"]
        async with home.connect(url) as client:
            assert (await client.next())["type"] == "connection_established"


@pytest.mark.parametrize("name", NAMES)
async def test_each_can_be_switched_off(house, name):
    off = {
        "zoo_speaker": [404, 404, 101, 101, 101, 101],
        "study_partner": [101] * 6,
        "clinic_interpreter": [101, 101, 101, 404, 101, 101],
        "news_agent": [101, 101, 101, 101, 404, 101],
        "speech_console": [101, 101, 101, 101, 101, 404],
    }
    async with house(dialects={name: {"enabled": False}}) as home:
        assert [await status_of(home, path) for path in PATHS] == off[name]
        assert await rest_status(home) == (404 if name == "study_partner" else 200)


async def test_the_shared_path_goes_with_the_last_of_its_dialects(house):
    off = {"clinic_interpreter": {"enabled": False}, "speech_console": {"enabled": False}}
    async with house(dialects=off) as home:
        assert await status_of(home, "/ws") == 404


async def test_without_the_console_its_messages_are_none_of_the_clinics(house):
    async with house(dialects={"speech_console": {"enabled": False}}) as home, home.connect("/ws") as client:
        await client.send(type="ping")
        error = await client.next()
        assert error["type"] == "error"
        assert "conversation_id" not in error


async def test_without_the_clinic_its_messages_get_the_clinics_error(house):
    async with house(dialects={"clinic_interpreter": {"enabled": False}}) as home, home.connect("/ws") as client:
        await client.send(source_lang="en", target_lang="es", text="Hello")
        error = await client.next()
        assert error["type"] == "error"
        assert "conversation_id" not in error
        await client.send(type="ping")
        assert (await client.next())["type"] == "connection"


async def test_each_speaks_as_its_own_persona_where_that_is_there(house):
    async with house(personas=("news_host",)) as home:
        async with home.connect("/ws/voice") as client:
            await client.next()
            assert home.hub.sessions()[0]["persona"] == "news_host"
        async with home.connect("/ws/speech") as client:
            await client.next()
            assert {session["persona"] for session in home.hub.sessions()} >= {"sparrow"}


async def test_the_persona_is_configured(house):
    llm = ScriptedLanguageModel()
    dialects = {"news_agent": {"persona": "crow"}}
    async with (
        house(personas=("crow", "news_host"), llm=llm, dialects=dialects) as home,
        home.connect("/ws/voice") as client,
    ):
        await client.next()
        assert home.hub.sessions()[0]["persona"] == "crow"


async def test_a_persona_that_nobody_knows_is_a_mistake_in_the_configuration(house):
    with pytest.raises(Exception, match="no persona named 'raven'"):
        async with house(dialects={"news_agent": {"persona": "raven"}}):
            pass


async def test_a_network_that_is_none_is_one_too(house):
    with pytest.raises(Exception, match="is no network"):
        async with house(dialects={"news_agent": {"networks": ["kitchen"]}}):
            pass


async def test_where_the_hub_is_full_it_is_told_and_tried_again(house):
    async with house(config={"sessions": {"max": 1}}) as home, home.connect("/ws/voice") as first:
        await first.next()
        async with home.connect("/ws/voice") as second:
            assert name_of(await second.next()) == "error"
            home.hub.close_session(home.hub.sessions()[0]["id"], "test")
            await second.event("voice_command", session_id="", command="what do lions eat")
            assert of(await second.until("streaming_complete"), "connected")
