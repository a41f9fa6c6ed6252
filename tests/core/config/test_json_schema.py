from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from mynah.config.json_schema import json_schema
from mynah.config.yaml_loader import read_yaml


@pytest.fixture
def schema(specs):
    return json_schema(specs)


@pytest.fixture
def accepts(schema, write):
    return lambda text: Draft202012Validator(schema).is_valid(read_yaml(write(text)).data)


def test_it_is_a_valid_schema_and_can_be_written_as_json(schema):
    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "log:\nspeakers:\n",
        "bell: {port: 80, ratio: 1, mode: dong, pairs: 4, tones: [20], nick: null, tls: {key: x}}",
        "engines: {tts: [espeak, {engine: edge_tts, first_timeout: 1}]}",
        "engines: {llm: [{engine: openai, base_url: x}], vad: []}",
        "personas: {pirate: {title: Pirate, voice: {rate: 1}}}",
        "speakers: {a: {context: {b: c}}, b: null}",
        "groups: {a: [b]}",
    ],
)
def test_what_is_right_is_accepted(accepts, text):
    assert accepts(text)


@pytest.mark.parametrize(
    "text",
    [
        "unknown: 1",
        "log: {level: loud}",
        "log: {unknown: 1}",
        "bell: {port: 70000}",
        "bell: {port: eighty}",
        "bell: {tls: {}}",
        "bell: {tones: [1]}",
        "bell: {code: abc}",
        "engines: {tts: [edge]}",
        "engines: {tts: [whisper]}",
        "engines: {tts: [{engine: espeak, rat: 1}]}",
        "engines: {tts: [{rate: 1}]}",
        "engines: {llm: [{engine: openai}]}",
        "engines: {vad: [x]}",
        "personas: {pirate: {first_phrase_words: 9}}",
        "speakers: {a: {context: {b: 1}}}",
    ],
)
def test_what_is_wrong_is_refused(accepts, text):
    assert not accepts(text)


def test_keys_have_descriptions_and_defaults(schema):
    port = schema["properties"]["bell"]["properties"]["port"]
    assert port == {
        "type": "integer",
        "minimum": 0,
        "maximum": 65535,
        "default": 8000,
        "description": "Where it listens.",
    }
    assert schema["properties"]["data"]["default"] == "data"


def test_a_plugins_own_validator_takes_anything(schema):
    assert schema["properties"]["bell"]["properties"]["pairs"] == {"description": "An even number."}


def test_every_object_is_closed_or_says_what_it_takes(schema):
    def objects(part):
        if isinstance(part, dict):
            if "properties" in part and "type" in part:
                yield part
            for each in part.values():
                yield from objects(each)
        elif isinstance(part, list):
            for each in part:
                yield from objects(each)

    found = list(objects(schema))
    assert len(found) > 15
    assert all("additionalProperties" in each for each in found)
