# ruff: noqa: E501  # tables of mistakes are easier to read with a line for each
from __future__ import annotations

import pytest

from mynah.config import load_config, own_options, plugin_settings
from mynah.errors import ConfigError, PluginError
from mynah.specs import ComponentSpec


def test_no_file_gives_the_defaults_relative_to_the_working_directory(specs, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    config = load_config(None, specs)
    assert (config.file, config.folder, config.secrets) == (None, tmp_path, frozenset())
    assert config.values["data"] == str(tmp_path / "data")
    assert config.values["sessions"]["max"] == 100
    assert config.values["bell"]["port"] == 8000


@pytest.mark.parametrize("text", ["", "# nothing\n", "log:\nbell:\nspeakers:\nengines: {tts: }\ngroups: null\n"])
def test_empty_files_and_sections_have_the_defaults(values, specs, text):
    assert {**values(text), "data": ""} == {**load_config(None, specs).values, "data": ""}


def test_every_section_is_there_in_the_order_of_the_schema(values):
    sections = "data log persona plugins engines personas speakers groups sessions listening limits"
    assert list(values("")) == [*sections.split(), "speech_cache", "translation", "latency", "shutdown", "bell"]


def test_embedded_engines_stand_in_where_none_is_configured(values):
    engines = values("engines: {tts: [edge_tts]}")["engines"]
    assert [entry["engine"] for entry in engines["tts"]] == ["edge_tts"]
    limits = {"first_timeout": 10.0, "next_timeout": 5.0, "failures": 3, "retry_after": 10.0}
    assert engines["llm"] == [{"engine": "facts", **limits}]
    assert engines["stt"] == []


def test_an_engine_is_named_alone_or_with_its_options(values):
    entries = values("engines: {tts: [espeak, {engine: espeak, rate: 200, next_timeout: 1}]}")["engines"]["tts"]
    assert [own_options(entry) for entry in entries] == [{"rate": 160}, {"rate": 200}]
    assert [entry["next_timeout"] for entry in entries] == [5.0, 1.0]


def test_paths_are_relative_to_the_file(values, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "facts.yaml").touch()
    found = values(
        "data: /var/lib/mynah\nlog: {file: a.log}\nplugins: {folder: mine}\n"
        "personas: {zoo_guide: {knowledge: [facts.yaml]}}\n"
    )
    assert found["data"] == "/var/lib/mynah"
    assert found["log"]["file"] == str(tmp_path / "a.log")
    assert found["plugins"]["folder"] == str(tmp_path / "mine")
    assert found["personas"] == {"zoo_guide": {"knowledge": [str(tmp_path / "facts.yaml")]}}


def test_a_whole_house_is_accepted(values):
    found = values(
        "persona: pirate\n"
        "personas: {pirate: {prompt: Arr., language: pt-BR, voice: {gender: male, rate: 1}}}\n"
        "speakers:\n"
        "  lion_house: {name: Lion house, area: savanna, persona: zoo_guide, context: {exhibit: lion}}\n"
        "  kiosk:\n"
        "groups: {cats: [lion_house, savanna]}\n"
    )
    assert found["personas"]["pirate"] == {
        "prompt": "Arr.",
        "language": "pt-BR",
        "voice": {"gender": "male", "rate": 1.0},
    }
    assert found["speakers"]["kiosk"] == {"name": "", "area": None, "persona": None, "language": None, "context": {}}
    assert found["groups"] == {"cats": ["lion_house", "savanna"]}


def test_three_mistakes_in_one_file_are_shown_with_their_three_lines(problems):
    text = "bell:\n  port: eighty\nengines:\n  tts:\n    - engine: edge\n      first_timeout: 1\nspekers: {}\n"
    assert problems(text) == [
        "config.yaml:2: bell → port: expected a whole number from 0 to 65535, got 'eighty'",
        "config.yaml:5: engines → tts → 0: no engine named 'edge'; did you mean 'edge_tts'?",
        "config.yaml:7: spekers: unknown key; did you mean 'speakers'?",
    ]


def test_mistakes_in_included_files_have_their_own_file_and_line(problems):
    shown = problems(
        "bell: !include bell.yaml\nspeakers: !include sub/speakers.yaml\nlog: {level: loud}\n",
        bell="host: a\nport: x\n",
        sub__speakers="\n\nkiosk: {persona: zoo_gide}\n",
    )
    assert shown == [
        "config.yaml:3: log → level: expected one of debug, info, warning, error, got 'loud'",
        "bell.yaml:2: bell → port: expected a whole number from 0 to 65535, got 'x'",
        "speakers.yaml:3: speakers → kiosk → persona: no persona named 'zoo_gide'; did you mean 'zoo_guide'?",
    ]


def test_what_cannot_be_read_is_reported_once_with_all_other_mistakes(problems, tmp_path):
    assert problems("bell:\n  port: !env_var NO_PORT\n  loud: x\nspeakers: !include none.yaml\nspekers:\n") == [
        "config.yaml:2: bell → port: the environment variable 'NO_PORT' is not set; set it, or give a default: "
        "!env_var NO_PORT value",
        "config.yaml:3: bell → loud: expected true or false, got 'x'",
        f"config.yaml:4: speakers: !include none.yaml: there is no such file in {tmp_path.name}",
        "config.yaml:5: spekers: unknown key; did you mean 'speakers'?",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("engines: {tts: [edge]}", "engines → tts → 0: no engine named 'edge'; did you mean 'edge_tts'?"),
        ("engines: {tts: [qqq]}", "engines → tts → 0: no engine named 'qqq'; known are edge_tts, espeak"),
        ("engines: {vad: [qqq]}", "engines → vad → 0: no engine named 'qqq'; no plugin has an engine of kind vad"),
        ("engines: {tts: [whisper]}", "engines → tts → 0: the engine 'whisper' is of kind stt, not tts; known are edge_tts, espeak"),
        ("engines: {tts: [{engine: espeak, rat: 1}]}", "engines → tts → 0 → rat: unknown key; did you mean 'rate'?"),
        ("engines: {tts: [{engine: espeak, rate: fast}]}", "engines → tts → 0 → rate: expected a whole number, got 'fast'"),
        ("engines: {tts: [{rate: 1}]}", "engines → tts → 0: 'engine' is missing; add 'engine: NAME'; known are edge_tts, espeak"),
        ("engines: {tts: [{engine: }]}", "engines → tts → 0 → engine: expected the name of an engine, got nothing"),
        ("engines: {tts: [5]}", "engines → tts → 0: expected text or a mapping, got 5"),
        ("engines: {tts: espeak}", "engines → tts: expected a list (text or a mapping each), got 'espeak'; write it as a list: [espeak]"),
        ("engines: {llm: [openai]}", "engines → llm → 0: 'base_url' is missing"),
        ("engines: {tts: [{engine: espeak, first_timeout: 0}]}", "engines → tts → 0 → first_timeout: expected a number from 0.1 to 600, got 0"),
        ("engines: {sst: []}", "engines → sst: unknown key; did you mean 'stt'?"),
        ("engines: [espeak]", "engines: expected a mapping, got a list"),
        ("persona: zoo_gide", "persona: no persona named 'zoo_gide'; did you mean 'zoo_guide'?"),
        ("personas: {pirate: {language: en}}", "personas → pirate: no plugin has a persona named 'pirate'; a new persona needs a title or a prompt"),
        ("personas: {zoo_gide: {language: en}}", "personas → zoo_gide: no plugin has a persona named 'zoo_gide'; a new persona needs a title or a prompt; did you mean 'zoo_guide'?"),
        ("personas: {zoo_guide: {language: English please}}", "personas → zoo_guide → language: a language is written as a tag such as en or pt-BR"),
        ("personas: {zoo_guide: {first_phrase_words: 9}}", "personas → zoo_guide → first_phrase_words: expected a whole number from 2 to 8, got 9"),
        ("personas: {zoo_guide: {voice: {gender: f}}}", "personas → zoo_guide → voice → gender: expected one of \"\", female, male, got 'f'"),
        ("speakers: {Lion House: }", "speakers → Lion House: a name has only small letters, digits, '_' and '-' (64 at most)"),
        ("speakers: {a: {persona: qqq}}", "speakers → a → persona: no persona named 'qqq'; known are zoo_guide"),
        ("speakers: {a: {area: b}, b: }", "speakers → a → area: the area 'b' has the name of a speaker; rename one of them"),
        ("{speakers: {a: }, groups: {a: [a]}}", "groups → a: the group 'a' has the name of a speaker; rename one of them"),
        ("{speakers: {a: {area: b}}, groups: {b: [a]}}", "groups → b: the group 'b' has the name of an area; rename one of them"),
        ("{speakers: {lions: }, groups: {cats: [lion]}}", "groups → cats → 0: no speaker or area named 'lion'; did you mean 'lions'?"),
        ("plugins: {disabled: [edgy]}", "plugins → disabled → 0: no plugin named 'edgy'; did you mean 'edge'?"),
        ("{plugins: {disabled: [bell]}, bell: {}}", "bell: plugin 'bell' is disabled; remove this section, or enable the plugin"),
        ("{plugins: {disabled: [espeak]}, engines: {tts: [espeak]}}", "engines → tts → 0: plugin 'espeak' is disabled; remove it here, or from plugins: disabled"),
        ("{plugins: {disabled: [zoo_guide]}, persona: zoo_guide}", "persona: plugin 'zoo_guide' is disabled; enable it, or choose another persona"),
        ("{plugins: {disabled: [zoo_guide]}, personas: {zoo_guide: }}", "personas → zoo_guide: plugin 'zoo_guide' is disabled; enable it, or give a title or a prompt"),
        ("edge: {}", "edge: plugin 'edge' has no section of its name; `mynah plugins` says what it has, or why it could not be loaded"),
        ("sessions: {max: 0}", "sessions → max: expected a whole number from 1 to 100000, got 0"),
        ("listening: {threshold: 2}", "listening → threshold: expected a number from 0 to 1, got 2"),
        ("limits: {speak: 30s}", "limits → speak: expected a number from 0.1 to 3600, got '30s'"),
        ("shutdown: 5", "shutdown: expected a mapping, got 5"),
        ("data:", "data: expected some text, got nothing; give it a value or remove the key"),
        ("log: {format: xml}", "log → format: expected one of text, json, got 'xml'"),
    ],
)  # fmt: skip
def test_a_mistake_is_explained_with_its_line(problems, line, words):
    assert problems(f"# first line\n{line}\n") == [f"config.yaml:2: {words}"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("personas: {zoo_guide: {knowledge: [none.yaml]}}", "personas → zoo_guide → knowledge → 0: there is no file 'none.yaml'; it is looked for in "),
        ("plugins: {folder: none}", "plugins → folder: there is no folder 'none'; it is looked for in "),
    ],
)  # fmt: skip
def test_a_missing_file_is_named_with_the_folder_it_was_looked_for_in(problems, tmp_path, line, words):
    assert problems(line) == [f"config.yaml:1: {words}{tmp_path}"]


