"""Several microphones hear one person: the speaker that heard them best answers, the others stay silent."""

from __future__ import annotations

import asyncio
import random
from array import array
from contextlib import aclosing

import pytest

from mynah.audio import LISTENING
from mynah.conversation.arbitration import HEARD_BETTER, heard_db
from mynah.conversation.utterance import Utterance
from mynah.events import TurnStarted
from mynah.outputs import LAST, Interrupted, SpeechChunk, StageStarted, TurnDropped, TurnFinished
from mynah.session_protocol import OutletOptions, SessionOptions
from mynah.testing.engines import ScriptedLanguageModel, ScriptedTextToSpeech
from mynah.testing.hubs import run_hub, scripted_engines
from mynah.testing.virtual_time import run_in_virtual_time
from mynah.timeline import now

HOUSE = {
    "speakers": {"sofa": {"area": "lounge"}, "window": {"area": "lounge"}, "bath": {"area": "upstairs"}, "lost": {}}
}
FRAME = LISTENING.pcm_bytes(20) // 2


def tone(level):
    return array("h", [level, -level] * (FRAME // 2)).tobytes()


QUIET, SOFT, LOUD = tone(0), tone(600), tone(6000)


class Room:
    """A speaker's session, what goes out of it, and when."""

    def __init__(self, hub, speaker, mode="open"):
        self.session = hub.open_session(SessionOptions(speaker=speaker))
        self.outputs, self.times = [], []
        self.task = asyncio.get_running_loop().create_task(self._read())
        self.mode = mode

    async def _read(self):
        async with aclosing(self.session.outputs(OutletOptions())) as outputs:
            async for output in outputs:
                self.outputs.append(output)
                self.times.append(now())

    async def hear(self, frame, *, after_ms=0, ms=600):
        """Hear somebody for a while, and then nobody."""
        self.session.listen(LISTENING, self.mode)
        for _ in range((300 + after_ms) // 20 if self.mode == "open" else 0):
            self.session.feed(QUIET)
            await asyncio.sleep(0.02)
        for _ in range(ms // 20):
            self.session.feed(frame)
            await asyncio.sleep(0.02)
        if self.mode != "open":
            self.session.end_listening()
            return
        for _ in range(50):
            self.session.feed(QUIET)
            await asyncio.sleep(0.02)

    def ends(self):
        return [type(output) for output in self.outputs if isinstance(output, LAST)]

    def of(self, kind):
        return [output for output in self.outputs if isinstance(output, kind)]


@pytest.fixture
def in_house(tmp_path):
    def run(scenario, *, listening=None, **engines):
        async def main():
            config = HOUSE | {"listening": listening or {}}
            async with run_hub(tmp_path, specs=scripted_engines(**engines), config=config) as hub:
                await scenario(hub)

        run_in_virtual_time(main())

    return run


async def both(hub, first, second, **second_more):
    """Two rooms of which both hear somebody; each (speaker, frame)."""
    rooms = [Room(hub, speaker, *mode) for speaker, _, *mode in (first, second)]
    await asyncio.sleep(0.01)
    await asyncio.gather(rooms[0].hear(first[1]), rooms[1].hear(second[1], **second_more))
    await asyncio.sleep(5)
    return rooms


@pytest.mark.parametrize("late_ms", [0, 100, 200])
def test_the_one_that_heard_it_best_answers_and_the_other_ends_silently(in_house, late_ms):
    async def scenario(hub):
        with hub.bus.subscribe(TurnStarted, name="test") as started:
            far, near = await both(hub, ("sofa", SOFT), ("window", LOUD), after_ms=late_ms)
        assert far.ends() == [TurnDropped]
        assert far.of(TurnDropped)[0].reason == HEARD_BETTER == "another speaker heard it better"
        assert not far.of(SpeechChunk)
        assert near.ends() == [TurnFinished]
        assert [event.session_id async for event in started] == [near.session.id]

    in_house(scenario)


def test_who_is_told_is_the_louder_of_two_whichever_began(in_house):
    async def scenario(hub):
        near, far = await both(hub, ("sofa", LOUD), ("window", SOFT), after_ms=100)
        assert (near.ends(), far.ends()) == ([TurnFinished], [TurnDropped])

    in_house(scenario)


@pytest.mark.parametrize(
    ("other", "why"), [(("bath", LOUD), "another area"), (("lost", LOUD), "no area")], ids=lambda case: str(case)[:12]
)
def test_speakers_that_do_not_share_an_area_both_answer(in_house, other, why):
    async def scenario(hub):
        rooms = await both(hub, ("sofa", SOFT), other)
        assert [room.ends() for room in rooms] == [[TurnFinished], [TurnFinished]], why

    in_house(scenario)


def test_what_is_heard_after_the_window_is_another_person(in_house):
    async def scenario(hub):
        rooms = await both(hub, ("sofa", SOFT), ("window", LOUD), after_ms=400)
        assert [room.ends() for room in rooms] == [[TurnFinished], [TurnFinished]]

    in_house(scenario)


def test_it_can_be_switched_off(in_house):
    async def scenario(hub):
        rooms = await both(hub, ("sofa", SOFT), ("window", LOUD))
        assert [room.ends() for room in rooms] == [[TurnFinished], [TurnFinished]]

    in_house(scenario, listening={"arbitration_ms": 0})


def test_buttons_take_part_only_where_that_is_configured(in_house):
    first, second = ("sofa", SOFT, "push_to_talk"), ("window", LOUD, "push_to_talk")

    async def each(hub):
        rooms = await both(hub, first, second)
        assert [room.ends() for room in rooms] == [[TurnFinished], [TurnFinished]]

    async def one(hub):
        rooms = await both(hub, first, second)
        assert [room.ends() for room in rooms] == [[TurnDropped], [TurnFinished]]

    in_house(each)
    in_house(one, listening={"arbitration_buttons": True})


@pytest.mark.parametrize("rival", [False, True])
def test_it_takes_time_only_where_another_microphone_is_open_and_the_utterance_is_shorter(in_house, rival):
    async def scenario(hub):
        room = Room(hub, "sofa", "push_to_talk")
        other = Room(hub, "window")
        await asyncio.sleep(0.01)
        if rival:
            other.session.listen(LISTENING, "open")
        began = now()
        await room.hear(LOUD, ms=100)
        await asyncio.sleep(5)
        first = room.times[room.outputs.index(room.of(SpeechChunk)[0])] - began
        assert first == pytest.approx(0.25 if rival else 0.1, abs=0.03)

    in_house(scenario, listening={"arbitration_buttons": True})


def test_an_utterance_that_is_longer_than_the_window_waits_for_nothing(in_house):
    async def scenario(hub):
        _, near = await both(hub, ("sofa", SOFT), ("window", LOUD))
        (transcribing,) = [output for output in near.of(StageStarted) if output.stage == "transcribing"]
        at = near.times[near.outputs.index(transcribing)]
        assert near.times[near.outputs.index(near.of(SpeechChunk)[0])] - at < 0.01

    in_house(scenario)


def test_the_one_that_gives_way_goes_on_with_the_reply_that_it_was_speaking(in_house):
    async def scenario(hub):
        far, near = Room(hub, "sofa"), Room(hub, "window")
        await asyncio.sleep(0.01)
        far.session.say("One two three four five six seven eight nine ten.")
        await asyncio.gather(far.hear(SOFT), near.hear(LOUD))
        await asyncio.sleep(5)
        assert not far.of(Interrupted)
        assert far.ends() == [TurnFinished, TurnDropped]

    in_house(scenario, tts=ScriptedTextToSpeech(0.05, 0.2, ms_per_word=500), llm=ScriptedLanguageModel(["Yes."]))


def test_the_levels_that_speakers_tell_go_before_what_the_hub_hears(in_house):
    async def scenario(hub):
        hub.note_wake("sofa", 20_000)
        hub.note_wake("window", 900)
        near, far = await both(hub, ("sofa", SOFT), ("window", LOUD))
        assert (near.ends(), far.ends()) == ([TurnFinished], [TurnDropped])

    in_house(scenario)


def test_a_level_that_only_one_tells_or_that_is_old_counts_for_nothing(in_house):
    async def scenario(hub):
        hub.note_wake("sofa", 20_000)
        far, near = await both(hub, ("sofa", SOFT), ("window", LOUD))
        assert (far.ends(), near.ends()) == ([TurnDropped], [TurnFinished])

    in_house(scenario)


def test_the_next_thing_that_is_said_is_decided_anew(in_house):
    async def scenario(hub):
        sofa, window = await both(hub, ("sofa", SOFT), ("window", LOUD))
        await asyncio.gather(sofa.hear(LOUD), window.hear(SOFT))
        await asyncio.sleep(5)
        assert sofa.ends() == [TurnDropped, TurnFinished]
        assert window.ends() == [TurnFinished, TurnDropped]

    in_house(scenario)


def test_a_sensitive_microphone_in_a_noisy_corner_does_not_win_by_its_noise():
    chance = random.Random(1)

    def heard(voice, noise):
        samples = [
            int(chance.gauss(0, noise) + (voice if number % 2 else -voice) * (number >= 4800)) for number in range(9600)
        ]
        utterance = Utterance(1 << 20)
        utterance.append(array("h", samples).tobytes())
        return heard_db(type("Said", (), {"utterance": utterance}))

    assert heard(3000, 100) > heard(6000, 900)
    assert heard(3000, 100) > heard(1500, 100)
