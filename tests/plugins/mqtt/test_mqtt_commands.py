"""Commands, replies and properties, over the embedded broker and a real mosquitto alike."""

from __future__ import annotations

import asyncio
import time
from itertools import groupby

import pytest

from counterparts.mqtt_speaker import until
from mynah import LISTENING
from mynah.audio import wav_header
from mynah.testing import ScriptedTextToSpeech

CMD, REPLY = "mynah/speaker/lion_house/cmd", "mynah/speaker/lion_house/reply"


async def test_speaker_registers_with_the_hub(world):
    async with world.speaker("lion_house"), world.admin() as admin:
        await until(lambda: admin.on("mynah/speaker/lion_house/availability"), "its availability")
        await admin.publish("mynah/hub/request/speakers", {"id": "r1"})
        answer = await admin.reply("mynah/hub/response/speakers", "r1")

    online = {row["id"]: row["online"] for row in answer["speakers"]}
    assert online == {"lion_house": True, "giraffe_deck": False, "reptile_house": False}


async def test_speaker_that_no_configuration_names_is_known_too(make_world):
    world = make_world(speakers={"lion_house": {}})
    async with world.running(), world.admin() as admin:
        await admin.publish("mynah/speaker/petting_zoo/info", {"id": "petting_zoo", "mac": "1"}, retain=True)
        await admin.publish("mynah/speaker/petting_zoo/availability", "online", retain=True)
        await admin.publish("mynah/hub/request/speakers", {"id": "r1"})
        answer = await admin.reply("mynah/hub/response/speakers", "r1")

    assert [row["id"] for row in answer["speakers"] if row["online"]] == ["petting_zoo"]


async def test_speaker_does_its_own_command_once_however_often_it_arrives(world):
    async with world.speaker("lion_house") as speaker, world.admin() as admin:
        for _ in range(3):
            await admin.publish(CMD, {"id": "4f1", "command": "volume", "volume": 40})
        await until(lambda: len(admin.on(REPLY)) == 3, "three replies")

    assert speaker.done == [{"id": "4f1", "command": "volume", "volume": 40}]
    assert {reply["by"] for reply in admin.on(REPLY)} == {"speaker"}


async def test_hub_says_something_once_and_repeats_its_reply(world):
    async with world.session("lion_house") as session, world.admin() as admin:
        command = {"id": "4f2", "command": "say", "text": "Feeding time!"}
        await asyncio.gather(*(admin.publish(CMD, command) for _ in range(2)))
        reply = await admin.reply(REPLY, "4f2")
        already = len(admin.on(REPLY))
        await admin.publish(CMD, command)
        await until(lambda: len(admin.on(REPLY)) > already, "the reply again")

    assert reply == {"id": "4f2", "command": "say", "ok": True, "by": "hub"}
    assert all(each == reply for each in admin.on(REPLY))
    assert len(session.turns) == 1


async def test_say_is_done_when_it_has_sounded(make_world):
    world = make_world()
    async with (
        world.running(tts=ScriptedTextToSpeech(ms_per_word=150)),
        world.session("lion_house", playback="real_time", buffer_ms=200),
        world.admin() as admin,
    ):
        began = time.monotonic()
        await admin.publish(CMD, {"id": "s", "command": "say", "text": "one two three four five six"})
        assert (await admin.reply(REPLY, "s"))["ok"]

    assert time.monotonic() - began > 0.8


async def test_say_that_is_stopped_is_answered_so(make_world):
    world = make_world()
    async with (
        world.running(tts=ScriptedTextToSpeech(ms_per_word=5000)),
        world.session("lion_house", playback="real_time", buffer_ms=200) as session,
        world.admin() as admin,
    ):
        await admin.publish(CMD, {"id": "s", "command": "say", "text": "one two three four"})
        await until(lambda: session.turns, "the turn")
        await admin.publish(CMD, {"id": "x", "command": "stop"})
        reply = await admin.reply(REPLY, "s")

    assert (reply["ok"], reply["code"]) == (False, "failed")
    assert "interrupted: stop" in reply["message"]


