"""`mynah speaker simulate`: a speaker without hardware."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mynah.audio import LISTENING, read_audio, wav_header
from mynah.cli.prepare import prepare
from mynah.cli.running import add_hub_arguments, running_hub
from mynah.errors import InputError, MynahError
from mynah.firmware import compile_firmware
from mynah.loop import run_loop
from mynah.provisioning import read_code
from mynah.registry import is_name
from mynah.testing.file_speaker import FileSpeaker
from mynah.testing.simulated import HEAP, RESTARTS, SimulatedSpeaker, why_not
from mynah.testing.stand_in import WITHOUT_MQTT, StandInSpeaker

CONNECTED_S: Final = 30.0
REPLY_S: Final = 180.0
WAITING: Final = 16
HELP: Final = "Type press, release, ask FILE or quit."


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a simulated speaker may be told."""
    parser.add_argument("id", metavar="ID", nargs="?", help="what it is called (default: simulated)")
    parser.add_argument("--code", help="be the speaker of a code that `mynah speaker add` printed")
    parser.add_argument("--ask", metavar="FILE", type=Path, help="ask this recording, play the reply, and end")
    parser.add_argument("--out", metavar="F.wav", type=Path, help="save what its loudspeaker played here, at its end")
    parser.add_argument("--folder", metavar="DIR", type=Path, help="its flash (else simulated/ID in the data folder)")
    parser.add_argument("--renew", action="store_true", help="take over an id that has a token, which is void then")
    parser.add_argument("--python", action="store_true", help="do not run the firmware, but the speaker in Python")
    add_hub_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run a speaker until it is told to stop."""
    settings = read_code(arguments.code) if arguments.code else {"id": arguments.id or "simulated"}
    if arguments.code and arguments.id not in (None, settings["id"]):
        raise InputError(f"the code is that of {settings['id']}, not of {arguments.id}")
    if not is_name(settings["id"]):
        raise InputError(f"ids have only small letters, digits, '_' and '-' (64 at most), not {settings['id']!r}")
    folder = arguments.folder or Path(prepare(arguments.config).config.values["data"]) / "simulated" / settings["id"]
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # its token lies there
    except OSError as error:
        raise MynahError(f"{folder} cannot be made ({error.strerror}); give another --folder") from error
    if arguments.ask is not None:
        microphone_file(arguments.ask, folder)  # a mistake is told before anything starts
    if not arguments.code:
        settings = _introduce(arguments, settings["id"], folder)
    return run_loop(Simulation(folder.resolve(), settings, arguments).run())


def _introduce(arguments: argparse.Namespace, id: str, folder: Path) -> dict[str, Any]:
    """Have the hub make a token for the speaker; one that it has is replaced only where it is this speaker's."""
    renew = arguments.renew or (folder / "nvs.json").exists()
    told = running_hub(arguments).post("speakers", body={"id": id, "renew": renew})
    return read_code(told["code"])


def microphone_file(recording: Path, folder: Path) -> Path:
    """Make what the microphone can hear, 16 kHz mono, of a recording in any format. Raises `MynahError`."""
    pcm = b"".join(chunk.data for chunk in read_audio(recording.expanduser(), LISTENING))
    file = folder / "microphone.wav"
    file.write_bytes(wav_header(LISTENING, len(pcm)) + pcm)
    return file


