"""`mynah check-config`: every mistake at once with its line, or a summary; and the schema for editors."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

WRONG = """\
persona: sparow
plugins: {folder: my_plugins}
engines:
  llm:
    - script_llm
    - scrpt_llm
http:
  prot: 80
speakers:
  hall: {persona: crow}
"""


def test_a_valid_file_is_summed_up(cli, config):
    file = config(sections={"speakers": {"hall": {}}})
    result = cli("check-config", str(file))
    assert (result.code, result.err) == (0, "")
    first, *rest = result.out.splitlines()
    assert first == f"{file}: fine"
    assert {"  stt: script_stt", "  llm: script_llm", "  tts: script_tts", "  speakers: hall"} <= set(rest)
    assert any("crow" in line and "sparrow" in line for line in rest)


def test_every_mistake_is_shown_at_once_with_its_line(cli, config):
    file = config()
    file.write_text(WRONG)
    result = cli("check-config", "-c", str(file))
    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines() == [
        "config.yaml:1: persona: no persona named 'sparow'; did you mean 'sparrow'?",
        "config.yaml:6: engines → llm → 1: no engine named 'scrpt_llm'; did you mean 'script_llm'?",
        "config.yaml:8: http → prot: unknown key; did you mean 'port'?",
        "3 mistakes; nothing was started",
    ]


def test_one_mistake_is_counted_in_the_singular(cli, folder):
    (folder / "config.yaml").write_text("log: {level: loud}")
    assert cli("check-config").err.splitlines()[-1] == "1 mistake; nothing was started"


def test_without_a_file_it_is_the_one_in_this_folder(cli, folder, config):
    assert cli("check-config").out.startswith("no file: the embedded defaults: fine\n")
    file = config()
    assert cli("check-config").out.startswith(f"{file}: fine\n")


def test_an_empty_file_is_fine(cli, folder):
    (folder / "empty.yaml").write_text("")
    assert cli("check-config", "empty.yaml").code == 0


def test_nothing_is_made_or_started(cli, folder, config):
    config()
    cli("check-config")
    assert not (folder / "data").exists()


def test_a_file_given_twice_is_refused(cli, config):
    config("one.yaml")
    result = cli("check-config", "one.yaml", "-c", "two.yaml")
    assert (result.code, result.out) == (1, "")
    assert "give the configuration once" in result.err


@pytest.mark.parametrize("command", [["check-config"], ["plugins"], ["ask", "--text", "hi"], ["run"], ["token"]])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "missing.yaml: there is no such file"),
        ("a folder", "config.yaml: cannot be read: is a directory"),
        (b"persona: \xff\xfe", "config.yaml"),
        (b"\na: [1, 2\nb: }", "config.yaml:2: a list in [brackets] that opens here is not closed"),
        (b"\x00\x01\x02", "config.yaml"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_line_for_every_command(cli, folder, command, content, message):
    file = folder / ("missing.yaml" if content is None else "config.yaml")
    if content == "a folder":
        file.mkdir()
    elif content is not None:
        file.write_bytes(content)
    result = cli(*command, "-c", str(file))
    assert (result.code, result.out) == (1, "")
    assert message in result.err
    assert len(result.err.splitlines()) <= 2


def test_a_file_below_a_file_is_no_file(cli, folder):
    (folder / "file").write_text("")
    result = cli("check-config", "file/config.yaml")
    assert result.code == 1
    assert "config.yaml: " in result.err


def test_a_list_in_place_of_sections_is_a_mistake(cli, folder):
    (folder / "config.yaml").write_text("- engines")
    result = cli("check-config")
    assert result.code == 1
    assert "expected sections such as 'engines:'" in result.err


def test_a_missing_plugin_folder_is_a_mistake(cli, folder):
    (folder / "config.yaml").write_text("plugins: {folder: nowhere}")
    result = cli("check-config")
    assert result.code == 1
    assert "config.yaml:1: plugins → folder: there is no folder 'nowhere'" in result.err


def test_a_mistake_in_a_personas_knowledge_is_found(cli, config, folder):
    (folder / "birds.yaml").write_text("subjects: {owl: {nam: owl}}")
    config(sections={"personas": {"sparrow": {"knowledge": ["birds.yaml"]}}})
    result = cli("check-config")
    assert result.code == 1
    assert "birds.yaml:1" in result.err


def test_a_plugin_that_failed_is_told_of(cli, config, folder):
    config()
    (folder / "my_plugins" / "broken.py").write_text("1 / 0")
    result = cli("check-config")
    assert result.code == 0
    assert "plugin broken failed: ZeroDivisionError: division by zero" in result.out


def test_the_json_schema_is_valid_and_fits_a_configuration(cli, config):
    file = config(sections={"speakers": {"hall": {}}})
    result = cli("check-config", "--json-schema", str(file))
    assert (result.code, result.err) == (0, "")
    schema = json.loads(result.out)
    checker = jsonschema.validators.validator_for(schema)
    checker.check_schema(schema)
    validator = checker(schema)
    assert list(validator.iter_errors(yaml.safe_load(file.read_text()))) == []
    assert list(validator.iter_errors({"speakerz": {}})) != []
    assert list(validator.iter_errors({"http": {"port": "eighty"}})) != []


def test_the_json_schema_knows_the_plugins_of_the_configuration_in_this_folder(cli, config):
    config()
    assert "script_llm" in cli("check-config", "--json-schema").out