@pytest.mark.parametrize("place", ["speaker/lion_house", "group/all"])
async def test_what_is_to_be_said_right_after_a_stop_is_not_stopped_by_it(make_world, place):
    """A speaker does `stop` by itself and tells the hub over its session: later than the hub reads what comes next."""
    world = make_world()
    async with (
        world.running(tts=ScriptedTextToSpeech(total_s=0.4)),
        world.speaker("lion_house") as speaker,
        world.session("lion_house") as session,
        world.admin() as admin,
    ):

        async def stop_slowly(reply):
            await asyncio.sleep(0.2)
            await session.interrupt("stop")
            await speaker.publish(speaker.topic("reply"), reply)

        speaker._answer = stop_slowly
        commands = ({"id": "s1", "command": "stop"}, {"id": "s2", "command": "say", "text": "The zoo closes now."})
        await asyncio.gather(*(admin.publish(f"mynah/{place}/cmd", command) for command in commands))
        reply = await admin.reply(f"mynah/{place}/reply", "s2")

    assert reply["ok"], reply
    assert "message" not in reply


async def test_announcement_sounds_at_its_own_volume_and_the_old_one_comes_back(make_world):
    world = make_world()
    async with (
        world.running(tts=ScriptedTextToSpeech(ms_per_word=100)),
        world.speaker("lion_house") as speaker,
        world.session("lion_house", playback="real_time", buffer_ms=200),
        world.admin() as admin,
    ):
        await until(lambda: admin.on("mynah/speaker/lion_house/availability"), "the speaker")
        await admin.publish(CMD, {"id": "a", "command": "announce", "text": "We close now.", "volume": 90})
        assert (await admin.reply(REPLY, "a"))["ok"]
        await until(lambda: len(speaker.done) == 2, "both volumes")

    assert [(each["volume"], each["keep"]) for each in speaker.done] == [(90, False), (50, False)]


async def test_announcements_one_after_the_other_leave_the_volume_as_it_was(make_world):
    world = make_world()
    async with (
        world.running(tts=ScriptedTextToSpeech(ms_per_word=100)),
        world.session("lion_house", playback="real_time", buffer_ms=200) as session,
        world.admin() as admin,
    ):
        await admin.publish(CMD, {"id": "v", "command": "volume", "volume": 30})
        for id, volume in (("a", 90), ("b", 60)):
            await admin.publish(CMD, {"id": id, "command": "announce", "text": "We close now.", "volume": volume})
        for id in ("a", "b"):
            assert (await admin.reply(REPLY, id))["ok"]
        await until(lambda: told(session)[-2:] == [60, 30], "the volume as it was")

    assert told(session) == [30, 90, 60, 30]


def told(session) -> list[int]:
    """The volumes that a speaker was told, one after the other."""
    return [
        percent for percent, _ in groupby(each.data["percent"] for each in session.messages if each.name == "volume")
    ]


async def test_group_is_told_who_heard_it_and_who_did_not(world):
    async with world.session("lion_house"), world.admin() as admin:
        await admin.publish("mynah/group/savanna/cmd", {"id": "g", "command": "announce", "text": "We close."})
        reply = await admin.reply("mynah/group/savanna/reply", "g")

    assert (reply["ok"], reply["heard"]) == (True, ["lion_house"])
    assert [each["speaker"] for each in reply["missed"]] == ["giraffe_deck"]


async def test_group_command_of_the_speakers_own_reaches_each_of_them(world):
    async with (
        world.speaker("lion_house") as lion,
        world.speaker("giraffe_deck") as giraffe,
        world.admin() as admin,
    ):
        await until(lambda: len(admin.on("mynah/speaker/giraffe_deck/availability")) == 1, "the speakers")
        await admin.publish("mynah/group/savanna/cmd", {"id": "g", "command": "volume", "volume": 20})
        reply = await admin.reply("mynah/group/savanna/reply", "g")

    assert reply["ok"]
    assert sorted(reply["heard"]) == ["giraffe_deck", "lion_house"]
    assert sorted([lion.done[0]["id"], giraffe.done[0]["id"]]) == ["g.1", "g.2"]


async def test_speaker_without_mqtt_has_its_topics_published_by_the_hub(world):
    async with world.admin() as admin:
        async with world.session("lion_house") as session:
            await until(lambda: "online" in admin.on("mynah/speaker/lion_house/availability"), "online")
            await admin.publish(CMD, {"id": "v", "command": "volume", "volume": 30})
            assert (await admin.reply(REPLY, "v"))["by"] == "hub"
            states = "mynah/speaker/lion_house/state"
            await until(lambda: admin.on(states)[-1]["volume"] == 30, "the new state")
            await session.ask_text("What do lions eat?")
            events = "mynah/speaker/lion_house/event"
            await until(lambda: len(admin.on(events)) == 2, "heard and said")
        await until(lambda: "offline" in admin.on("mynah/speaker/lion_house/availability"), "offline")

    assert admin.on("mynah/speaker/lion_house/info")[0]["by"] == "hub"
    assert [event["event"] for event in admin.on(events)] == ["heard", "said"]
    assert admin.on(events)[1]["text"] == "Lions eat meat."


