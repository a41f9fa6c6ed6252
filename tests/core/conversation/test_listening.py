import random
import wave
from array import array
from pathlib import Path

import pytest

from mynah.conversation.listening import (
    ListeningOptions,
    OpenMicrophone,
    SpeechAudio,
    SpeechBegan,
    SpeechEnded,
)
from mynah_vad.webrtc import WebrtcDetector

AUDIO = Path(__file__).parents[2] / "audio"
FRAME_MS = 20
FRAME = 640


class ScriptedDetector:
    """Takes the first sample of a frame for the probability of speech, in thousandths."""

    frame_bytes = FRAME

    def __init__(self):
        self.resets = 0
        self.frames = 0

    def feed(self, frame):
        self.frames += 1
        return array("h", frame)[0] / 1000

    def reset(self):
        self.resets += 1


def frames(ms, probability, *, loud=100):
    """Audio that the scripted detector takes for speech with `probability`."""
    frame = array("h", [int(probability * 1000)] + [loud, -loud, loud] * 106 + [loud]).tobytes()
    assert len(frame) == FRAME
    return frame * round(ms / FRAME_MS)


def speech(ms, **loudness):
    return frames(ms, 0.9, **loudness)


def quiet(ms, **loudness):
    return frames(ms, 0.0, **loudness)


def microphone(**options):
    return OpenMicrophone(ScriptedDetector(), ListeningOptions(**options))


def feed(mic, pcm, size=FRAME):
    return [event for start in range(0, len(pcm), size) for event in mic.feed(pcm[start : start + size])]


def audio_of(events):
    return b"".join(
        event.pre_roll if isinstance(event, SpeechBegan) else event.data
        for event in events
        if not isinstance(event, SpeechEnded)
    )


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


# ---------------------------------------------------------------- with a scripted detector


def test_silence_gives_nothing():
    assert feed(microphone(), quiet(5000)) == []


def test_an_utterance_begins_goes_on_and_ends_by_silence():
    events = feed(microphone(), quiet(1000) + speech(1000) + quiet(1000))

    assert isinstance(events[0], SpeechBegan)
    assert all(isinstance(event, SpeechAudio) for event in events[1:-1])
    assert events[-1] == SpeechEnded("silence", speech_ms=1000, audio_ms=300 + 1000 + 600)


def test_its_audio_reaches_from_the_pre_roll_to_the_end_decision_without_a_gap():
    pcm = b"".join(frames(20, 0.9 if 50 <= n < 100 else 0.0, loud=n) for n in range(200))

    events = feed(microphone(), pcm)

    assert audio_of(events) == pcm[35 * FRAME : 130 * FRAME]


def test_speech_at_the_very_beginning_has_the_pre_roll_there_is():
    pcm = speech(400) + quiet(1000)

    assert audio_of(feed(microphone(), pcm)) == pcm[: 50 * FRAME]


@pytest.mark.parametrize("size", [1, 7, 320, 641, 4096, 1_000_000])
def test_the_size_of_the_chunks_does_not_matter(size):
    pcm = quiet(500) + speech(300) + quiet(700) + speech(500) + quiet(700)
    expected = feed(microphone(), pcm)

    events = feed(microphone(), pcm, size)

    assert audio_of(events) == audio_of(expected)
    assert of(SpeechEnded, events) == of(SpeechEnded, expected)
    assert of(SpeechBegan, events) == of(SpeechBegan, expected)


def test_one_chunk_gives_at_most_one_piece_of_audio_an_utterance():
    events = microphone().feed(quiet(500) + speech(300) + quiet(700) + speech(500) + quiet(100))

    assert [type(event) for event in events] == [SpeechBegan, SpeechAudio, SpeechEnded, SpeechBegan, SpeechAudio]


def test_a_single_frame_of_speech_begins_nothing():
    assert feed(microphone(), (quiet(200) + speech(20)) * 10) == []


