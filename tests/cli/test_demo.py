"""`mynah demo`: a speaker that runs the firmware asks and answers aloud; what sounds is what the hub sent."""

from __future__ import annotations

import json
import subprocess
import sys
import wave

import pytest
from rich.console import Console

from counterparts.recording_proxy import RecordingProxy
from mynah.audio import LISTENING, read_audio, wav_header
from mynah.cli.demo import QUESTION, SPEAKER, converse
from mynah.errors import MynahError
from mynah.testing import ScriptedLanguageModel, ScriptedSpeechToText, run_hub, scripted_engines

MQTT = {"mqtt": {"broker": "embedded", "embedded": {"port": 0}}}
INSTALLED = ("espeak", "facts", "http", "mqtt", "pocketsphinx", "vad", "websocket", "zoo_guide")


def read_pcm(path):
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (1, 2, 16000)
        return file.readframes(file.getnframes())


async def run_demo(folder, *, instead="", question=QUESTION, specs=(), config=MQTT, installed=INSTALLED):
    """Have the demo's conversation through a proxy; return its report, what was shown, and the proxy."""
    (folder / "speaker").mkdir()
    async with run_hub(folder, specs=specs, config=config, installed=installed) as hub:
        await hub.warm(60)
        proxy = RecordingProxy(hub.addresses["http"])
        console = Console(file=(folder / "shown").open("w"), width=200)
        with console.file:
            async with proxy.running() as url:
                report = await converse(hub, question, folder / "speaker", console, instead=instead, url=url)
    return report, (folder / "shown").read_text(), proxy


@pytest.mark.long  # plays for ten seconds, and another program that takes the processor leaves gaps
async def test_the_loudspeaker_of_the_firmware_plays_the_reply_as_it_was_sent_sample_for_sample(tmp_path):
    report, shown, proxy = await run_demo(tmp_path)
    played, sent = read_pcm(tmp_path / "speaker" / "loudspeaker.wav"), proxy.sound
    assert len(sent) > 2 * 32_000
    before, found, after = played.partition(sent)
    assert found, "a gap, or a sample more or less"
    assert not any(before + after), "something sounded that was not sent"
    asked = b"".join(chunk.data for chunk in read_audio(QUESTION, LISTENING))
    assert asked in proxy.recorded
    assert "red pandas" in report["transcript"]
    assert "bamboo" in report["reply"]
    assert report["underruns"] == 0
    assert report["timeline"]["first_audio"] > 0
    assert "It is registered over MQTT: firmware 0.1.0, plays pcm_s16le, ima_adpcm." in shown


def short(folder):
    """A question of a quarter of a second, and engines that answer it in half a second."""
    file = folder / "question.wav"
    pcm = b"\x00\x10\x00\xf0" * 2_000
    file.write_bytes(wav_header(LISTENING, len(pcm)) + pcm)
    engines = scripted_engines(
        stt=ScriptedSpeechToText(text="are you there"),
        llm=ScriptedLanguageModel(tokens=["Yes, ", "I ", "am ", "here."]),
    )
    return {"question": file, "specs": engines, "installed": ("http", "mqtt", "websocket")}


async def test_a_speaker_that_runs_the_firmware_registers_asks_and_answers(tmp_path):
    report, shown, proxy = await run_demo(tmp_path, **short(tmp_path))
    assert (report["transcript"], report["reply"]) == ("are you there", "Yes, I am here.")
    assert report["audio"]["seconds"] > 0.3
    assert "It is registered over MQTT: firmware 0.1.0" in shown
    assert any(read_pcm(tmp_path / "speaker" / "loudspeaker.wav"))
    hello = json.loads(proxy.to_hub[0])
    assert (hello["speaker"], [each["codec"] for each in hello["plays"]]) == (SPEAKER, ["pcm_s16le", "ima_adpcm"])


async def test_where_the_firmware_does_not_run_a_speaker_in_python_says_so_and_does_the_same(tmp_path):
    report, shown, proxy = await run_demo(tmp_path, instead="there is no MicroPython", **short(tmp_path))
    assert (report["transcript"], report["reply"]) == ("are you there", "Yes, I am here.")
    assert "A speaker in Python connects, not the firmware (there is no MicroPython)." in shown
    assert read_pcm(tmp_path / "speaker" / "loudspeaker.wav") == proxy.sound


async def test_without_a_broker_it_is_the_same_over_its_session(tmp_path):
    report, shown, _ = await run_demo(tmp_path, **{**short(tmp_path), "config": {}, "installed": ("http", "websocket")})
    assert report["reply"] == "Yes, I am here."
    assert "MQTT" not in shown


async def test_a_question_that_is_no_recording_is_told_before_anything_is_asked(tmp_path):
    file = tmp_path / "no.wav"
    file.write_text("not a recording")
    with pytest.raises(MynahError):
        await run_demo(tmp_path, **{**short(tmp_path), "question": file})


def test_the_command_prints_the_conversation_and_saves_what_sounded(config, question, folder):
    file = config(
        sections={"mqtt": {"broker": "embedded", "embedded": {"port": 1}}},
        stt={"text": "are you there"},
        llm={"tokens": ["I am here."]},
    )
    done = subprocess.run(
        [sys.executable, "-m", "mynah.cli.main", "demo", "-c", str(file), "--audio", str(question), "--out=said.wav"],
        capture_output=True, text=True, timeout=90,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "heard  are you there" in done.stdout
    assert "says   I am here." in done.stdout
    assert "saved  said.wav" in done.stdout
    assert "first audio" in done.stdout
    assert "It is registered over MQTT" in done.stderr
    assert "ERROR" not in done.stderr
    assert any(read_pcm(folder / "said.wav"))
