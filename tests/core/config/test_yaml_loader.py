# ruff: noqa: E501  # tables of mistakes are easier to read with a line for each
from __future__ import annotations

import pytest

from mynah.config.yaml_loader import read_yaml
from mynah.errors import ConfigError


def read(write, config, environment=None, **others):
    return read_yaml(write(config, **others), environment or {})


def shown(document):
    return [str(problem) for problem in document.problems]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a:\n\tb: 1\n", 2, "a tab character; indent with spaces"),
        ("a:\n  b: 1\n\tc: 2\n", 3, "a tab character"),
        ("a:\n  b: 1\n c: 2\n", 3, "the indentation does not fit"),
        ("a:\n  - b\n - c\n", 3, "the indentation does not fit"),
        ("a: 1\nb: \"x\nc: 2\n", 2, "a quotation mark that opens here is never closed"),
        ("a: 1\nb: 'x\nc: 2\n", 2, "a quotation mark that opens here is never closed"),
        ("a: 'it's'\n", 1, "text goes on after a closing quotation mark"),
        ("a: [1, 2\nb: 3\n", 1, "a list in [brackets] that opens here is not closed"),
        ("a: {b: 1\nc: 2\n", 1, "a mapping in {braces} that opens here is not closed"),
        ("a: [1,\n", 2, "the file ends too early: a bracket that was opened is not closed"),
        ("a: ,b\n", 1, "a value is missing here, or should be in quotes"),
        ("a: b: c\n", 1, "a ':' that does not fit here"),
        ("a: 1\nfoo\nb: 2\n", 2, "this line is no 'key: value'"),
        ("a: - b\n", 1, "a list cannot begin here"),
        ("a: @x\n", 1, "a text cannot begin with @; put it in quotes"),
        ("a: %x\n", 1, "a text cannot begin with %; put it in quotes"),
        ("a: *x\n", 1, "there is no '&x' above"),
        ('a: "C:\\work"\n', 1, 'a backslash in "double quotes" begins an escape'),
        ("a: 1\n---\nb: 1\n", 2, "a second document begins here"),
        ("a: 1\nb: \x07\n", 2, "a control character (code 0x7); remove it"),
        ("a: " + "[" * 1000, 1, "nested more than 50 levels deep"),
    ],
)  # fmt: skip
def test_broken_yaml_is_explained_with_its_line(write, text, line, words):
    document = read(write, text)
    assert document.data is None
    assert len(document.problems) == 1
    assert shown(document)[0].startswith(f"config.yaml:{line}: {words}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("0123", 123),
        ("0x1F", 31),
        ("-1.5", -1.5),
        ("1e3", 1000.0),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("~", None),
        ("", None),
    ],
)
def test_scalars_are_read_as_yaml_1_2_does(write, text, value):
    data = read(write, f"a: {text}\n").data
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


def test_keys_are_text(write):
    assert read(write, "1: a\nno: b\n").data == {"1": "a", "no": "b"}


def test_every_value_has_its_place(write):
    document = read(write, "a:\n  b:\n    - 1\n    - c: 2\nd: |\n  long\n  text\n")
    lines = {path: line for path, (_, line) in document.places.items()}
    assert lines == {
        (): 1,
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "b", 0): 3,
        ("a", "b", 1): 4,
        ("a", "b", 1, "c"): 4,
        ("d",): 5,
    }
    assert document.place(("a", "b", 9, "x")) == (document.file, 2)


def test_a_key_given_twice_is_an_error_in_its_line(write):
    assert shown(read(write, "a: 1\nb: 2\na: 3\n")) == [
        "config.yaml:3: a: this key is given a second time; the first is in line 1; remove one"
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: !foo x\n", "config.yaml:1: a: unknown tag !foo; known are !secret, !env_var, !include"),
        ("a: !!python/object:os.system x\n", "config.yaml:1: a: unknown tag !!python/object:os.system"),
        ("a: !secret\n", "config.yaml:1: a: !secret needs a name after it"),
        ("a: !include [b]\n", "config.yaml:1: a: !include needs a name after it"),
        ("a: !!int x\n", "config.yaml:1: a: a number or truth value that cannot be read"),
        ("? [a]\n: 1\n", "config.yaml:1: a key must be plain text"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "config.yaml:3: c: merging with << is not supported"),
        ("a: " + "9" * 5000, "config.yaml:1: a: a number or truth value that cannot be read"),
    ],
)
def test_what_is_not_supported_is_an_error_in_its_line(write, text, words):
    (problem,) = shown(read(write, text))
    assert problem.startswith(words)


