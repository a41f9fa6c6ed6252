"""`mynah speaker add` and `remove`: what to flash, the code, and the end of both."""

from __future__ import annotations

import ast
import asyncio
import json

import pytest

from mynah.errors import InputError
from mynah.firmware import firmware_folder
from mynah.provisioning import BOARDS, make_code, read_code
from mynah.testing import FakeSpeaker, run_hub, scripted_engines


@pytest.fixture
async def hub(tmp_path):
    config = {"speakers": {"hall": {}}, "mqtt": {"broker": "embedded", "embedded": {"port": 0}}}
    async with run_hub(
        tmp_path, specs=scripted_engines(), config=config, installed=("http", "mqtt", "websocket")
    ) as it:
        yield it


@pytest.fixture
def ask(cli, hub):
    async def call(*arguments):
        return await asyncio.to_thread(cli, *arguments, "--url", hub.addresses["http"])

    return call


def code_in(text):
    (line,) = [line for line in text.splitlines() if line.startswith("eyJ")]
    return line


async def test_the_code_lets_a_speaker_in_at_hub_and_broker(ask, hub):
    result = await ask("speaker", "add", "new_one", "--name", "New one", "--area", "savanna", "--board", "esp32c3")
    told = read_code(code_in(result.out))
    assert (result.code, result.err) == (0, "")
    assert (told["id"], told["board"], told["base"]) == ("new_one", "esp32c3", "mynah")
    assert told["broker"] == hub.addresses["mqtt"]
    assert told["key"] == hub.storage.key("new_one")
    async with FakeSpeaker(told["hub"], token=told["token"], speaker="new_one") as speaker:
        assert speaker.welcome["session"]
    row = next(row for row in hub.speakers() if row["id"] == "new_one")
    assert (row["name"], row["area"]) == ("New one", "savanna")


async def test_the_firmwares_own_page_reads_the_code(ask, micropython):
    code = code_in((await ask("speaker", "add", "new_one")).out)
    read = micropython(f"from provisioning import decode_code\nprint(decode_code({code!r})['id'])")
    assert read == "new_one\n"


@pytest.mark.parametrize("board", sorted(BOARDS))
async def test_what_to_flash_is_said_for_each_board(ask, board):
    out = (await ask("speaker", "add", "new_one", "--board", board)).out
    assert f"esptool write-flash {BOARDS[board].offset} {BOARDS[board].image}.bin" in out
    assert f"compile build {BOARDS[board].arch}" in out
    assert str(firmware_folder() / "main.py") in out
    assert "█" in out  # the code as a picture
    assert "which only this machine can reach" in out


def test_the_boards_are_those_of_the_firmware():
    tree = ast.parse((firmware_folder() / "app" / "boards.py").read_text())
    (table,) = [node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "BOARDS"]
    assert set(BOARDS) == set(ast.literal_eval(table))


async def test_as_json_it_is_the_code_and_what_is_in_it(ask):
    found = (await ask("speaker", "add", "new_one", "--json")).json
    assert read_code(found["code"])["token"] == found["token"]


async def test_a_token_that_there_is_stays_unless_it_is_to_be_renewed(ask, hub):
    first = (await ask("speaker", "add", "hall", "--json")).json
    again = await ask("speaker", "add", "hall")
    assert (again.code, again.out) == (1, "")
    assert "--renew" in again.err
    assert hub.access(first["token"]) == ("speaker", "hall")
    assert (await ask("speaker", "add", "hall", "--renew")).code == 0
    assert hub.access(first["token"]) is None


@pytest.mark.parametrize("id", ["Lion House", "../x", "all", ""])
async def test_a_name_that_no_speaker_can_have_is_refused(ask, id):
    result = await ask("speaker", "add", id)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("mynah: ")


async def test_a_removed_speaker_is_forgotten(ask, hub):
    token = (await ask("speaker", "add", "new_one", "--json")).json["token"]
    result = await ask("speaker", "remove", "new_one")
    assert (result.code, "new_one is forgotten" in result.out) == (0, True)
    assert hub.access(token) is None
    assert [row["id"] for row in hub.speakers()] == ["hall"]


async def test_one_that_is_not_known_cannot_be_removed(ask):
    result = await ask("speaker", "remove", "nobody")
    assert (result.code, result.out) == (1, "")
    assert "no speaker named 'nobody'" in result.err


@pytest.mark.parametrize(
    "code", ["", "x", "e30=", make_code({"id": "a"}), make_code({"id": "a", "hub": "b", "key": "xy"})]
)
def test_what_is_no_code_is_refused(code):
    with pytest.raises(InputError, match="code"):
        read_code(code)


def test_a_code_may_be_broken_into_lines():
    fields = {"id": "a", "hub": "ws://h/ws/v1", "key": "00" * 32}
    code = make_code(fields)
    assert read_code(f" {code[:20]}\n  {code[20:]} ") == {**fields, "key": bytes(32)}
    assert json.loads(json.dumps(fields)) == fields