@pytest.mark.parametrize("text", ["just text", "- a\n- b\n", "5"])
def test_a_file_that_is_no_mapping_is_an_error(problems, text):
    (problem,) = problems(text)
    assert problem.startswith("config.yaml:1: expected sections such as 'engines:', got ")


def test_a_missing_file_is_an_error(specs, tmp_path):
    with pytest.raises(ConfigError, match=r"^none.yaml: there is no such file$"):
        load_config(tmp_path / "none.yaml", specs)


SECRET_LINES = [
    "bell: {port: !secret pin}",
    "bell: {mode: !secret pin}",
    "bell: {loud: !secret pin}",
    "bell: {pairs: !secret pin}",
    "bell: {code: !secret pin}",
    "bell: {url: !secret pin}",
    "bell: {tls: !secret pin}",
    "bell: {tones: [!secret pin]}",
    "bell: !secret pin",
    "persona: !secret pin",
    "data: [!secret pin]",
    "engines: {tts: [!secret pin]}",
    "engines: {tts: [{engine: !secret pin}]}",
    "engines: {tts: [{engine: espeak, rate: !secret pin}]}",
    "speakers: {a: {area: !secret pin}}",
    "speakers: {a: {persona: !secret pin}}",
    "{speakers: {a: }, groups: {g: [!secret pin]}}",
    "personas: {zoo_guide: {knowledge: [!secret pin]}}",
    "plugins: {folder: !secret pin}",
    "plugins: {disabled: [!secret pin]}",
    "sessions: {max: !secret pin}",
]


