"""`mynah plugins`: what is there, what it brings, and what failed and why."""

from __future__ import annotations

import pytest


def by_name(result):
    return {plugin["name"]: plugin for plugin in result.json["plugins"]}


def test_json_has_every_plugin_with_what_it_contributes(cli, config, folder):
    config()
    result = cli("plugins", "--json")
    assert (result.code, result.err) == (0, "")
    found = by_name(result)
    assert {"http", "espeak", "pocketsphinx", "script"} <= found.keys()
    assert found["script"] == {
        "name": "script",
        "origin": str(folder / "my_plugins" / "script.py"),
        "contributes": [
            {"kind": "llm engine", "name": "echo"},
            {"kind": "llm engine", "name": "script_llm"},
            {"kind": "stt engine", "name": "script_stt"},
            {"kind": "tts engine", "name": "script_tts"},
            {"kind": "persona", "name": "crow"},
            {"kind": "persona", "name": "sparrow"},
        ],
        "error": None,
    }
    assert {"kind": "component", "name": "http"} in found["http"]["contributes"]
    assert {"kind": "route", "name": "GET /health"} in found["http"]["contributes"]


def test_a_broken_plugin_is_listed_with_its_reason_and_the_others_too(cli, config, folder):
    config()
    (folder / "my_plugins" / "broken.py").write_text("import nothing_of_this_name")
    result = cli("plugins", "--json")
    assert result.code == 0
    found = by_name(result)
    assert found["broken"]["error"] == "ModuleNotFoundError: No module named 'nothing_of_this_name'"
    assert found["broken"]["contributes"] == []
    assert found["script"]["error"] is None


def test_disabled_plugins_are_listed_as_such(cli, config):
    config(sections={"plugins": {"folder": "my_plugins", "disabled": ["vad", "script"]}})
    result = cli("plugins", "--json")
    assert result.json["disabled"] == ["script", "vad"]
    assert "vad" not in by_name(result)
    assert "disabled" in cli("plugins").out


def test_the_table_has_the_same_for_people(cli, config, folder):
    config()
    (folder / "my_plugins" / "broken.py").write_text("raise OSError('[Errno 2] no [such] file [/red]')")
    result = cli("plugins")
    assert (result.code, result.err) == (0, "")
    words = " ".join(result.out.split())
    for expected in ("tts engine script_tts", "persona crow", "component http", "failed:"):
        assert expected in words
    assert "[such]" in words
    assert "[/red]" in words


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_mistake_in_the_plugins_section_is_one_clear_line(cli, folder, options):
    (folder / "config.yaml").write_text("plugins: {folder: 5}\nengines: nonsense")
    result = cli("plugins", *options)
    assert (result.code, result.out) == (1, "")
    assert "config.yaml:1: plugins → folder: expected some text" in result.err


def test_mistakes_elsewhere_do_not_keep_the_plugins_from_being_listed(cli, folder):
    (folder / "config.yaml").write_text("engines: nonsense")
    assert cli("plugins", "--json").code == 0


def test_without_a_configuration_the_installed_ones_are_listed(cli):
    assert "espeak" in by_name(cli("plugins", "--json"))
