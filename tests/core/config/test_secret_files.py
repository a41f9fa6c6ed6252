from __future__ import annotations

import pytest

from mynah.config.yaml_loader import read_yaml


def test_a_secret_comes_from_beside_the_file_and_all_of_that_file_are_noted(write):
    document = read_yaml(write("a: !secret pin\n", secrets="pin: 0042\nother: word\nempty:\n"))
    assert document.data == {"a": "0042"}
    assert document.secrets == {"0042", "word"}


def test_a_secret_of_an_included_file_is_looked_for_upwards_to_the_main_folder(write):
    config = "a: !include sub/one.yaml\n"
    document = read_yaml(
        write(config, sub__one="x: !secret near\ny: !secret far\n", sub__secrets="near: 1n", secrets="far: 1f")
    )
    assert document.data == {"a": {"x": "1n", "y": "1f"}}


def test_secrets_above_the_main_folder_are_not_looked_at(tmp_path):
    (tmp_path / "secrets.yaml").write_text("pin: 1\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "config.yaml").write_text("a: !secret pin\n")
    (problem,) = read_yaml(tmp_path / "sub" / "config.yaml").problems
    assert str(problem).startswith("config.yaml:1: a: there is no secrets.yaml for the secret 'pin'")


@pytest.mark.parametrize(
    ("secrets", "words"),
    [
        ("pin: hush1\n", "no secret named 'pins' in secrets.yaml; did you mean 'pin'?"),
        ("pins:\n", "the secret 'pins' is empty in secrets.yaml"),
        ("pins: [hush1]\n", "secrets.yaml line 1: expected 'name: value', the value on the same line"),
        ("- hush1\n", "secrets.yaml line 1: expected 'name: value'"),
        ("a: 1\npins: hush1\npins: hush2\n", "secrets.yaml line 3: the secret 'pins' is given twice"),
        ("pins: 'hush1\n", "secrets.yaml line 1: a quotation mark that opens here is never closed"),
        ("pins: hush1: hush2\n", "secrets.yaml line 1: a ':' that does not fit here"),
        ("pins: @hush1\n", "secrets.yaml line 1: a text cannot begin with @"),
    ],
)
def test_a_secret_that_cannot_be_had_is_an_error_without_any_value(write, secrets, words):
    (problem,) = read_yaml(write("\na: !secret pins\n", secrets=secrets)).problems
    assert str(problem).startswith(f"config.yaml:2: a: {words}")
    assert "hush" not in str(problem)