class Simulation:
    """A speaker that runs, what is typed for it, and what is shown of it."""

    def __init__(self, folder: Path, settings: Mapping[str, Any], arguments: argparse.Namespace) -> None:
        self._folder = folder
        self._settings = settings
        self._ask_file: Path | None = arguments.ask
        self._out: Path | None = arguments.out
        self._reason = "as you wished" if arguments.python else why_not()
        self._shown: dict[str, Any] = {"phase": "idle", "hub": False, "broker": None, "underruns": 0}
        self._typed: asyncio.Queue[str] = asyncio.Queue(WAITING)
        self._stop = asyncio.Event()

    async def run(self) -> int:
        """Run it until it is told to stop; return the exit status."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, self._stop.set)
        if self._ask_file is None:
            threading.Thread(target=self._read_typed, args=(loop,), name="standard input", daemon=True).start()
        with tempfile.TemporaryDirectory(prefix="mynah-firmware-") as build:
            if not self._reason:
                await compile_firmware(Path(build), "x64")
            self._introduce()
            while await self._power_on(Path(build)):
                print("it starts anew", flush=True)
        if self._out is not None:
            self._save(self._out)
        return 0

    def _introduce(self) -> None:
        id = self._settings["id"]
        if self._reason:
            print(f"{id}: a speaker in Python, not the firmware ({self._reason}): {WITHOUT_MQTT}.")
        else:
            print(f"{id}: the firmware on MicroPython, with a heap of {HEAP}.")
        print(f"Its loudspeaker fills {self._folder / 'loudspeaker.wav'}")
        print(HELP if self._ask_file is None else f"It asks {self._ask_file} …", flush=True)

    def _speaker(self, build: Path) -> SimulatedSpeaker | StandInSpeaker:
        if self._reason:
            return StandInSpeaker(self._folder, told=self._show, **self._settings)
        return SimulatedSpeaker(self._folder, build, told=self._show, **self._settings)

    async def _power_on(self, build: Path) -> bool:
        """Run it once; return whether it is to be started again."""
        async with self._speaker(build) as speaker:
            await speaker.tell("watch")
            ended = asyncio.create_task(speaker.ended(float("inf")), name="its end")
            over = [asyncio.create_task(work, name="simulation") for work in (self._stop.wait(), self._use(speaker))]
            try:
                await asyncio.wait({ended, *over}, return_when=asyncio.FIRST_COMPLETED)
                if not ended.done():
                    if over[1].done():
                        over[1].result()
                    await speaker.quit()
                    return False
                if (status := ended.result()) not in (0, RESTARTS):
                    raise MynahError(f"the firmware ended with {status}; its last words are above")
                return status == RESTARTS
            finally:
                for task in (ended, *over):
                    task.cancel()
                await asyncio.gather(ended, *over, return_exceptions=True)

    async def _use(self, speaker: FileSpeaker) -> None:
        """Do what was asked for on the command line, or is typed; returns when that is all."""
        if self._ask_file is not None:
            await self._wait(speaker.connected(CONNECTED_S), "the hub did not let it in")
            await self._ask(speaker, self._ask_file)
            await self._wait(speaker.played(REPLY_S), "there was no reply")
            return
        while (line := (await self._typed.get()).strip()) != "quit":
            word, _, rest = line.partition(" ")
            if word == "ask" and rest:
                try:
                    await self._ask(speaker, Path(rest))
                except MynahError as error:
                    print(error, flush=True)
            elif word in ("press", "release"):
                await speaker.tell(word)
            elif word:
                print(HELP, flush=True)

    async def _ask(self, speaker: FileSpeaker, recording: Path) -> None:
        await speaker.tell(f"ask {await asyncio.to_thread(microphone_file, recording, self._folder)}")

    async def _wait(self, waiting: Any, what: str) -> None:
        try:
            await waiting
        except TimeoutError:
            raise MynahError(f"{what}; what it said is above") from None

    def _show(self, told: str | Mapping[str, Any]) -> None:
        if isinstance(told, str):
            print(f"  {told.lstrip('0123456789 ')}", flush=True)
            return
        for name in ("hub", "broker"):
            if told[name] != self._shown[name] and (told[name] or self._shown[name]):
                print(f"{name}: {'connected' if told[name] else 'lost'}", flush=True)
        if told["underruns"] > self._shown["underruns"]:
            print(f"underruns: {told['underruns']}", flush=True)
        if told["phase"] != self._shown["phase"]:
            print(f"it is {told['phase']}", flush=True)
        self._shown = dict(told)

    def _read_typed(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take what is typed, in a thread; the end of a terminal's input is the end of the speaker."""
        try:
            number = sys.stdin.fileno()
            rest = b""
            while data := os.read(number, 4096):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    asyncio.run_coroutine_threadsafe(self._typed.put(line.decode(errors="replace")), loop).result()
            if os.isatty(number):
                loop.call_soon_threadsafe(self._stop.set)
        except (OSError, ValueError, RuntimeError, AttributeError):
            return  # there is no standard input, or nobody wants it any more

    def _save(self, out: Path) -> None:
        try:
            shutil.copyfile(self._folder / "loudspeaker.wav", out)
        except OSError as error:
            raise MynahError(f"what it played cannot be saved as {out} ({error.strerror})") from error
        print(f"saved {out}")
