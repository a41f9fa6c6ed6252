"""docs/mqtt.md: its examples fit the schemas and are run for real, its tables say what the code has."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from pathlib import Path

import jsonschema
import pytest

from counterparts.mqtt_broker import RULES, program
from counterparts.mqtt_speaker import until
from mynah_mqtt import payloads
from mynah_mqtt.schemas import document, schemas

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "mqtt.md").read_text(encoding="utf-8")
MEANINGS = (
    ("heard", "known"),
    ("status", "hub_state"),
    ("firmware", "info"),
    ("phase", "state"),
    ("base", "hub_info"),
    ("ok", "reply"),
    ("command", "command"),
)


def fits(name: str, value: object) -> None:
    jsonschema.Draft202012Validator(schemas()[name]).validate(value)


def objects() -> list[tuple[str, dict]]:
    """Every JSON object of the page that says what it is by its fields."""
    found = re.findall(r"```json\n(.+?)```", PAGE, re.DOTALL) + re.findall(r"`(\{\"[^`]+\})`", PAGE)
    read = [json.loads(text) for text in found if "…" not in text]
    return [(next(name for field, name in MEANINGS if field in value), value) for value in read]


def commands() -> list[list[str]]:
    """Every mosquitto_pub of the page, split as a shell does."""
    return [shlex.split(line) for line in PAGE.splitlines() if line.startswith("mosquitto_pub ")]


def table(after: str) -> list[list[str]]:
    """The rows of the first table after a heading."""
    text = PAGE.split(after, 1)[1]
    rows = re.search(r"\n\|---.*\n((?:\|.*\n)+)", text)
    assert rows, after
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1].splitlines()]


def names(after: str, column: int = 0) -> list[str]:
    return [name for row in table(after) for name in re.findall(r"`([^`]+)`", row[column])]


def test_examples_of_every_payload_fit_their_schemas():
    found = objects()

    assert {name for name, _ in found} >= {"info", "state", "hub_info", "reply"}
    assert {"known", "hub_state"} <= {name for name, _ in found}
    for name, value in found:
        fits(name, value)


def test_example_commands_fit_the_schema():
    assert len(commands()) >= 4
    for command in commands():
        fits("command", json.loads(command[command.index("-m") + 1]))


async def test_example_commands_do_what_they_say(world):
    account = ["-h", "127.0.0.1", "-p", str(world.port), "-u", "admin", "-P", world.passwords["admin"]]
    async with world.session("lion_house") as session, world.admin() as admin:
        for name, *arguments in commands():
            process = await asyncio.create_subprocess_exec(program(name), *account, *arguments)
            assert await asyncio.wait_for(process.wait(), 30) == 0
            topic = arguments[arguments.index("-t") + 1].replace("/cmd", "/reply")
            sent = json.loads(arguments[arguments.index("-m") + 1])
            assert (await admin.reply(topic, sent["id"]))["ok"], sent
        states = "mynah/speaker/lion_house/state"
        await until(lambda: [each for each in admin.on(states) if each["volume"] == 40], "the volume")

    assert [turn.reply for turn in session.turns.values()] == ["Feeding time!", "We close in ten minutes."]


def test_tables_name_what_the_code_has():
    assert set(names("## Commands")) == set(payloads.COMMANDS)
    assert {row[0].strip("`"): row[1] for row in table("## Commands")} == {
        name: shape.doer for name, shape in payloads.COMMANDS.items()
    }
    assert set(names("### Replies")) == {str(field) for field in payloads.REPLY}
    assert set(names("### Properties")) == set(payloads.PROPERTIES)
    assert set(names("whose `event` is one of")) == set(payloads.EVENTS)
    assert set(names("### Requests")) == set(payloads.REQUESTS)


def test_codes_are_those_of_the_page():
    text = PAGE.split("| code | meaning |", 1)[1].split("\n\n", 1)[0]

    assert tuple(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE)) == payloads.CODES


def test_fields_of_the_tables_are_those_of_the_schemas():
    for name, row in zip(payloads.COMMANDS, table("## Commands"), strict=True):
        for field in payloads.COMMANDS[name].fields:
            assert f"`{field}`" in row[2], f"{name}: {field}"


def test_rules_for_mosquitto_are_those_that_the_tests_use():
    page = PAGE.split("```text\n", 1)[1].split("```", 1)[0].split("\n")

    assert {line for line in page if line} <= set(RULES.split("\n"))


def test_schemas_are_written_down():
    assert (DOCS / "mqtt.schema.json").read_text(encoding="utf-8") == document(), (
        "run: python -m mynah_mqtt.schemas > docs/mqtt.schema.json"
    )
    jsonschema.Draft202012Validator.check_schema(json.loads(document()))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("command", {"id": "1", "command": "volume", "volume": 101}),
        ("command", {"id": "1", "command": "say", "text": "a", "loud": True}),
        ("command", {"id": "", "command": "stop"}),
        ("reply", {"id": "1", "command": "stop", "ok": True, "by": "somebody"}),
        ("state", {"phase": "asleep", "volume": 1, "mute": False}),
        ("event", {"event": "button", "action": "hold"}),
        ("set_volume", "40"),
    ],
)
def test_what_does_not_fit_the_page_does_not_fit_the_schema(name, value):
    with pytest.raises(jsonschema.ValidationError):
        fits(name, value)


async def test_what_is_published_fits_the_schemas(world):
    async with world.session("lion_house") as session, world.admin() as admin:
        await session.ask_text("What do lions eat?")
        for name in payloads.REQUESTS:
            await admin.publish(f"mynah/hub/request/{name}", {"id": name, "speaker": "lion_house"})
            await admin.reply(f"mynah/hub/response/{name}", name)
        await admin.publish("mynah/group/savanna/cmd", {"id": "g", "command": "say", "text": "Hello."})
        await admin.reply("mynah/group/savanna/reply", "g")
        await until(lambda: admin.on("mynah/speaker/lion_house/state"), "the state")
        await until(lambda: (admin.on("mynah/speaker/lion_house/hub") or [{}])[-1].get("said"), "what was said")

    leaves = {each: each for each in ("availability", "info", "state", "event", "reply")} | {"hub": "known"}
    for topic, payload in admin.messages:
        place, leaf = topic.split("/")[1], topic.split("/")[-1]
        if place in ("speaker", "group") and leaf in leaves:
            fits(leaves[leaf], payload if leaf == "availability" else json.loads(payload))
        elif topic.startswith("mynah/hub/response/"):
            fits(f"response_{leaf}", json.loads(payload))
        elif topic in ("mynah/hub/info", "mynah/hub/state"):
            fits(f"hub_{leaf}", json.loads(payload))
