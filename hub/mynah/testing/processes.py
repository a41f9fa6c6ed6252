"""A hub in a process of its own, as people run it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from mynah.errors import MynahError

READY_S: Final = 60.0
STOP_S: Final = 15.0
LOOK_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class HubProcess:
    """A running hub: where it listens, its process, its data, and how long it took to be healthy."""

    url: str
    pid: int
    data: Path
    healthy_s: float

    def resident_mb(self) -> float:
        """Return the resident memory of the hub itself, in megabytes; 0 where the system does not tell."""
        return _resident_kb(self.pid) / 1024

    def workers_mb(self) -> float:
        """Return the resident memory of its worker processes, in megabytes; 0 where the system does not tell."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        found = children.read_text().split() if children.exists() else ()
        return sum(_resident_kb(int(child)) for child in found) / 1024


@asynccontextmanager
async def hub_process(
    folder: Path, config: Mapping[str, Any] | Path, *, port: int = 0, ready_s: float = READY_S
) -> AsyncIterator[HubProcess]:
    """Run `mynah run` on `port`, by default a free one, until it is healthy, and stop it afterwards.

    `config` is what a configuration file would hold, and the hub's data is then kept in `folder`; or it is such a file.
    Raises `MynahError` with what the hub said where it does not start.
    """
    file = config if isinstance(config, Path) else folder / "config.yaml"
    if not isinstance(config, Path):
        # JSON is YAML.
        file.write_text(json.dumps({"log": {"level": "warning"}, **config}), encoding="utf-8")
    log = folder / "hub.log"
    began = time.monotonic()
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "mynah.cli.main", "run", "-c", str(file), "--port", str(port),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=errors,
        )  # fmt: skip
    try:
        url = await _healthy(process, log, ready_s)
        yield HubProcess(url, process.pid, file.parent / "data", time.monotonic() - began)
    finally:
        await _stop(process)


async def _healthy(process: asyncio.subprocess.Process, log: Path, within_s: float) -> str:
    try:
        async with asyncio.timeout(within_s):
            url = await _address(process, log)
            async with aiohttp.ClientSession() as client:
                while await _status(client, url) != "healthy":
                    if process.returncode is not None:
                        raise MynahError(f"the hub ended as it started: {_last_words(log)}")
                    await asyncio.sleep(LOOK_S)
            return url
    except TimeoutError:
        raise MynahError(f"the hub was not healthy within {within_s:g} s: {_last_words(log)}") from None


async def _address(process: asyncio.subprocess.Process, log: Path) -> str:
    if process.stdout is None:
        raise MynahError("the hub has no output")
    while line := (await process.stdout.readline()).decode():
        if line.startswith("Mynah listens: http at "):
            return line.rsplit(" ", 1)[1].strip()
    await process.wait()
    raise MynahError(f"the hub did not start: {_last_words(log)}")


async def _status(client: aiohttp.ClientSession, url: str) -> str:
    async with client.get(f"{url}/health") as answer:
        return str((await answer.json())["status"])


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.communicate()  # to the end of its output, so that the pipe is closed too
    except TimeoutError:
        process.kill()
        await process.communicate()


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].removeprefix("mynah: ") if lines else "it said nothing"


def _resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0
