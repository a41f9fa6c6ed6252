"""Turns with drafts, tools and acknowledgements, interrupted and overtaken at moments that nobody planned."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace

import pytest

from mynah.audio import LISTENING
from mynah.outputs import LAST, Interrupted, PhraseReady, ReplyToken, TurnFailed, TurnFinished
from mynah.specs import ToolSpec
from mynah.testing.engines import Calls, ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech
from mynah.testing.hubs import SPARROW, scripted_engines
from mynah.values import Token, ToolCall

TOOL_CALL = ToolCall("1", "slow", {})


@dataclass
class Moody(ScriptedLanguageModel):
    """Is quick or slow, calls a tool or does not, as chance has it."""

    chance: random.Random | None = None

    async def reply(self, messages, *, grounding, tools=()):
        self.calls.begin()
        try:
            await asyncio.sleep(self.chance.choice([0.05, 0.2, 1.49, 1.5, 1.51, 2.5]))
            if messages[-1].role != "tool" or self.chance.random() < 0.3:
                if self.chance.random() < 0.5:
                    yield Token("One moment. ")
                if self.chance.random() < 0.6:
                    yield TOOL_CALL
                    return
            for token in ("Lions ", "eat ", "meat. ", "They sleep a lot."):
                await asyncio.sleep(0.02)
                yield Token(token)
        finally:
            self.calls.end()


@pytest.mark.parametrize("policy", ["interrupt", "queue", "concurrent"])
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_nothing_is_left_behind_and_every_turn_ends_once(in_room, policy, seed):
    chance = random.Random(f"{policy} {seed}")
    llm, tool = Moody(chance=chance), Calls()
    stt, tts = ScriptedSpeechToText(final_s=0.1), ScriptedTextToSpeech(0.05, 0.1, marks=True)

    async def slow(hub, session, arguments):
        tool.begin()
        try:
            await asyncio.sleep(chance.choice([0, 0.1, 0.5, 3]))
        finally:
            tool.end()

    async def scenario(room):
        session = room.session
        await asyncio.sleep(0.1)
        before = asyncio.all_tasks()
        turns = 0
        for _ in range(60):
            if chance.random() < 0.5:
                session.listen(LISTENING)
                await room.speak(chance.choice([200, 600, 1200]))
                session.end_listening()
            else:
                session.submit("what do lions eat")
            turns += 1
            await asyncio.sleep(chance.choice([chance.uniform(0, 0.5), chance.uniform(0, 6)]))
            if chance.random() < 0.4:
                session.interrupt("enough")
                told = len(room.outputs)
                await asyncio.sleep(0.01)
                assert all(isinstance(output, Interrupted) for output in room.outputs[told:])
                assert asyncio.all_tasks() - before == set()
                assert all(calls.begun == calls.ended for calls in (llm.calls, tool, stt.calls, tts.calls))
        await asyncio.sleep(100)
        assert asyncio.all_tasks() - before == set()
        assert all(calls.begun == calls.ended for calls in (llm.calls, tool, stt.calls, tts.calls))
        assert tool.begun
        for number in range(1, turns + 1):
            check(room, f"t{number}")

    def check(room, turn):
        phrases = room.of(PhraseReady, turn)
        assert [phrase.phrase for phrase in phrases] == list(range(1, len(phrases) + 1))
        assert not any(phrase.acknowledgement for phrase in phrases[1:])
        ends = [output for output in room.of(LAST, turn) if not isinstance(output, Interrupted)]
        assert len(ends) <= 1
        assert room.of(LAST, turn)
        if ends and isinstance(ends[0], TurnFinished):
            assert ends[0].reply == "".join(token.text for token in room.of(ReplyToken, turn))
            assert ends[0].phrases == sum(not phrase.acknowledgement for phrase in phrases)
            marks = ends[0].timeline.ms()
            if phrases and phrases[0].acknowledgement:
                assert marks["first_token"] >= 1500 or policy == "queue"
            assert ends[0].timeline.own_ms == pytest.approx(0, abs=3) or policy != "interrupt"
        else:
            assert not any(isinstance(end, TurnFailed) and "internal" in end.message for end in ends)

    talker = replace(SPARROW, tools=("slow",))
    specs = [spec for spec in scripted_engines(stt=stt, llm=llm, tts=tts) if spec is not SPARROW]
    in_room(
        scenario,
        specs=(*specs, talker, ToolSpec(name="slow", run=slow, timeout_s=2.0)),
        policy=policy,
        buffer_ms=300,
    )
