"""`mynah ask`: one turn on scripted engines, for people and as JSON; and what can go wrong with it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from mynah.audio import AudioFormat, read_audio
from mynah.timeline import MARKS


def test_json_has_the_whole_answer(cli, config):
    config()
    result = cli("ask", "--text", "what do lions eat", "--json")
    assert (result.code, result.err) == (0, "")
    answer = result.json
    timeline = answer.pop("timeline")
    assert answer == {
        "transcript": None,
        "reply": "Lions eat meat.",
        "outcome": "answered",
        "persona": "sparrow",
        "language": "en",
        "phrases": ["Lions eat meat."],
        "audio": {"path": None, "seconds": 0.3, "format": "pcm_s16le"},
        "engines": {"llm": "script_llm", "tts": "script_tts"},
        "troubles": {},
    }
    assert timeline.keys() <= set(MARKS)
    assert timeline["speech_end"] <= timeline["first_token"] <= timeline["first_audio"] <= timeline["finished"]


def test_people_read_the_reply_and_what_took_how_long(cli, config):
    config()
    result = cli("ask", "--text", "what do lions eat")
    assert (result.code, result.err) == (0, "")
    assert "Lions eat meat." in result.out
    assert "first audio" in result.out
    assert " ms" in result.out


def test_a_question_as_audio_is_heard(cli, config, question):
    config(stt={"text": "how tall are owls"})
    result = cli("ask", "--audio", str(question), "--json")
    assert (result.code, result.err) == (0, "")
    assert (result.json["transcript"], result.json["reply"]) == ("how tall are owls", "Lions eat meat.")
    assert "how tall are owls" in cli("ask", "--audio", str(question)).out


def test_a_text_is_said_in_another_language(cli, config):
    config()
    result = cli("ask", "--text", "Where does it hurt?", "--translate", "es", "--json")
    assert (result.code, result.err) == (0, "")
    assert (result.json["reply"], result.json["outcome"]) == ("¿Dónde le duele?", "answered")
    assert result.json["engines"] == {"translate": "phrasebook", "tts": "script_tts"}


def test_what_cannot_be_translated_is_told_by_the_interpreter(cli, config):
    config()
    result = cli("ask", "--text", "My submarine is blue.", "--translate", "es", "--json")
    assert (result.json["persona"], result.json["outcome"]) == ("interpreter", "unknown")
    assert result.json["reply"] == "I'm sorry, I can't translate that."


def test_the_language_of_the_text_may_be_said(cli, config):
    config()
    result = cli("ask", "--text", "Me duele la cabeza.", "--language", "es", "--translate", "en", "--json")
    assert result.json["reply"] == "My head hurts."


def test_a_language_that_is_none_is_told(cli, config):
    config()
    result = cli("ask", "--text", "Hello", "--translate", "to Spanish")
    assert result.code == 1
    assert "--translate 'to Spanish' is no language" in result.err + result.out


def test_audio_that_nobody_understands_is_answered_so(cli, config, question):
    config(stt={"text": "", "understood": False})
    result = cli("ask", "--audio", str(question), "--json")
    assert result.code == 0
    assert (result.json["outcome"], result.json["transcript"]) == ("not_understood", "")
    assert result.json["reply"] == "Sorry, I did not understand that."


def test_audio_in_which_nobody_speaks_gives_an_answer_too(cli, config, question):
    config(stt={"text": ""})
    result = cli("ask", "--audio", str(question), "--json")
    assert (result.code, result.json["outcome"], result.json["reply"]) == (0, "not_understood", "")
    assert "(nothing)" in cli("ask", "--audio", str(question)).out


def test_the_reply_is_saved_as_a_wav_file(cli, config, folder):
    config()
    result = cli("ask", "--text", "what do lions eat", "--out", "reply.wav", "--json")
    assert result.json["audio"] == {"path": "reply.wav", "seconds": 0.3, "format": "wav"}
    format = AudioFormat("pcm_s16le", 22_050, 1)
    pcm = b"".join(chunk.data for chunk in read_audio(folder / "reply.wav", format))
    assert format.pcm_ms(len(pcm)) == pytest.approx(300, abs=5)
    assert any(pcm)


ECHO = {"engines": {"stt": ["script_stt"], "llm": ["echo"], "tts": ["script_tts"]}}


@pytest.mark.parametrize(
    ("options", "reply"),
    [
        ([], "sparrow in en heard hi somewhere."),
        (["--persona", "crow"], "crow in de heard hi somewhere."),
        (["--language", "fr"], "sparrow in fr heard hi somewhere."),
        (["--context", "exhibit=lion"], "sparrow in en heard hi where exhibit is lion."),
        (
            ["--context", "exhibit=lion", "--context", "note=a=b", "--context", "empty="],
            "sparrow in en heard hi where empty is , exhibit is lion, note is a=b.",
        ),
    ],
)
def test_persona_language_and_context_reach_the_engine(cli, config, options, reply):
    config(sections=ECHO)
    assert cli("ask", "--text", "hi", "--json", *options).json["reply"] == reply


def test_what_looks_like_markup_is_shown_as_it_is(cli, config, folder):
    config(llm={"tokens": ["It is [bold]not bold[/bold], [/dim] and [x]."]})
    result = cli("ask", "--text", "hi", "--out", "[red]reply.wav")
    assert "It is [bold]not bold[/bold], [/dim] and [x]." in result.out.replace("\n", " ")
    assert "[red]reply.wav" in result.out


def test_a_reply_in_another_script_stays_readable_in_json(cli, config):
    config(llm={"tokens": ["狮子吃肉。"]})
    assert "狮子吃肉。" in cli("ask", "--text", "狮子吃什么", "--json").out


def test_the_configuration_in_this_folder_is_taken(cli, config):
    file = config("other.yaml", llm={"tokens": ["From the other."]})
    config(llm={"tokens": ["From this folder."]})
    assert cli("ask", "--text", "hi", "--json").json["reply"] == "From this folder."
    assert cli("ask", "--text", "hi", "--json", "-c", str(file)).json["reply"] == "From the other."


def test_no_component_is_started(cli, config):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        config(sections={"http": {"port": taken.getsockname()[1]}})
        result = cli("ask", "--text", "hi", "--json")
    assert (result.code, result.err) == (0, "")


def test_engines_are_waited_for(cli, config, monkeypatch):
    monkeypatch.setattr("mynah.components.READY_WITHIN_S", 0.05)
    monkeypatch.setattr("mynah.engines.choice.OPEN_WITHIN_S", 0.05)
    config(llm={"open_s": 0.5})
    assert cli("ask", "--text", "hi", "--json").json["reply"] == "Lions eat meat."


def test_the_next_engine_answers_where_the_first_is_broken(cli, config):
    engines = {
        "stt": ["script_stt"],
        "llm": [{"engine": "script_llm", "broken": "no key"}, "echo"],
        "tts": ["script_tts"],
    }
    config(sections={"engines": engines})
    result = cli("ask", "--text", "hi", "--json")
    assert (result.code, result.json["reply"]) == (0, "sparrow in en heard hi somewhere.")


FAILURES = {
    "a missing file": ({}, ["--audio", "nope.wav"], "nope.wav: there is no such file; check the path nope.wav"),
    "not audio": ({}, ["--audio", "config.yaml"], "config.yaml: not audio that can be read; use WAV, MP3, Ogg Opus"),
    "an empty file": ({}, ["--audio", "empty.wav"], "empty.wav"),
    "a folder": ({}, ["--audio", "my_plugins"], "my_plugins"),
    "an unknown persona": ({}, ["--text", "hi", "--persona", "emu"], "no persona named 'emu'; known are "),
    "a context without =": ({}, ["--text", "hi", "--context", "lion"], "--context 'lion' should read key=value"),
    "an empty question": ({}, ["--text", "  "], "the text is empty"),
    "a question that is too long": ({}, ["--text", "x" * 5000], "the text has 5000 characters; at most 4000 are taken"),
    "a place to save that is not there": (
        {},
        ["--text", "hi", "--out", "nowhere/reply.wav"],
        "the reply cannot be saved as nowhere/reply.wav (No such file or directory)",
    ),
    "a missing configuration": ({}, ["--text", "hi", "-c", "nope.yaml"], "nope.yaml: there is no such file"),
    "an engine that fails": ({"llm": {"fault": "raise"}}, ["--text", "hi"], "script_llm: the script says so"),
    "an engine that crashes": ({"llm": {"fault": "crash"}}, ["--text", "hi"], "RuntimeError: the script says so"),
    "an engine that does not open": (
        {"llm": {"broken": "no key"}},
        ["--text", "hi"],
        "no language model engine can be used (script_llm: script_llm has no model: no key)",
    ),
    "a voice that fails": ({"tts": {"fault": "raise"}}, ["--text", "hi"], "the reply could not be voiced"),
    "ears that fail": ({"stt": {"fault": "raise"}}, ["--audio", "question.wav"], "script_stt: the script says so"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_one_json_object_or_one_line(cli, config, folder, question, name):
    engines, arguments, message = FAILURES[name]
    config(**engines)
    (folder / "empty.wav").write_bytes(b"")
    result = cli("ask", "--json", *arguments)
    assert (result.code, result.json.keys()) == (1, {"error"})
    assert message in result.json["error"]
    result = cli("ask", *arguments)
    assert (result.code, result.out) == (1, "")
    assert message in result.err.splitlines()[-1]
    assert result.err.splitlines()[-1].startswith("mynah: ")


def test_an_engine_that_is_too_slow_is_a_failure_with_its_limit(cli, config):
    config(llm={"fault": "hang", "next_timeout": 0.2})
    result = cli("ask", "--json", "--text", "hi")
    assert (result.code, result.json) == (1, {"error": "script_llm: gave nothing for 0.2 s"})


def test_mistakes_in_the_configuration_are_shown_all_at_once(cli, folder):
    (folder / "config.yaml").write_text("personna: x\nlog: {level: loud}\n")
    result = cli("ask", "--text", "hi", "--json")
    assert result.code == 1
    assert [line.partition(": ")[0] for line in result.json["error"].splitlines()] == ["config.yaml:1", "config.yaml:2"]


def test_as_a_program_it_prints_one_json_object_and_nothing_else(config, question):
    config(llm={"broken": "no key"})
    for arguments, code in ((["--text", "hi"], 1), (["--audio", str(question)], 1)):
        result = subprocess.run(
            [sys.executable, "-m", "mynah.cli.main", "ask", "--json", *arguments],
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert result.returncode == code
        assert json.loads(result.stdout).keys() == {"error"}
        assert "Traceback" not in result.stderr