def test_the_rest_of_a_file_with_an_unreadable_value_is_read(write):
    document = read(write, "a: !secret x\nb: 2\n")
    assert document.data == {"a": None, "b": 2}
    assert document.unread == {("a",)}


def test_aliases_repeat_a_value(write):
    assert read(write, "a: &x [1]\nb: *x\n").data == {"a": [1], "b": [1]}


def test_an_alias_bomb_is_stopped(write):
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ConfigError, match="more than 100,000 values"):
        read(write, "\n".join(lines))


def test_an_alias_within_itself_is_stopped(write):
    with pytest.raises(ConfigError, match="nested more than 50 levels deep"):
        read(write, "a: &a [*a]\n")


def test_too_many_values_are_stopped(write):
    assert "more than 100,000 values" in shown(read(write, "a: [" + "1," * 100_001 + "]"))[0]


def test_a_file_that_is_too_large_is_refused(write):
    assert shown(read(write, "# " + "x" * (1 << 20))) == ["config.yaml: larger than 1024 KiB, the most that is read"]


def test_a_file_that_is_no_utf_8_is_refused_with_its_line(write):
    file = write("")
    file.write_bytes(b"a: 1\nb: caf\xe9\n")
    assert shown(read_yaml(file)) == ["config.yaml:2: not UTF-8 text; save it as UTF-8"]


def test_a_byte_order_mark_is_passed_over(write):
    file = write("")
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(file).data == {"a": 1}


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    assert shown(read_yaml(tmp_path / "x.yaml")) == ["x.yaml: there is no such file"]
    assert shown(read_yaml(tmp_path))[0].endswith("cannot be read: is a directory")


def test_an_include_is_read_relative_to_its_file_with_places_of_its_own(write):
    document = read(write, "a: !include sub/one.yaml\n", sub__one="x: 1\ny: !include two.yaml\n", sub__two="\n- z\n")
    assert document.data == {"a": {"x": 1, "y": ["z"]}}
    places = {path: (file.name, line) for path, (file, line) in document.places.items()}
    assert places[("a",)] == ("config.yaml", 1)
    assert places[("a", "y")] == ("one.yaml", 2)
    assert places[("a", "y", 0)] == ("two.yaml", 2)


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({}, "config.yaml:1: a: !include b.yaml: there is no such file in"),
        ({"b": "x: !include config.yaml\n"}, "b.yaml:1: a → x: !include config.yaml goes in circles: config.yaml → b.yaml → config.yaml"),
        ({"b": "!include b.yaml\n"}, "b.yaml:1: a: !include b.yaml goes in circles: b.yaml → b.yaml"),
        ({"b": "\nx: [\n"}, "b.yaml:3: the file ends too early: a bracket"),
        ({"b": "x: !include ../c.yaml\n"}, "b.yaml:1: a → x: !include ../c.yaml leaves the folder of the configuration"),
        ({"b": "x: !include /etc/hosts\n"}, "b.yaml:1: a → x: !include /etc/hosts leaves the folder of the configuration"),
    ],
)  # fmt: skip
def test_an_include_that_cannot_be_read_is_an_error_where_it_stands(write, others, words):
    (problem,) = shown(read(write, "a: !include b.yaml\n", **others))
    assert problem.startswith(words)


def test_includes_go_no_deeper_than_ten_files(write):
    chain = {f"f{n}": f"x: !include f{n + 1}.yaml\n" for n in range(12)}
    (problem,) = shown(read(write, "a: !include f0.yaml\n", **chain))
    assert "more than 10 files include one another" in problem


def test_an_environment_variable_is_read_with_a_default_of_any_words(write):
    document = read(write, "a: !env_var NAME\nb: !env_var OTHER two words\n", {"NAME": "x"})
    assert document.data == {"a": "x", "b": "two words"}
    assert document.secrets == frozenset()


def test_an_environment_variable_that_holds_a_credential_by_its_name_is_a_secret(write):
    assert read(write, "a: !env_var OPENAI_API_KEY\n", {"OPENAI_API_KEY": "sk-1"}).secrets == {"sk-1"}


def test_an_environment_variable_that_is_not_set_is_an_error(write):
    assert shown(read(write, "a: !env_var NAME\n")) == [
        "config.yaml:1: a: the environment variable 'NAME' is not set; set it, or give a default: !env_var NAME value"
    ]