async def test_muting_a_speaker_without_mqtt_keeps_its_volume(world):
    async with world.session("lion_house"), world.admin() as admin:
        await admin.publish(CMD, {"id": "1", "command": "volume", "volume": 70})
        await admin.publish(CMD, {"id": "2", "command": "mute", "mute": True})
        await admin.reply(REPLY, "2")
        muted = world.hub.sessions()[0]["muted"]
        await admin.publish("mynah/speaker/lion_house/mute/set", "OFF")
        await until(lambda: not world.hub.sessions()[0]["muted"], "the sound")
        assert world.hub.sessions()[0]["volume"] == 70

    assert muted


async def test_persona_and_context_are_the_hubs_doing(world):
    async with world.session("lion_house"), world.admin() as admin:
        await admin.publish(CMD, {"id": "1", "command": "persona", "persona": "sparrow"})
        await admin.publish(CMD, {"id": "2", "command": "context", "context": {"exhibit": "lion"}})
        await admin.publish(CMD, {"id": "3", "command": "persona", "persona": "dodo"})
        refused = await admin.reply(REPLY, "3")
        assert (await admin.reply(REPLY, "1"))["ok"]
        assert (await admin.reply(REPLY, "2"))["ok"]
        context = world.hub.sessions()[0]["context"]

    assert context == {"exhibit": "lion"}
    assert (refused["code"], refused["message"]) == ("unknown", "no persona named 'dodo'; known are sparrow")


MALFORMED = (
    (b"\xff\xfe", None, None, "invalid", "it is not JSON"),
    (b"[" * 900, None, None, "invalid", "it is not JSON"),
    (b"[]", None, None, "invalid", "it must be a JSON object"),
    (b'{"command": "stop"}', None, "stop", "invalid", "id must be text of 1 to 36 characters"),
    (b'{"id": "1", "command": "sing"}', "1", "sing", "unknown", "there is no command 'sing'"),
    (b'{"id": "2"}', "2", None, "invalid", "command is missing, or no text"),
    (b'{"id": "3", "command": "say"}', "3", "say", "invalid", "text is missing"),
    (b'{"id": "4", "command": "say", "text": "a", "loud": 1}', "4", "say", "invalid", "there is no field 'loud'"),
    (
        b'{"id": "5", "command": "volume", "volume": 101}',
        "5",
        "volume",
        "invalid",
        "volume must be a whole number from 0 to 100",
    ),
    (b'{"id": "6", "command": "mute", "mute": 1}', "6", "mute", "invalid", "mute must be true or false"),
    (
        b'{"id": "7", "command": "say", "text": "' + b"a" * 1000 + b'"}',
        None,
        None,
        "too_big",
        "1041 bytes are too many",
    ),
    (b'{"id": "8", "command": "say", "text": "a", "expires": 1}', "8", "say", "expired", "it came too late"),
    (b'{"id": "9", "command": "play", "url": "../../config.yaml"}', "9", "play", "invalid", "config.yaml"),
)


@pytest.mark.parametrize("kind", ["embedded"])
async def test_command_that_does_not_fit_is_answered_by_why(world, caplog):
    async with world.session("lion_house"), world.admin() as admin:
        for payload, *_ in MALFORMED:
            await admin.publish(CMD, payload)
        replies = await until(lambda: len(admin.on(REPLY)) == len(MALFORMED) and admin.on(REPLY), "all replies")

    for _, id, name, code, message in MALFORMED:
        found = [each for each in replies if (each["id"], each["code"]) == (id, code) and message in each["message"]]
        assert [(each["command"], each["ok"], each["by"]) for each in found[:1]] == [(name, False, "hub")], message
    assert "a command for lion_house was not done: invalid: it is not JSON" in caplog.text
    assert "aaaa" not in caplog.text


async def test_command_to_nobody_is_answered(world):
    async with world.admin() as admin:
        await admin.publish("mynah/speaker/nobody/cmd", {"id": "1", "command": "stop"})
        await admin.publish(CMD, {"id": "2", "command": "say", "text": "Hello?"})
        await admin.publish("mynah/group/nothing/cmd", {"id": "3", "command": "stop"})
        unknown = await admin.reply("mynah/speaker/nobody/reply", "1")
        offline = await admin.reply(REPLY, "2")
        no_group = await admin.reply("mynah/group/nothing/reply", "3")

    assert (unknown["code"], offline["code"], no_group["code"]) == ("unknown", "offline", "unknown")


