"""Every kind of mistake that a schema can find, in plain words."""

from __future__ import annotations

import pytest
import voluptuous as vol

from mynah.config.describe import describe
from mynah.config.messages import validate


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("port: eighty", "port: expected a whole number from 0 to 65535, got 'eighty'"),
        ("port: 70000", "port: expected a whole number from 0 to 65535, got 70000"),
        ("port: 80.5", "port: expected a whole number from 0 to 65535, got 80.5"),
        ("port: true", "port: expected a whole number from 0 to 65535, got true"),
        ("port: '80'", "port: expected a whole number from 0 to 65535, got '80'"),
        ("port:", "port: expected a whole number from 0 to 65535, got nothing; give it a value or remove the key"),
        ("port: {a: 1}", "port: expected a whole number from 0 to 65535, got a mapping"),
        ("host: 5", "host: expected text, got 5; put it in quotes"),
        ("host: [a]", "host: expected text, got a list"),
        ("loud: yes", "loud: expected true or false, got 'yes'"),
        ("loud: 1", "loud: expected true or false, got 1"),
        ("ratio: .inf", "ratio: expected a number from 0 to 1, got inf"),
        ("ratio: .nan", "ratio: expected a number from 0 to 1, got nan"),
        ("ratio: false", "ratio: expected a number from 0 to 1, got false"),
        ("mode: din", "mode: expected one of ding, dong, got 'din'; did you mean 'ding'?"),
        ("tones: 50", "tones: expected a list (a whole number of at least 20 each), got 50; write it as a list: [50]"),
        ("tones: [50, 10]", "tones → 1: expected a whole number of at least 20, got 10"),
        ("pairs: 3", "pairs: 3 is not an even number"),
        ("code: abc", "code: 'abc' does not match the pattern ^\\d{4}$"),
        ("code: 1234", "code: expected text, got 1234; put it in quotes"),
        ("url: nowhere", "url: expected a URL, got 'nowhere'"),
        ("nick: 5", "nick: expected text or nothing, got 5; put it in quotes"),
        ("tls: {}", "tls: 'key' is missing"),
        ("tls: key.pem", "tls: expected a mapping, got 'key.pem'"),
        ("tls: {key: a, kee: b}", "tls → kee: unknown key; did you mean 'key'?"),
        ("prot: 80", "prot: unknown key; did you mean 'port'?"),
    ],
)
def test_a_mistake_in_a_section_is_explained(problems, line, words):
    assert problems(f"bell:\n  {line}\n") == [f"config.yaml:2: bell → {words}"]


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("{red: true, blue: true}", "only one of 'red', 'blue' may be given"),
        ("{user: a}", "'user' and 'password' belong together"),
        ("loud", "expected a mapping, got 'loud'"),
        ("[loud]", "expected a mapping, got a list"),
    ],
)
def test_a_mistake_of_a_section_as_a_whole_is_explained(problems, section, words):
    assert problems(f"\nbell: {section}\n") == [f"config.yaml:2: bell: {words}"]


def test_every_wrong_entry_of_a_list_is_reported(problems):
    shown = problems("bell:\n  tones:\n    - 5\n    - 50\n    - loud\n")
    assert [problem.split(": ")[0] for problem in shown] == ["config.yaml:3", "config.yaml:5"]


def test_a_whole_number_will_do_for_a_number_and_an_empty_list_for_a_list(values):
    bell = values("bell:\n  ratio: 1\n  tones:\n")["bell"]
    assert (bell["ratio"], bell["tones"]) == (1.0, [])


def test_text_from_elsewhere_is_read_as_what_is_asked_for(values):
    config = "bell: {port: !secret port, loud: !env_var NO_SUCH_THING yes, ratio: !secret ratio, code: !secret code}"
    bell = values(config, secrets="port: 80\nratio: 1\ncode: 0042\n")["bell"]
    assert (bell["port"], bell["loud"], bell["ratio"], bell["code"]) == (80, True, 1.0, "0042")
    assert all(type(value) in (int, bool, float, str, list, type(None)) for value in bell.values())


def test_defaults_are_filled_in_and_keys_are_in_the_order_of_the_schema(values):
    bell = values("bell: {mode: dong}")["bell"]
    assert list(bell.items())[:5] == [
        ("port", 8000),
        ("host", "127.0.0.1"),
        ("loud", False),
        ("ratio", 0.5),
        ("mode", "dong"),
    ]


def test_a_validator_that_fails_in_its_own_way_is_a_mistake_and_no_crash():
    value, mistakes = validate({"a": lambda value: value.lower()}, {"a": 5}, ("x",))
    assert value is None
    assert [mistake.message for mistake in mistakes] == ["cannot be checked: a validator failed with AttributeError"]


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        (vol.Schema({"a": int}, extra=vol.ALLOW_EXTRA), {"a": 1, "b": 2}),
        (vol.Schema({"a": int}, required=True), {"a": 1}),
        ({int: str}, {"1": "a"}),
        ({vol.Extra: object}, {"a": [1]}),
        (vol.Any([int], None), None),
        ({"a": vol.All([str], vol.Length(max=1))}, {"a": ["x"]}),
        ([int, str], [1, "a"]),
        (vol.Coerce(int), "5"),
    ],
)
def test_what_a_plain_schema_accepts_is_accepted(schema, data):
    value, mistakes = validate(schema, data)
    assert mistakes == []
    assert value is not None or data is None


def test_a_required_schema_keeps_its_keys_required():
    _, mistakes = validate(vol.Schema({"a": int}, required=True), {})
    assert [mistake.message for mistake in mistakes] == ["'a' is missing"]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (int, "a whole number"),
        (vol.All(vol.Any(int, float), vol.Range(min=0, max=5, min_included=False)), "a number above 0 to 5"),
        (vol.All(str, vol.Length(min=1)), "some text"),
        (vol.All(str, vol.Length(min=2, max=4)), "text of 2 to 4 characters"),
        (vol.All([str], vol.Length(max=4)), "a list (text each) of at most 4 entries"),
        (vol.Any(None, vol.All(str, vol.Length(min=1))), "some text or nothing"),
        (vol.Any("a", "b"), "one of a, b"),
        (vol.Coerce(float), "a number"),
        (vol.Range(max=5), "a number of at most 5"),
        (vol.All(str, vol.Url()), "a URL"),
        (vol.Schema({"a": int}), "a mapping"),
        (vol.In(["", "x"]), 'one of "", x'),
        (lambda value: value, "a value"),
    ],
)
def test_a_schema_is_described_in_plain_words(schema, words):
    assert describe(schema) == words
