"""`mynah demo`: a hub, and a speaker without hardware that asks it a question and answers aloud."""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from mynah.audio import LISTENING
from mynah.bus import EventSubscription
from mynah.cli.ask import show_answer
from mynah.cli.prepare import Prepared, add_config_argument, prepare
from mynah.cli.simulate import microphone_file
from mynah.errors import MynahError
from mynah.events import Heard, Replied
from mynah.firmware import compile_firmware
from mynah.hub import MynahHub
from mynah.loop import run_loop
from mynah.specs import CommandSpec
from mynah.testing.file_speaker import FileSpeaker
from mynah.testing.simulated import HEAP, SimulatedSpeaker, websocket_url, why_not
from mynah.testing.stand_in import StandInSpeaker

QUESTION: Final = Path(__file__).with_name("question.wav")
"""A question about red pandas, spoken by a synthetic voice, with the faint noise that every room has."""

SPEAKER: Final = "demo_speaker"
ENGINES_WITHIN_S: Final = 120.0
THERE_WITHIN_S: Final = 30.0
REPLY_WITHIN_S: Final = 180.0
LOOK_S: Final = 0.05


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--audio", metavar="F", type=Path, default=QUESTION, help="another question, as an audio file")
    parser.add_argument("--out", metavar="reply.wav", type=Path, default=Path("reply.wav"), help="where the reply goes")
    parser.add_argument(
        "--python", action="store_true", help="with a speaker in Python, not one that runs the firmware"
    )
    add_config_argument(parser)


def _run(arguments: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    with tempfile.TemporaryDirectory(prefix="mynah-demo-") as folder:
        prepared = prepare(arguments.config, {"http": {"port": 0, "host": "127.0.0.1"}})
        if arguments.config is None:
            prepared.config.values["data"] = str(Path(folder) / "data")  # type: ignore[index]  # not yet given to a hub
        _free_port(prepared)
        instead = "as you wished" if arguments.python else why_not()
        report = run_loop(_demo(prepared, arguments.audio, Path(folder), instead))
        try:
            shutil.copyfile(Path(folder) / "loudspeaker.wav", arguments.out)
        except OSError as error:
            raise MynahError(f"the reply cannot be saved as {arguments.out} ({error.strerror})") from error
    show_answer({**report, "audio": {**report["audio"], "path": str(arguments.out)}})
    return 0


def _free_port(prepared: Prepared) -> None:
    """Keep the embedded broker out of the way of another hub's."""
    mqtt = prepared.config.values.get("mqtt")
    if mqtt is not None and mqtt["broker"] == "embedded":
        mqtt["embedded"] = {**mqtt["embedded"], "host": "127.0.0.1", "port": 0}


async def _demo(prepared: Prepared, question: Path, folder: Path, instead: str) -> Mapping[str, Any]:
    console = Console(stderr=True, highlight=False)
    hub = MynahHub(prepared.config, prepared.plugins, prepared.personas)
    async with hub.running():
        if "http" not in hub.addresses:
            raise MynahError("the hub does not listen; `mynah plugins` tells whether the http plugin is there")
        with console.status("Opening the engines …"):
            await hub.warm(ENGINES_WITHIN_S)
        places = " and ".join(hub.addresses[name] for name in ("http", "mqtt") if name in hub.addresses)
        console.print(f"The hub listens at {places}.")
        try:
            return await converse(hub, question, folder, console, instead=instead)
        finally:
            with suppress(MynahError):
                hub.forget_speaker(SPEAKER)


async def converse(
    hub: MynahHub, question: Path, folder: Path, console: Console, *, instead: str = "", url: str | None = None
) -> Mapping[str, Any]:
    """Have a speaker in `folder` ask a question aloud and answer it aloud; return a report for `show_answer`.

    `instead` says why it shall not run the firmware; `url` is where it finds the hub, if not where that says. Raises
    `MynahError`.
    """
    secrets = hub.add_speaker(SPEAKER, {"name": "The speaker of the demo"}, renew=True)
    settings: dict[str, Any] = {"id": SPEAKER, "hub": websocket_url(url or hub.addresses["http"])}
    settings |= {"token": secrets.token, "key": secrets.key}
    if broker := hub.addresses.get("mqtt"):
        settings |= {"broker": broker, "base": hub.config["mqtt"]["base"]}
    microphone = await asyncio.to_thread(microphone_file, question, folder)
    with tempfile.TemporaryDirectory(prefix="mynah-firmware-") as build:
        if not instead:
            await compile_firmware(Path(build), "x64")
        made = StandInSpeaker(folder, **settings) if instead else SimulatedSpeaker(folder, Path(build), **settings)
        async with made as speaker:
            try:
                await _arrived(hub, speaker, console, instead, over_mqtt=bool(broker and not instead))
                with (
                    hub.bus.subscribe(Heard, name="demo: heard") as heard,
                    hub.bus.subscribe(Replied, name="demo: replied") as replied,
                ):
                    console.print(f"It is asked by {question.name}, and answers aloud …")
                    await speaker.tell(f"ask {microphone}")
                    last = await speaker.played(REPLY_WITHIN_S)
                    await speaker.quit()
            except TimeoutError:
                raise MynahError("there was no spoken reply; `mynah ask --audio` may tell why") from None
        return await _report(heard, replied, speaker, last)


async def _arrived(hub: MynahHub, speaker: FileSpeaker, console: Console, instead: str, *, over_mqtt: bool) -> None:
    """Wait until the speaker is there, and say what it is."""
    if instead:
        console.print(f"A speaker in Python connects, not the firmware ({instead}).")
    else:
        console.print(f"A speaker that runs the firmware on MicroPython, with a heap of {HEAP}, starts …")
    await speaker.connected(THERE_WITHIN_S)
    if not over_mqtt:
        return
    async with asyncio.timeout(THERE_WITHIN_S):
        while not (row := next(row for row in hub.speakers() if row["id"] == SPEAKER))["firmware"]:  # noqa: ASYNC110  # no event tells of it
            await asyncio.sleep(LOOK_S)
    console.print(f"It is registered over MQTT: firmware {row['firmware']}, plays {', '.join(row['formats'])}.")


async def _report(
    heard: EventSubscription[Heard], replied: EventSubscription[Replied], speaker: FileSpeaker, last: Mapping[str, Any]
) -> Mapping[str, Any]:
    # Both subscriptions have ended, so that these are all that came.
    words, replies = [event async for event in heard], [event async for event in replied]
    if not replies:
        raise MynahError("there was no reply; `mynah ask --audio` may tell why")
    sound = await asyncio.to_thread(speaker.sound)
    return {
        "transcript": words[0].text if words else None,
        "reply": replies[0].text,
        "audio": {"path": str(speaker.wav), "seconds": LISTENING.pcm_ms(len(sound)) / 1000},
        "underruns": last["underruns"],
        "timeline": replies[0].timeline,
    }


COMMAND = CommandSpec(name="demo", run=_run, arguments=_arguments, description="Hear one conversation, start to end.")
