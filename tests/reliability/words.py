"""The language model and the recogniser that break: behind an OpenAI-compatible server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import mynah.cli
from counterparts import openai_server
from mynah import LISTENING
from mynah.audio import read_audio
from mynah.testing import FakeSpeaker, ReceivedTurn
from reliability.cells import SORRY, Cell
from reliability.hearing import spoken
from reliability.rig import SECRET, WAIT_S, Rig
from reliability.seen import Seen
from reliability.voices import openai_entry, openai_script

QUESTION: Final = "what do red pandas eat"
RECORDING: Final = Path(mynah.cli.__file__).with_name("question.wav")
REPLY: Final = ("Mostly ", "bamboo, ", "day ", "after ", "day. ", "They ", "also ", "like ", "some ", "fruit.")
AMID: Final = 7
"""Tokens after which it breaks in the middle: a sentence and the beginning of another."""


def question() -> list[bytes]:
    """Return the recorded question in pieces of 20 ms."""
    pcm = b"".join(chunk.data for chunk in read_audio(RECORDING, LISTENING))
    return [pcm[start : start + 640] for start in range(0, len(pcm), 640)]


class OpenAIRig(Rig):
    """Whatever is behind the server."""

    def __init__(self, *, standby: bool) -> None:
        super().__init__(standby=standby)
        self.server = openai_server.OpenAIServer(SECRET)

    @property
    def entry(self) -> Mapping[str, Any]:
        return openai_entry(self.server)

    @asynccontextmanager
    async def counterpart(self) -> AsyncIterator[None]:
        async with self.server:
            yield


class OpenAIModelRig(OpenAIRig):
    stage = "openai llm"
    plugins = ("openai", "facts", "zoo_guide")
    persona = "zoo_guide"

    async def ask(self, speaker: FakeSpeaker) -> ReceivedTurn:
        return await speaker.ask_text("What do red pandas eat?", timeout_s=WAIT_S)

    def mend(self) -> None:
        self.server.chat = openai_server.Script(tokens=REPLY)

    def spoil(self, cell: Cell) -> None:
        self.server.chat = openai_script(cell, AMID, tokens=REPLY)

    def judge(self, seen: Seen, turn: ReceivedTurn) -> None:
        said = " ".join(self.heard.texts).split()
        reply = "".join(REPLY).split()
        seen.expect(said == [word for phrase in turn.phrases for word in phrase.split()], f"said {said}")
        seen.expect(bool(spoken(turn)) is bool(said), "not all that was said was heard")
        if seen.end == "turn_failed":
            seen.heard = "its beginning, then the chime" if said else "the chime"
            seen.expect(said == reply[: len(said)], f"{said} is no beginning of the reply")
            return
        by = turn.last("turn_finished")["engines"]["llm"]
        seen.heard = f"all of it, by {by}"
        seen.expect(said == turn.reply.split(), f"said {said}")
        seen.expect((said == reply) is (by == self.engine), f"{by} said {said}")

    def recovered_at(self, turn: ReceivedTurn) -> float:
        return turn.first_audio_at or float("inf")


class HearingRig(Rig):
    """A recogniser; `partly` are the words that it gives before it breaks."""

    async def ask(self, speaker: FakeSpeaker) -> ReceivedTurn:
        return await speaker.ask_audio(question(), timeout_s=WAIT_S)

    def judge(self, seen: Seen, turn: ReceivedTurn) -> None:
        if seen.end == "turn_failed":
            seen.heard = "the chime"
            seen.expect(not turn.transcript, f"understood {turn.transcript!r}")
            return
        by = turn.last("turn_finished")["engines"]["stt"]
        outcome = turn.outcome
        seen.heard = f"the answer: understood by {by}" if outcome == "answered" else SORRY if turn.audio else "nothing"
        if outcome == "answered":
            seen.expect(turn.transcript == QUESTION, f"understood {turn.transcript!r}")
        seen.expect(len(turn.all("transcript")) == 1, "more than one transcript")

    def recovered_at(self, turn: ReceivedTurn) -> float:
        return turn.all("transcript")[0].at


class OpenAIHearingRig(OpenAIRig, HearingRig):
    stage = "openai stt"
    plugins = ("openai", "pocketsphinx", "zoo_guide")
    persona = "zoo_guide"

    def mend(self) -> None:
        self.server.transcriptions = openai_server.Script(tokens=list(QUESTION))

    def spoil(self, cell: Cell) -> None:
        self.server.transcriptions = openai_script(cell, 8, tokens=list(QUESTION))
