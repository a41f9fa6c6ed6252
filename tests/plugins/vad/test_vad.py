import importlib.util
import random
import subprocess
import sys
import wave
from array import array
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
import voluptuous as vol

from mynah import EngineUnavailable, VoiceActivityDetector
from mynah_vad import mynah_engines, silero
from mynah_vad.config import SCHEMA
from mynah_vad.engine import choose, open_vad
from mynah_vad.silero import SileroActivity, SileroDetector
from mynah_vad.webrtc import WebrtcActivity, WebrtcDetector

AUDIO = Path(__file__).parents[2] / "audio"


def recording(name):
    with wave.open(str(AUDIO / f"{name}.wav")) as file:
        return file.readframes(file.getnframes())


def white_noise(seconds, amplitude):
    rng = random.Random(1)
    return array("h", [int(rng.gauss(0, amplitude)) for _ in range(round(seconds * 16_000))]).tobytes()


def heard(detector, pcm):
    size = detector.frame_bytes
    return [detector.feed(pcm[start : start + size]) for start in range(0, len(pcm) - size + 1, size)]


def share(probabilities):
    return sum(probability >= 0.5 for probability in probabilities) / len(probabilities)


# ---------------------------------------------------------------- WebRTC


@pytest.mark.parametrize("name", ["jfk", "cards-001", "austen-0880", "goforward"])
def test_webrtc_hears_people(name):
    assert share(heard(WebrtcDetector(), recording(name))) > 0.6


@pytest.mark.parametrize("amplitude", [0, 30, 300, 3000])
def test_webrtc_hears_no_speech_in_steady_noise(amplitude):
    assert share(heard(WebrtcDetector(), white_noise(5, amplitude))) == 0


def test_webrtc_hears_a_click_only_while_it_lasts():
    pcm = white_noise(1, 30) + white_noise(0.04, 8000) + white_noise(1, 30)

    assert sum(probability >= 0.5 for probability in heard(WebrtcDetector(), pcm)) <= 3


def test_webrtc_gives_probabilities_for_frames_of_20_ms():
    detector = WebrtcDetector()

    assert detector.frame_bytes == 640
    assert set(heard(detector, recording("jfk"))) <= {0, 1 / 3, 2 / 3, 1}


def test_webrtc_forgets_on_reset():
    detector = WebrtcDetector()
    first = heard(detector, recording("cards-001"))
    detector.reset()

    assert heard(detector, recording("cards-001")) == first


def test_webrtc_microphones_are_apart():
    engine = WebrtcActivity()
    one, other = engine.detector(), engine.detector()
    heard(one, white_noise(3, 3000))

    assert heard(other, recording("cards-001")) == heard(engine.detector(), recording("cards-001"))


def test_a_higher_aggressiveness_hears_less():
    pcm = recording("goforward")

    assert share(heard(WebrtcDetector(3), pcm)) < share(heard(WebrtcDetector(0), pcm))


def test_webrtcvad_imports_without_a_warning():
    subprocess.run([sys.executable, "-W", "error", "-c", "import webrtcvad"], check=True, timeout=30)


# ---------------------------------------------------------------- Silero


class FakeModel:
    """Imitates the ONNX model's inputs and outputs; the probability is the loudest new sample."""

    def __init__(self):
        self.inputs = []

    def run(self, outputs, inputs, /):
        assert outputs is None
        assert inputs["input"].shape == (1, 576)
        assert inputs["h"].shape == inputs["c"].shape == (1, 1, 128)
        assert {value.dtype for value in inputs.values()} == {np.dtype(np.float32)}
        self.inputs.append({name: value.copy() for name, value in inputs.items()})
        loudest = np.abs(inputs["input"][:, 64:]).max(axis=1)
        return loudest[:, None], inputs["h"] + 1, inputs["c"] + 2


def constant(value):
    return array("h", [value] * 512).tobytes()


def test_silero_takes_frames_of_512_samples_scaled_to_one():
    model = FakeModel()
    detector = SileroDetector(model)

    assert detector.frame_bytes == 1024
    assert detector.feed(constant(16_384)) == pytest.approx(0.5)
    assert detector.feed(constant(-32_768)) == pytest.approx(1.0)


def test_silero_carries_context_and_state_from_frame_to_frame():
    model = FakeModel()
    detector = SileroDetector(model)
    detector.feed(constant(16_384))
    detector.feed(constant(8_192))

    first, second = model.inputs
    assert not first["input"][0, :64].any()
    assert np.allclose(second["input"][0, :64], 0.5)
    assert np.allclose(second["input"][0, 64:], 0.25)
    assert np.allclose(second["h"], 1)
    assert np.allclose(second["c"], 2)


def test_silero_forgets_on_reset():
    model = FakeModel()
    detector = SileroDetector(model)
    detector.feed(constant(16_384))
    detector.reset()
    detector.feed(constant(8_192))

    assert not model.inputs[1]["input"][0, :64].any()
    assert not model.inputs[1]["h"].any()


def test_silero_microphones_share_the_model_and_nothing_else():
    model = FakeModel()
    engine = SileroActivity(model)
    engine.detector().feed(constant(16_384))
    engine.detector().feed(constant(16_384))

    assert not model.inputs[1]["h"].any()


# ---------------------------------------------------------------- which one


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Pretend that faster-whisper and onnxruntime are installed, and return the folder of the former."""

    def find_spec(name):
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations.append(str(tmp_path))
        return spec if name in ("faster_whisper", "onnxruntime") else None

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    monkeypatch.setattr(silero, "load", lambda path: FakeModel())
    (tmp_path / "assets").mkdir()
    return tmp_path


@pytest.fixture
def missing(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def test_auto_takes_silero_where_it_is_installed(installed):
    (installed / "assets" / silero.MODEL).touch()

    assert silero.find_model() == installed / "assets" / silero.MODEL
    assert isinstance(choose("auto", 1), SileroActivity)
    assert isinstance(choose("silero", 1), SileroActivity)


def test_auto_takes_webrtc_where_silero_is_missing(missing):
    assert isinstance(choose("auto", 1), WebrtcActivity)


def test_auto_takes_webrtc_where_faster_whisper_carries_another_model(installed):
    assert isinstance(choose("auto", 1), WebrtcActivity)


def test_webrtc_is_taken_when_asked_for(installed):
    (installed / "assets" / silero.MODEL).touch()

    assert isinstance(choose("webrtc", 1), WebrtcActivity)


def test_silero_asked_for_and_missing_says_what_to_do(missing):
    with pytest.raises(EngineUnavailable, match=r"pip install 'mynah\[whisper\]'"):
        choose("silero", 1)


async def test_it_opens_with_the_defaults(missing):
    async with open_vad(vol.Schema(SCHEMA)({}), Path()) as engine:
        assert isinstance(engine, VoiceActivityDetector)
        assert engine.detector().feed(bytes(640)) == 0


@pytest.mark.parametrize("wrong", [{"model": "best"}, {"aggressiveness": 4}, {"mode": 1}])
def test_the_schema_refuses_what_there_is_not(wrong):
    with pytest.raises(vol.Invalid):
        vol.Schema(SCHEMA)(wrong)


def test_every_key_of_the_configuration_is_described():
    assert all(key.description for key in SCHEMA)


def test_the_hook_declares_an_embedded_detector():
    (spec,) = mynah_engines()

    assert (spec.name, spec.kind, spec.embedded) == ("vad", "vad", True)
