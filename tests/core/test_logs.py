"""Logs: where they go, what they look like, and what is never in them."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from mynah.errors import ConfigError
from mynah.logs import REDACTED, redact, set_up_logs


@pytest.fixture(autouse=True)
def own_root():
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers.clear()
    yield
    set_up_logs()  # closes the file of the test
    root.handlers[:] = handlers
    root.setLevel(level)


def fail(message):
    raise ValueError(message)


def test_text_goes_to_standard_error_with_level_and_logger(capsys):
    set_up_logs()
    logging.getLogger("mynah.hub").info("ready in %.1f s", 0.5)
    line = capsys.readouterr().err
    assert line.endswith("INFO    mynah.hub: ready in 0.5 s\n")


def test_json_is_one_object_a_line(capsys):
    set_up_logs(format="json")
    logging.getLogger("mynah.hub").warning("two\nlines, a „quote“")
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert (entry["level"], entry["logger"], entry["message"]) == ("warning", "mynah.hub", "two\nlines, a „quote“")
    assert entry["time"] > 1_000_000_000


def test_json_has_the_traceback_of_an_exception(capsys):
    set_up_logs(format="json")
    try:
        fail("the reason")
    except ValueError:
        logging.getLogger("mynah.hub").exception("it failed")
    entry = json.loads(capsys.readouterr().err)
    assert "ValueError: the reason" in entry["traceback"]


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_the_level_says_what_is_logged(capsys, level, shown):
    set_up_logs(level=level)
    for name in ("debug", "info", "warning", "error"):
        getattr(logging.getLogger("mynah_espeak.engine"), name)(name)
    assert [line.rsplit(" ", 1)[1] for line in capsys.readouterr().err.splitlines()] == shown


def test_libraries_speak_only_when_something_is_wrong(capsys):
    set_up_logs(level="debug")
    logging.getLogger("aiohttp.access").info("a request")
    logging.getLogger("aiohttp.server").warning("trouble")
    assert "a request" not in (text := capsys.readouterr().err)
    assert "trouble" in text


def test_a_file_gets_the_same_lines_and_its_folder_is_made(tmp_path, capsys):
    file = tmp_path / "var" / "log" / "mynah.log"
    set_up_logs(file=file)
    logging.getLogger("mynah.hub").info("bonjour, ça va")
    assert file.read_text(encoding="utf-8") == capsys.readouterr().err != ""


def test_a_file_is_added_to(tmp_path):
    file = tmp_path / "mynah.log"
    for text in ("one", "two"):
        set_up_logs(file=file)
        logging.getLogger("mynah.hub").info(text)
    assert [line.rsplit(" ", 1)[1] for line in file.read_text().splitlines()] == ["one", "two"]


def test_setting_up_again_replaces_the_first(capsys):
    set_up_logs()
    set_up_logs(format="json")
    logging.getLogger("mynah.hub").info("once")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_file_that_cannot_be_written_is_a_mistake_in_the_configuration(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="log → file: the log file cannot be written"):
        set_up_logs(file=tmp_path / "file" / "mynah.log")
    with pytest.raises(ConfigError, match="log → file"):
        set_up_logs(file=tmp_path)


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize(
    "secret", ["hunter2", 'say "friend"', "back\\slash", "two\nlines", "schlüssel", "a.b*c(", "it's", "tab\there"]
)
def test_no_secret_is_logged_however_it_is_written(capsys, format, secret):
    set_up_logs(format=format, secrets=[secret])
    log = logging.getLogger("mynah.engine")
    log.warning("the key is %s", secret)
    log.warning("the options are %s", {"key": secret})
    log.warning("sent %s", json.dumps({"key": secret}, ensure_ascii=False))
    try:
        fail(f"refused: {secret!r}")
    except ValueError:
        log.exception("with %s", secret)
    text = capsys.readouterr().err
    lines = text if format == "text" else "".join(_strings([json.loads(line) for line in text.splitlines()]))
    for form in {secret, repr(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}:
        assert form not in text
        assert form not in lines
    assert text.count(REDACTED) >= 5


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def test_a_secret_inside_another_leaves_nothing_of_the_longer_one(capsys):
    set_up_logs(secrets=["pass", "passphrase"])
    logging.getLogger("mynah").warning("passphrase and pass")
    assert "phrase" not in capsys.readouterr().err


def test_very_short_secrets_do_not_blot_out_the_log(capsys):
    set_up_logs(secrets=["", "a", "abc"])
    logging.getLogger("mynah").warning("abc, a cat")
    assert "abc, a cat" in capsys.readouterr().err


def test_lines_go_to_the_standard_error_of_the_moment_of_setting_up(capsys):
    set_up_logs()
    assert logging.getLogger().handlers[0].stream is sys.stderr


def test_secrets_that_come_later_are_blotted_out_from_then_on_and_the_earlier_ones_still(capsys):
    set_up_logs(secrets=["first-secret"])
    log = logging.getLogger("mynah.hub")
    redact(["second-secret", "abc"])
    log.warning("first-secret, second-secret, abc")
    assert capsys.readouterr().err.endswith(f"{REDACTED}, {REDACTED}, abc\n")
