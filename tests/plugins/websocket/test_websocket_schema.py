from __future__ import annotations

import json

import pytest

from mynah import AudioFormat, InputError
from mynah_websocket.client_messages import CLIENT_MESSAGES, Hello, Listen, Ping, Text, Unreadable, decode
from mynah_websocket.hub_messages import Error, TurnFinished, encode
from mynah_websocket.schema import name_of, table


def said(**message) -> str:
    return json.dumps(message)


def test_a_hello_with_nothing_but_its_version_has_the_usual_defaults():
    hello = decode(said(type="hello", version=1))
    assert hello == Hello(version=1)
    assert hello.records == AudioFormat("pcm_s16le", 16_000, 1)
    assert (hello.policy, hello.plays, hello.buffer_ms) == ("interrupt", (), None)


def test_null_means_absence_where_a_field_is_optional():
    assert decode(said(type="hello", version=1, buffer_ms=None, token=None, resume=None)) == Hello(version=1)


def test_formats_are_read_with_16_khz_mono_as_the_default():
    message = decode(said(type="listen", mode="open", format={"codec": "opus"}))
    assert message == Listen(mode="open", format=AudioFormat("opus", 16_000, 1))


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        ("", "not JSON: Expecting value: line 1 column 1 (char 0)"),
        ('{"type":', "not JSON: Expecting value: line 1 column 9 (char 8)"),
        ("[1]", "not a JSON object but [1]"),
        ("null", "not a JSON object but None"),
        ("[" * 100_000, "brackets nested too deep"),
        ("9" * 10_000, "a number too long"),
        ('{"type":"text","text":"' + "x" * 140_000 + '"}', "a text frame of 140,025 characters is too long; 131,072"),
        ("{}", "every message needs a `type`"),
        ('{"type":5}', "every message needs a `type`"),
        ('{"type":"helo"}', "unknown type 'helo'; did you mean 'hello'?"),
        ('{"type":"hello"}', "version: is missing; it must be the number 1"),
        ('{"type":"hello","version":2}', "version: must be the number 1, not 2"),
        ('{"type":"hello","version":true}', "version: must be the number 1, not True"),
        ('{"type":"hello","version":1,"policy":"x"}', "policy: must be interrupt or queue or concurrent, not 'x'"),
        ('{"type":"hello","version":1,"polcy":"queue"}', "hello has no field 'polcy'; did you mean 'policy'?"),
        ('{"type":"hello","version":1,"plays":{}}', "plays: must be a list of up to 16 audio formats, not {}"),
        ('{"type":"hello","version":1,"plays":[{"codec":"mp4"}]}', "plays → 0 → codec: must be pcm_s16le or wav"),
        ('{"type":"hello","version":1,"plays":[{"codec":"mp3","rate":7}]}', "plays → 0: sample rate 7 Hz is outside"),
        ('{"type":"hello","version":1,"plays":[{"codec":"mp3","rate":"x"}]}', "plays → 0 → rate: must be a whole"),
        ('{"type":"hello","version":1,"plays":[{"codec":"mp3","hz":7}]}', "an audio format has no field 'hz'"),
        ('{"type":"hello","version":1,"plays":[{}]}', "plays → 0 → codec: is missing"),
        ('{"type":"hello","version":1,"context":{"exhibit":5}}', "context → exhibit: must be text"),
        ('{"type":"hello","version":1,"resume":{"turn":"t1"}}', "resume → session: is missing"),
        ('{"type":"hello","version":1,"resume":{"session":"s","ms":1}}', "resume has no field 'ms'"),
        ('{"type":"hello","version":1,"language":"english please"}', "language: must be a language tag"),
        ('{"type":"hello","version":1,"buffer_ms":-1}', "buffer_ms: must be milliseconds, not -1"),
        ('{"type":"hello","version":1,"buffer_ms":NaN}', "buffer_ms: must be milliseconds, not nan"),
        ('{"type":"text"}', "text: is missing"),
        ('{"type":"text","text":null}', "text: must be text of up to 100,000 characters, not None"),
        ('{"type":"text","text":5}', "text: must be text"),
        ('{"type":"text","text":"  "}', "text: is empty"),
        ('{"type":"text","text":"' + "x" * 100_001 + '"}', "text: must be text of up to 100,000 characters"),
        ('{"type":"text","text":"\\ud800"}', "text: is not valid Unicode"),
        ('{"type":"text","txt":"hi"}', "text has no field 'txt'; did you mean 'text'?"),
        ('{"type":"played","turn":"t1","ms":"1"}', "ms: must be milliseconds, not '1'"),
        ('{"type":"played","turn":"t1","ms":1e400}', "ms: must be milliseconds, not inf"),
        ('{"type":"clock","client_ms":true}', "client_ms: must be a number, not True"),
        ('{"type":"ping","id":[]}', "id: must be a number"),
        ('{"type":"bye","now":1}', "bye has no field 'now'"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(frame, error):
    with pytest.raises(InputError) as caught:
        decode(frame)
    assert error in str(caught.value)
    assert len(str(caught.value)) < 300


def test_an_error_knows_the_type_of_the_message_at_fault():
    with pytest.raises(Unreadable) as caught:
        decode('{"type":"played","turn":5,"ms":1}')
    assert caught.value.about == "played"


def test_every_name_on_the_wire_is_in_snake_case_and_unique():
    names = [name_of(cls) for cls in CLIENT_MESSAGES]
    assert len(set(names)) == len(names)
    assert "end_listening" in names


def test_fields_that_have_nothing_to_say_are_left_out():
    error = Error(message="no", code="invalid", closes=False)
    assert json.loads(encode(error)) == {"type": "error", "message": "no", "code": "invalid", "closes": False}


def test_milliseconds_are_written_with_one_decimal():
    finished = TurnFinished(
        turn="t1",
        outcome="answered",
        reply="é",
        phrases=1,
        timeline={"opened": -0.01, "finished": 1.23456},
        engine_ms={},
        engines={},
    )
    assert '"timeline":{"opened":0.0,"finished":1.2}' in encode(finished)
    assert "é" in encode(finished), "small JSON readers do not join escaped surrogate pairs"


def test_half_a_surrogate_pair_from_an_engine_does_not_break_the_frame():
    assert "?" in encode(Error(message="\ud83d", code="failed", closes=False))


def test_a_number_of_a_ping_comes_back_as_it_was():
    assert decode('{"type":"ping","id":7}') == Ping(id=7)
    assert decode('{"type":"ping","id":""}') == Ping(id="")


def test_a_table_says_what_is_optional_and_what_the_default_is():
    assert "| `policy` | `interrupt` or `queue` or `concurrent` | default `interrupt`; " in table(Hello)
    assert "| `token` | text of up to 512 characters | optional; " in table(Hello)
    assert "| `text` | text of up to 100,000 characters | the question |" in table(Text)