async def test_property_that_does_not_fit_is_answered(world):
    async with world.session("lion_house"), world.admin() as admin:
        await admin.publish("mynah/speaker/lion_house/volume/set", "loud")
        await admin.publish("mynah/speaker/lion_house/colour/set", "red")
        replies = await until(lambda: len(admin.on(REPLY)) == 2 and admin.on(REPLY), "both replies")

    assert [(reply["command"], reply["code"]) for reply in replies] == [
        ("volume/set", "invalid"),
        ("colour/set", "unknown"),
    ]


async def test_property_of_a_speaker_with_mqtt_is_its_own(world):
    async with world.speaker("lion_house") as speaker, world.admin() as admin:
        await until(lambda: admin.on("mynah/speaker/lion_house/availability"), "the speaker")
        await admin.publish("mynah/speaker/lion_house/volume/set", "12")
        await until(lambda: speaker.state["volume"] == 12, "the volume")
        await until(lambda: admin.on("mynah/speaker/lion_house/state")[-1]["volume"] == 12, "the state")

    assert admin.on(REPLY) == []


async def test_retained_command_is_passed_over_by_a_hub_that_starts(make_world):
    world = make_world()
    async with world.running(), world.admin() as admin, world.session("lion_house"):
        await admin.publish(CMD, {"id": "r", "command": "say", "text": "Again"}, retain=True)
        await admin.reply(REPLY, "r")
    if world.kind == "embedded":
        return  # it retains no commands at all; see test_embedded_broker_retains_no_commands
    async with world.running(), world.admin() as admin, world.session("lion_house") as session:
        await admin.publish(CMD, {"id": "other", "command": "stop"})
        await admin.reply(REPLY, "other")

        assert session.turns == {}


async def test_requests_are_answered(world):
    async with world.admin() as admin:
        for name in ("groups", "personas", "health", "update", "weather"):
            content = {"id": name, **({"speaker": "lion_house"} if name == "update" else {})}
            await admin.publish(f"mynah/hub/request/{name}", content)
        answers = {
            name: await admin.reply(f"mynah/hub/response/{name}", name)
            for name in ("groups", "personas", "health", "update", "weather")
        }

    assert answers["groups"]["groups"] == {"savanna": ["lion_house", "giraffe_deck"], "indoors": ["reptile_house"]}
    assert answers["personas"]["personas"] == ["sparrow"]
    assert answers["health"]["status"] == "healthy"
    assert (answers["update"]["ok"], answers["update"]["code"]) == (False, "failed")
    assert answers["weather"]["code"] == "unknown"


async def test_recording_is_played_to_its_end(world):
    media = world.hub.folder / "media"
    media.mkdir(exist_ok=True)
    (media / "bell.wav").write_bytes(wav_header(LISTENING, 6400) + bytes(6400))
    async with world.session("lion_house") as session, world.admin() as admin:
        await admin.publish(CMD, {"id": "p", "command": "play", "url": "bell.wav"})
        await admin.publish("mynah/group/savanna/cmd", {"id": "g", "command": "play", "url": "bell.wav"})
        alone = await admin.reply(REPLY, "p")
        group = await admin.reply("mynah/group/savanna/reply", "g")

    assert alone["ok"], alone
    assert group["heard"] == ["lion_house"]
    assert len(session.turns) == 2


async def test_speaker_that_comes_by_itself_is_known_to_the_hub_with_what_it_plays(make_world):
    world = make_world(speakers={"lion_house": {}})
    async with world.running(), world.admin() as admin:
        info = {"id": "petting_zoo", "mac": "1", "plays": ["ima_adpcm"]}
        await admin.publish("mynah/speaker/petting_zoo/info", info, retain=True)
        await admin.publish("mynah/speaker/petting_zoo/availability", "online", retain=True)

        def found():
            return [each for each in world.hub.speakers() if each["id"] == "petting_zoo" and each["online"]]

        (speaker,) = await until(found, "the speaker")
        await admin.publish("mynah/speaker/petting_zoo/availability", "offline", retain=True)
        await until(lambda: not found(), "its end")

    assert speaker["formats"] == ["ima_adpcm"]


async def test_how_loud_a_speaker_heard_somebody_is_passed_on(world):
    told = []
    world.hub.note_wake = lambda id, level: told.append((id, level))
    async with world.admin() as admin:
        for event in ({"event": "button", "action": "press"}, {"event": "wake", "level": 1234}, {"event": "wake"}):
            await admin.publish("mynah/speaker/lion_house/event", event)
        await until(lambda: told, "the level")

    assert told == [("lion_house", 1234)]
