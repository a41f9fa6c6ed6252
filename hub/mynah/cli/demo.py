"""`mynah demo`: a hub, and a speaker that asks it a question over a real socket."""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from mynah.audio import LISTENING, AudioFormat, read_audio
from mynah.cli.ask import show_answer
from mynah.cli.prepare import Prepared, add_config_argument, prepare
from mynah.errors import MynahError
from mynah.hub import MynahHub
from mynah.loop import run_loop
from mynah.specs import CommandSpec
from mynah.testing.received import ReceivedTurn
from mynah.testing.speaker import FakeSpeaker

QUESTION: Final = Path(__file__).with_name("question.wav")
"""A question about red pandas, spoken by a synthetic voice."""

FRAME_MS: Final = 20.0
PLAYS: Final = AudioFormat("pcm_s16le", 22_050, 1)
ENGINES_WITHIN_S: Final = 120.0


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--audio", metavar="F", type=Path, default=QUESTION, help="another question, as an audio file")
    parser.add_argument("--out", metavar="reply.wav", type=Path, default=Path("reply.wav"), help="where the reply goes")
    add_config_argument(parser)


def _run(arguments: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    with tempfile.TemporaryDirectory(prefix="mynah-demo-") as folder:
        prepared = prepare(arguments.config, {"http": {"port": 0, "host": "127.0.0.1"}})
        if arguments.config is None:
            prepared.config.values["data"] = folder  # type: ignore[index]  # not yet given to a hub
        turn = run_loop(_demo(prepared, arguments.audio))
    if turn.outcome == "" or not turn.audio:
        raise MynahError("the hub gave no spoken reply; `mynah ask --audio` may tell why")
    try:
        arguments.out.write_bytes(turn.wav())
    except OSError as error:
        raise MynahError(f"the reply cannot be saved as {arguments.out} ({error.strerror})") from error
    show_answer(_report(turn, arguments.out))
    return 0


async def _demo(prepared: Prepared, question: Path) -> ReceivedTurn:
    console = Console(stderr=True)
    hub = MynahHub(prepared.config, prepared.plugins, prepared.personas)
    async with hub.running():
        url = hub.addresses.get("http")
        if url is None:
            raise MynahError("the hub does not listen; `mynah plugins` tells whether the http plugin is there")
        with console.status("Opening the engines …"):
            await hub.warm(ENGINES_WITHIN_S)
        console.print(f"The hub listens at {url}; a speaker connects and asks …", highlight=False)
        async with FakeSpeaker(url, plays=[PLAYS], buffer_ms=400) as speaker:
            return await speaker.ask_audio(_frames(question), real_time=True, timeout_s=120)


def _frames(question: Path) -> Iterator[bytes]:
    pcm = b"".join(chunk.data for chunk in read_audio(question, LISTENING))
    step = LISTENING.pcm_bytes(FRAME_MS)
    for start in range(0, len(pcm), step):
        yield pcm[start : start + step]


def _report(turn: ReceivedTurn, out: Path) -> Mapping[str, Any]:
    finished = turn.last("turn_finished")
    seconds = sum(PLAYS.pcm_ms(len(chunk.data)) for chunk in turn.audio) / 1000
    return {
        "transcript": turn.transcript,
        "reply": turn.reply,
        "audio": {"path": str(out), "seconds": seconds},
        "timeline": finished["timeline"],
    }


COMMAND = CommandSpec(name="demo", run=_run, arguments=_arguments, description="Hear one conversation, start to end.")
