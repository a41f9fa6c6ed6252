"""The example file loads as it is, and with everything in it that is commented out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from mynah.config import load_config
from mynah.config.json_schema import json_schema
from mynah.config.schema import (
    CORE,
    ENGINE_ENTRY,
    LATENCY,
    LIMITS,
    LISTENING,
    LOG,
    PERSONA,
    PLUGINS,
    SESSIONS,
    SPEAKER,
    SPEECH_CACHE,
    VOICE,
)
from mynah.config.yaml_loader import read_yaml
from mynah.specs import ComponentSpec, EngineSpec, PersonaSpec
from mynah_automation.config import SCHEMA as AUTOMATION
from mynah_automation.config import SECTIONS
from mynah_dialects.config import SCHEMA as DIALECTS
from mynah_espeak.config import SCHEMA as ESPEAK
from mynah_http.config import SCHEMA as HTTP
from mynah_metrics.config import SCHEMA as METRICS
from mynah_mqtt.config import SCHEMA as MQTT
from mynah_news_host.config import SCHEMA as NEWS_HOST
from mynah_tools import mynah_tools
from mynah_vad.config import SCHEMA as VAD

EXAMPLE = Path(__file__).parents[3] / "config.example.yaml"
SETTING = re.compile(r"^#(?=\S|  )", re.MULTILINE)
"""A "#" before a setting; an explanation has exactly one space after its "#"."""


@pytest.fixture
def example_specs(specs):
    run, open_engine = specs[0].run, specs[1].open
    return (
        ComponentSpec(name="automation", run=run, schema=AUTOMATION, sections=SECTIONS),
        ComponentSpec(name="dialects", run=run, schema=DIALECTS),
        ComponentSpec(name="http", run=run, schema=HTTP),
        ComponentSpec(name="metrics", run=run, schema=METRICS),
        ComponentSpec(name="mqtt", run=run, schema=MQTT),
        ComponentSpec(name="news_host", run=run, schema=NEWS_HOST),
        EngineSpec(name="pocketsphinx", kind="stt", open=open_engine, embedded=True),
        EngineSpec(name="espeak", kind="tts", open=open_engine, schema=ESPEAK, embedded=True),
        EngineSpec(name="facts", kind="llm", open=open_engine, embedded=True),
        EngineSpec(name="vad", kind="vad", open=open_engine, schema=VAD, embedded=True),
        PersonaSpec(name="zoo_guide", title="A zoo guide"),
        *mynah_tools(),
    )


@pytest.fixture
def everything(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(SETTING.sub("", EXAMPLE.read_text(encoding="utf-8")), encoding="utf-8")
    return file


def test_as_it_is_it_says_what_an_empty_configuration_means(example_specs):
    assert load_config(EXAMPLE, example_specs).values == {
        **load_config(None, example_specs).values,
        "data": str(EXAMPLE.parent / "data"),
    }


def test_everything_in_it_that_is_commented_out_is_valid_too(example_specs, everything):
    values = load_config(everything, example_specs).values
    assert set(values["personas"]) == {"night_watch"}
    assert values["groups"] == {"big_cats": ["lion_house", "savanna"]}


def test_what_is_commented_out_is_the_default(example_specs, everything):
    empty = load_config(None, example_specs).values
    shown = load_config(everything, example_specs).values
    own = {"data", "personas", "speakers", "groups"}
    assert {key: value for key, value in shown.items() if key not in own} == {
        key: value for key, value in empty.items() if key not in own
    }


def test_a_new_personas_keys_are_shown_with_their_defaults(example_specs, everything):
    persona = load_config(everything, example_specs).values["personas"]["night_watch"]
    default = PersonaSpec(name="night_watch", title="The night watch")
    for key, value in persona.items():
        if key not in ("voice", "knowledge"):
            assert (tuple(value) if key == "tools" else value) == getattr(default, key)
    assert persona["voice"] == {name: getattr(default.voice, name) for name in persona["voice"]}


@pytest.mark.parametrize(
    "schema",
    [
        CORE,
        LOG,
        PLUGINS,
        ENGINE_ENTRY,
        PERSONA,
        VOICE,
        SPEAKER,
        SESSIONS,
        LISTENING,
        LIMITS,
        SPEECH_CACHE,
        LATENCY,
        AUTOMATION,
        HTTP,
        METRICS,
        NEWS_HOST,
        ESPEAK,
        VAD,
    ],
)
def test_every_key_is_in_it(schema):
    text = EXAMPLE.read_text(encoding="utf-8")
    assert [str(key) for key in schema if not re.search(rf"^[# -]*{key}:", text, re.MULTILINE)] == []


def test_both_forms_fit_the_json_schema(example_specs, everything):
    validator = Draft202012Validator(json_schema(example_specs))
    for file in (EXAMPLE, everything):
        data = read_yaml(file).data
        assert "engines" in data
        assert [error.message for error in validator.iter_errors(data)] == []
