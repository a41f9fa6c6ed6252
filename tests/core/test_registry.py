"""Speakers that came by themselves: noted, remembered, and never confused with the configured ones."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from mynah.errors import InputError
from mynah.session_protocol import OutletOptions, SessionOptions
from mynah.testing.hubs import run_hub, scripted_engines

CONFIG = {
    "speakers": {"lion_house": {"name": "Lion house", "area": "savanna"}},
    "groups": {"big_cats": ["lion_house"], "outside": ["savanna"]},
}
FACTS = {"name": "New one", "area": "savanna", "formats": ["mp3"], "online": True}


def hub_in(folder, config=CONFIG):
    return run_hub(folder, specs=scripted_engines(), config=config)


def rows(hub):
    return {row["id"]: row for row in hub.speakers()}


async def test_a_noted_speaker_is_listed_beside_the_configured_ones(tmp_path):
    async with hub_in(tmp_path) as hub:
        hub.note_speaker("new_one", FACTS)
        assert [(row["id"], row["configured"], row["online"]) for row in hub.speakers()] == [
            ("lion_house", True, False),
            ("new_one", False, True),
        ]
        row = rows(hub)["new_one"]
        assert (row["name"], row["area"], row["formats"]) == ("New one", "savanna", ["mp3"])
        hub.note_speaker("new_one", {"online": False})
        assert rows(hub)["new_one"] | {"last_seen": 0} == row | {"online": False, "last_seen": 0}


async def test_it_is_remembered_across_restarts_and_taken_for_offline(tmp_path):
    async with hub_in(tmp_path) as hub:
        hub.note_speaker("new_one", FACTS)
        hub.note_speaker("lion_house", {"formats": ["ima_adpcm"], "name": "not mine"})
        before = rows(hub)
    async with hub_in(tmp_path) as hub:
        assert rows(hub)["new_one"] == before["new_one"] | {"online": False}
        assert rows(hub)["lion_house"] == before["lion_house"]
        assert rows(hub)["lion_house"]["name"] == "Lion house"


async def test_areas_and_groups_resolve_to_both(tmp_path):
    async with hub_in(tmp_path) as hub:
        hub.note_speaker("new_one", FACTS)
        for name in ("savanna", "outside", "all"):
            assert set(hub.announce("Hello", name).missed) == {"lion_house", "new_one"}
        hub.forget_speaker("new_one")
        assert set(hub.announce("Hello", "savanna").missed) == {"lion_house"}


async def test_forgetting_lasts(tmp_path):
    async with hub_in(tmp_path) as hub:
        hub.note_speaker("new_one", FACTS)
        hub.forget_speaker("new_one")
        with pytest.raises(InputError, match="no speaker named 'new_one'"):
            hub.forget_speaker("new_one")
    async with hub_in(tmp_path) as hub:
        assert set(rows(hub)) == {"lion_house"}


@pytest.mark.parametrize(
    ("id", "facts", "message"),
    [
        ("big_cats", {}, "a group or an area has that name"),
        ("savanna", {}, "a group or an area has that name"),
        ("all", {}, "a group or an area has that name"),
        ("new_one", {"area": "lion_house"}, "a speaker or a group has that name"),
        ("new_one", {"area": "big_cats"}, "a speaker or a group has that name"),
        ("new_one", {"area": "new_one"}, "a speaker or a group has that name"),
        ("New One", {}, "only small letters"),
        ("new_one", {"area": "../x"}, "only small letters"),
        ("new_one", {"name": "x" * 101}, "up to 100 characters"),
        ("new_one", {"formats": "mp3"}, "a list of up to 16"),
        ("new_one", {"colour": "red"}, "only name, area, formats, online"),
    ],
)
async def test_names_never_collide_and_facts_are_checked(tmp_path, id, facts, message):
    async with hub_in(tmp_path) as hub:
        with pytest.raises(InputError, match=message):
            hub.note_speaker(id, facts)
        assert set(rows(hub)) == {"lion_house"}


async def test_a_speaker_whose_name_the_configuration_has_taken_since_is_passed_over(tmp_path, caplog):
    async with hub_in(tmp_path) as hub:
        hub.note_speaker("new_one", FACTS)
    async with hub_in(tmp_path, {"speakers": {"hall": {}}, "groups": {"new_one": ["hall"]}}) as hub:
        assert set(rows(hub)) == {"hall"}
    assert "new_one, which came by itself, is passed over" in caplog.text


async def test_one_that_was_configured_since_is_what_the_configuration_says(tmp_path):
    async with hub_in(tmp_path) as hub:
        hub.note_speaker("new_one", FACTS)
    async with hub_in(tmp_path, {"speakers": {"new_one": {"name": "Old one"}}}) as hub:
        (row,) = hub.speakers()
        assert (row["name"], row["area"], row["configured"], row["formats"]) == ("Old one", None, True, ["mp3"])


async def test_a_speaker_with_a_token_may_converse_though_it_is_not_configured(tmp_path):
    async with hub_in(tmp_path) as hub:
        hub.storage.issue_token("new_one", "speaker")
        hub.storage.issue_token("boss", "admin")
        session = hub.open_session(SessionOptions(speaker="new_one"))
        assert rows(hub)["new_one"]["session"] == session.id
        assert not rows(hub)["new_one"]["online"]
        async with aclosing(session.outputs(OutletOptions())) as outputs:
            session.say("Hello.")
            await anext(outputs)
            assert rows(hub)["new_one"]["online"]
        for unknown in ("boss", "moon"):
            with pytest.raises(InputError, match="no speaker named"):
                hub.open_session(SessionOptions(speaker=unknown))


async def test_there_is_an_end_to_how_many_are_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr("mynah.registry.MOST", 2)
    async with hub_in(tmp_path) as hub:
        hub.note_speaker("one", {})
        hub.note_speaker("two", {})
        with pytest.raises(InputError, match="2 speakers are known already"):
            hub.note_speaker("three", {})
        hub.note_speaker("one", {"name": "One"})


async def test_a_speaker_is_added_with_a_token_and_a_key_before_it_has_ever_been_there(tmp_path):
    async with hub_in(tmp_path) as hub:
        secrets = hub.add_speaker("new_one", {"name": "New one", "area": "savanna"})
        assert hub.access(secrets.token) == ("speaker", "new_one")
        assert hub.storage.key("new_one") == secrets.key
        assert secrets.token not in repr(secrets)
        assert rows(hub)["new_one"]["last_seen"] is None
    async with hub_in(tmp_path) as hub:
        assert rows(hub)["new_one"]["name"] == "New one"
        assert rows(hub)["new_one"]["last_seen"] is None


async def test_a_token_is_replaced_only_where_that_is_wanted(tmp_path):
    async with hub_in(tmp_path) as hub:
        first = hub.add_speaker("lion_house", {})
        with pytest.raises(InputError, match="has a token already"):
            hub.add_speaker("lion_house", {})
        second = hub.add_speaker("lion_house", {}, renew=True)
        assert hub.access(first.token) is None
        assert hub.access(second.token) == ("speaker", "lion_house")


async def test_a_persons_token_is_neither_replaced_nor_voided_by_a_speaker_of_that_name(tmp_path):
    async with hub_in(tmp_path) as hub:
        token = hub.storage.issue_token("anna", "admin")
        with pytest.raises(InputError, match="name of a person"):
            hub.add_speaker("anna", {}, renew=True)
        with pytest.raises(InputError, match="no speaker named 'anna'"):
            hub.forget_speaker("anna")
        assert hub.access(token) == ("admin", "")


async def test_forgetting_a_speaker_voids_its_token_and_its_key_and_ends_its_sessions(tmp_path):
    async with hub_in(tmp_path) as hub:
        secrets = hub.add_speaker("new_one", {})
        session = hub.open_session(SessionOptions(speaker="new_one"))
        hub.forget_speaker("new_one")
        assert session.closed
        assert hub.access(secrets.token) is None
        assert hub.storage.key("new_one") is None
        assert "new_one" not in rows(hub)


async def test_the_firmware_of_a_speaker_is_known_as_long_as_the_hub_runs(tmp_path):
    async with hub_in(tmp_path) as hub:
        hub.note_speaker("new_one", {"firmware": "0.1.0"})
        hub.note_speaker("lion_house", {"firmware": "0.2.0"})
        assert {id: row["firmware"] for id, row in rows(hub).items()} == {"lion_house": "0.2.0", "new_one": "0.1.0"}
        with pytest.raises(InputError, match="must be a version"):
            hub.note_speaker("new_one", {"firmware": "x" * 101})