def test_three_of_five_frames_begin_speech():
    events = feed(microphone(), quiet(500) + speech(20) + quiet(20) + speech(20) + quiet(20) + speech(20))

    assert of(SpeechBegan, events)
    assert len(audio_of(events)) == (15 + 5) * FRAME


def test_speech_stays_while_it_is_a_little_under_the_threshold():
    events = feed(microphone(), speech(200) + frames(2000, 0.4))

    assert not of(SpeechEnded, events)
    assert not feed(microphone(), frames(2000, 0.4))


def test_pauses_shorter_than_the_silence_do_not_end_it():
    events = feed(microphone(), (speech(400) + quiet(500)) * 4 + quiet(200))

    assert [event.reason for event in of(SpeechEnded, events)] == ["silence"]


def test_each_sentence_after_a_pause_is_an_utterance_of_its_own():
    events = feed(microphone(), (speech(400) + quiet(700)) * 3)

    assert [event.reason for event in of(SpeechEnded, events)] == ["silence"] * 3


def test_the_closing_silence_of_one_is_not_the_pre_roll_of_the_next():
    pcm = speech(400) + quiet(600) + speech(400) + quiet(600)

    assert audio_of(feed(microphone(), pcm)) == pcm


def test_too_little_speech_is_noise():
    events = feed(microphone(min_speech_ms=150), quiet(500) + speech(100) + quiet(1000))

    assert events[-1] == SpeechEnded("noise", speech_ms=100, audio_ms=300 + 100 + 600)


def test_endless_noise_is_cut_once_and_does_not_begin_anew():
    events = feed(microphone(max_seconds=3), speech(60_000))

    assert [event.reason for event in of(SpeechEnded, events)] == ["max_length"]
    assert len(of(SpeechBegan, events)) == 1
    assert len(audio_of(events)) == 3 * 32_000


def test_after_a_cut_a_pause_arms_again():
    events = feed(microphone(max_seconds=3), speech(10_000) + quiet(400) + speech(1000) + quiet(600))

    assert [event.reason for event in of(SpeechEnded, events)] == ["max_length", "silence"]
    assert events[-1].speech_ms == 1000


def test_after_a_cut_a_gap_too_short_for_a_pause_does_not_arm():
    events = feed(microphone(max_seconds=3), speech(10_000) + quiet(300) + speech(5000))

    assert len(of(SpeechEnded, events)) == 1


def test_after_a_cut_somebody_louder_is_heard_from_the_first_word():
    mic = microphone(max_seconds=3)
    feed(mic, speech(10_000, loud=300))
    loud = speech(1000, loud=3000)

    events = feed(mic, loud) + feed(mic, quiet(1000))

    assert [event.reason for event in of(SpeechEnded, events)] == ["silence"]
    assert loud in audio_of(events)


def test_after_a_cut_noise_that_wavers_does_not_arm():
    wavering = b"".join(speech(100, loud=loud) for loud in (300, 500, 200, 600, 100) * 40)

    assert len(of(SpeechBegan, feed(microphone(max_seconds=3), wavering))) == 1


def test_after_a_cut_a_much_softer_noise_arms_after_a_second():
    mic = microphone(max_seconds=3)
    feed(mic, speech(5000, loud=6000))

    assert not of(SpeechBegan, feed(mic, speech(900, loud=200)))
    assert of(SpeechBegan, feed(mic, speech(2000, loud=200)))


def test_closing_ends_an_utterance_and_gives_its_last_bytes():
    mic = microphone()
    events = feed(mic, quiet(300) + speech(500) + b"\x01\x02\x03", size=1600)

    last = mic.close()

    assert audio_of(events + last).endswith(b"\x01\x02")
    assert last[-1].reason == "silence"
    assert mic.close() == []


def test_closing_in_a_click_says_noise():
    mic = microphone()
    feed(mic, speech(100))

    assert mic.close()[-1].reason == "noise"


