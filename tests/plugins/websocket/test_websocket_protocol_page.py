"""The page for makers is held to the code: every example, every table, the ten lines at its beginning."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

import mynah
from mynah import outputs as turn_outputs
from mynah_websocket.client_messages import CLIENT_MESSAGES, decode
from mynah_websocket.hub_messages import HUB_MESSAGES, encode
from mynah_websocket.outbound import PLAIN
from mynah_websocket.schema import dump, name_of, parse

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "protocol.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```json (\S+) (\S+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
TO_HUB = {name: json.loads(text) for direction, name, text in BLOCKS if direction == "to-hub"}
FROM_HUB = {name: json.loads(text) for direction, name, text in BLOCKS if direction == "from-hub"}


def test_every_message_has_an_example_and_every_example_a_message():
    assert set(TO_HUB) == {name_of(cls) for cls in CLIENT_MESSAGES}
    assert set(FROM_HUB) == {name_of(cls) for cls in HUB_MESSAGES}
    assert len(BLOCKS) == len(TO_HUB) + len(FROM_HUB)
    assert PAGE.count("```json") == len(BLOCKS), "every json block is labelled with direction and name"


@pytest.mark.parametrize("name", TO_HUB)
def test_what_a_client_says_in_the_page_is_understood_and_written_back(name):
    example = TO_HUB[name]
    message = decode(json.dumps(example))
    written = dump(message)
    assert {"type": name, **written} == example, "the example shows every field, and each comes back as it was"


@pytest.mark.parametrize("cls", HUB_MESSAGES, ids=name_of)
def test_what_the_hub_says_in_the_page_is_what_it_writes(cls):
    example = dict(FROM_HUB[name_of(cls)])
    assert example.pop("type") == name_of(cls)
    message = parse(cls, example)
    assert json.loads(encode(message)) == FROM_HUB[name_of(cls)]


def test_every_output_of_a_turn_has_its_message():
    declared = [kind for kind in vars(turn_outputs).values() if isinstance(kind, type)]
    kinds = {kind for kind in declared if issubclass(kind, mynah.Output)} - {mynah.Output}
    streams = {mynah.SpeechStarted, mynah.SpeechChunk, mynah.SpeechEnded, mynah.PhraseFailed}
    untold = {mynah.ReplyReady}  # `turn_finished` has the reply
    assert set(PLAIN) | streams | untold == kinds


def test_the_tables_are_those_of_the_declarations():
    spec = importlib.util.spec_from_file_location("protocol_tables", DOCS / "protocol_tables.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.filled(PAGE) == PAGE, "run `python docs/protocol_tables.py`"


async def test_the_ten_lines_of_the_first_session_work(scripted_hub, url, outputs, tmp_path):
    scripted_hub.on_open = lambda session: setattr(session, "on_text", lambda text: session.give(*outputs.reply()))
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert len([line for line in snippet.splitlines() if line.startswith("        ")]) <= 10
    names: dict = {}
    exec(compile(snippet, "docs/protocol.md", "exec"), names)
    reply = await names["ask"](f"{url}/ws/v1", "What do red pandas eat?", str(tmp_path / "reply.pcm"))
    assert reply == "One. Two."
    assert (tmp_path / "reply.pcm").read_bytes() == b"\x01\x02" * 960 + b"\x03\x04" * 480
