from __future__ import annotations

import pytest

from mynah.testing import ScriptedDetector


class Percent(ScriptedDetector):
    def feed(self, frame):
        return 100.0 if any(frame) else 0.0


class OddFrames(ScriptedDetector):
    frame_bytes = 641


class LongFrames(ScriptedDetector):
    frame_bytes = 6400


class Eager(ScriptedDetector):
    def feed(self, frame):
        return 0.9


class Sticky(ScriptedDetector):
    def __init__(self):
        self.heard = 0

    def feed(self, frame):
        self.heard += any(frame)
        return min(1.0, self.heard / 100)


@pytest.mark.parametrize(
    ("detector", "says"),
    [
        (Percent, "probabilities: gave a probability of 100.0"),
        (OddFrames, "frames: frame_bytes is 641"),
        (LongFrames, "frames: a frame lasts 200 ms"),
        (Eager, "silence: takes silence for speech"),
        (Sticky, "reset: after reset() the same sound gives other probabilities"),
    ],
)
def test_a_detector_must_give_probabilities_of_short_frames(broken, detector, says):
    class Activity:
        def detector(self):
            return detector()

    assert broken("vad", Activity()).startswith(f"voice activity detector contract: {says}")


def test_microphones_must_not_share_a_detector(broken):
    class Shared:
        def __init__(self):
            self.last = bytes(640)

        def detector(self):
            return self

        frame_bytes = 640

        def feed(self, frame):
            before, self.last = self.last, frame
            return 0.4 * any(before) + 0.4 * any(frame)

        def reset(self):
            self.last = bytes(640)

    assert broken("vad", Shared()).startswith("voice activity detector contract: two at once: what one microphone")