def test_reset_forgets_the_utterance_and_the_pre_roll():
    mic = microphone()
    feed(mic, quiet(300) + speech(500))
    assert mic.speaking

    mic.reset()

    assert not mic.speaking
    assert audio_of(feed(mic, speech(500))) == speech(500)


def test_a_pre_roll_of_nothing_is_possible():
    events = feed(microphone(pre_roll_ms=0), quiet(500) + speech(500) + quiet(600))

    assert audio_of(events) == speech(500) + quiet(600)


# ---------------------------------------------------------------- with WebRTC's detector and recordings of people


def recording(name):
    with wave.open(str(AUDIO / f"{name}.wav")) as file:
        assert file.getframerate() == 16_000
        return file.readframes(file.getnframes())


def white_noise(seconds, amplitude, seed=1):
    rng = random.Random(seed)
    return samples(rng.gauss(0, amplitude) for _ in range(round(seconds * 16_000)))


def samples(values):
    return array("h", [max(-32768, min(32767, int(value))) for value in values]).tobytes()


def mixed(pcm, amplitude):
    noise = array("h", white_noise(len(pcm) / 32_000, amplitude))
    return samples(a + b for a, b in zip(array("h", pcm), noise, strict=True))


def listen(pcm, **options):
    return feed(OpenMicrophone(WebrtcDetector(), ListeningOptions(**options)), pcm)


SENTENCES = ("cards-001", "austen-0880", "goforward")


@pytest.mark.parametrize("noise", [0, 30, 200])
def test_each_recorded_sentence_is_one_utterance(noise):
    pcm = b"".join(bytes(32_000) + recording(name) for name in SENTENCES) + bytes(32_000)

    events = listen(mixed(pcm, noise))

    assert [event.reason for event in of(SpeechEnded, events)] == ["silence"] * len(SENTENCES)


@pytest.mark.parametrize("noise", [0, 30])
@pytest.mark.parametrize("name", SENTENCES)
def test_the_first_word_is_kept(name, noise):
    lead = bytes(64_000)
    pcm = mixed(lead + recording(name) + bytes(32_000), noise)
    onset = len(lead) + loud_from(recording(name))

    heard = audio_of(listen(pcm))

    begins = pcm.index(heard[:32_000])
    assert onset - 32 * 1000 < begins <= onset - 32 * 40


def loud_from(pcm):
    """Bytes up to the first 20 ms that reach a tenth of the recording's peak."""
    levels = [max(map(abs, array("h", pcm[start : start + FRAME]))) for start in range(0, len(pcm) - FRAME, FRAME)]
    return next(n for n, level in enumerate(levels) if level > max(levels) / 10) * FRAME


def test_the_whole_recording_is_in_the_utterance():
    said = recording("austen-0880")

    events = listen(bytes(32_000) + said + bytes(32_000))

    assert len(of(SpeechBegan, events)) == 1
    assert events[-1].speech_ms > 2000
    assert len(audio_of(events)) > len(said)


def test_steady_noise_that_was_there_from_the_start_is_no_speech():
    assert listen(white_noise(20, 1500)) == []


def test_a_fan_that_is_switched_on_is_cut_once():
    events = listen(white_noise(2, 5) + white_noise(40, 3000), max_seconds=10)

    assert [event.reason for event in of(SpeechEnded, events)] == ["max_length"]


def test_a_click_is_not_an_utterance():
    events = listen(white_noise(2, 30) + white_noise(0.005, 15_000) + white_noise(2, 30))

    assert events == []


@pytest.mark.parametrize("seconds", [0.08, 0.1, 0.12])
def test_a_knock_is_reported_as_noise(seconds):
    events = listen(white_noise(2, 30) + white_noise(seconds, 10_000) + white_noise(2, 30))

    assert [event.reason for event in of(SpeechEnded, events)] == ["noise"]