@pytest.mark.parametrize("line", SECRET_LINES)
def test_no_message_holds_a_secret(problems, line):
    shown = problems(f"{line}\n", secrets="pin: Hunter 2!\n")
    assert len(shown) == 1
    assert "unter" not in shown[0].lower()


@pytest.mark.parametrize("line", [line.replace("!secret pin", "!env_var PIN_CODE") for line in SECRET_LINES])
def test_no_message_holds_what_came_from_the_environment(problems, monkeypatch, line):
    monkeypatch.setenv("PIN_CODE", "Hunter 2!")
    shown = problems(f"{line}\n")
    assert len(shown) == 1
    assert "unter" not in shown[0].lower() or "pairs" in line  # there a plugin's validator repeats what it was given


def test_secrets_are_given_for_redaction_and_are_not_in_the_configurations_repr(specs, write):
    config = load_config(write("bell: {host: !secret pin}\n", secrets="pin: hunter2\n"), specs)
    assert config.secrets == {"hunter2"}
    assert config.values["bell"]["host"] == "hunter2"


def test_a_component_with_the_name_of_a_core_section_is_refused(specs):
    with pytest.raises(PluginError, match="cannot be named 'log'"):
        load_config(None, [*specs, ComponentSpec(name="log", run=specs[0].run)])


def test_plugin_settings_are_read_without_any_specs(write, tmp_path):
    settings = plugin_settings(write("plugins: {disabled: [bell], folder: mine}\nunknown: 1\n"))
    assert (settings.disabled, settings.folder) == (("bell",), tmp_path / "mine")
    assert plugin_settings(None).disabled == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plugins: {disabled: bell}", "config.yaml:1: plugins → disabled: expected a list"),
        ("plugins: [", "config.yaml:1: the file ends too early"),
    ],
)
def test_wrong_plugin_settings_are_an_error(write, text, words):
    with pytest.raises(ConfigError) as caught:
        plugin_settings(write(text))
    assert str(caught.value).startswith(words)


def test_a_tool_that_no_plugin_has_is_named_with_the_nearest(problems):
    assert problems("personas: {zoo_guide: {tools: [lamp, lamb]}}") == [
        "config.yaml:1: personas → zoo_guide → tools → 1: no tool named 'lamb'; did you mean 'lamp'?"
    ]
