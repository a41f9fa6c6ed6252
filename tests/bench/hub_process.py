"""A hub in a process of its own, as users run it."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

PLUGINS = Path(__file__).with_name("plugins")


def scripted_config(**times: dict[str, Any]) -> dict[str, Any]:
    """A configuration on scripted engines; `llm={...}` and so on give their times."""
    return {
        "plugins": {"folder": str(PLUGINS)},
        "persona": "sparrow",
        "engines": {kind: [{"engine": f"script_{kind}", **times.get(kind, {})}] for kind in ("stt", "llm", "tts")},
        "sessions": {"max": 500},
    }


@dataclass(frozen=True)
class HubProcess:
    url: str
    pid: int
    ready_s: float

    def resident_mb(self) -> float:
        """Resident memory of the hub itself, in megabytes."""
        return _resident_kb(self.pid) / 1024

    def workers_mb(self) -> float:
        """Resident memory of its worker processes."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return sum(_resident_kb(int(child)) for child in children) / 1024


def _resident_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


@asynccontextmanager
async def hub_process(folder: Path, config: dict[str, Any]) -> AsyncIterator[HubProcess]:
    """Start `mynah run` and wait until it is healthy."""
    file = folder / "config.yaml"
    file.write_text(json.dumps({"log": {"level": "warning"}, **config}))
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mynah.cli.main", "run", "-c", str(file), "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
            url = line.rsplit(" ", 1)[1].strip()
            async with aiohttp.ClientSession() as client:
                while (await (await client.get(f"{url}/health")).json())["status"] != "healthy":  # noqa: ASYNC110  # over HTTP
                    await asyncio.sleep(0.01)
        yield HubProcess(url, process.pid, time.monotonic() - began)
    finally:
        process.terminate()
        await process.wait()
