"""Where the firmware of speakers lies."""

from __future__ import annotations

from pathlib import Path

from mynah.errors import MynahError


def firmware_folder() -> Path:
    """Return the folder `firmware`: the installed package's copy, or the checkout's. Raises `MynahError`."""
    packaged = Path(__file__).with_name("firmware_files")
    checkout = Path(__file__).parents[2] / "firmware"
    for folder in (packaged, checkout):
        if (folder / "pack.py").is_file():
            return folder
    raise MynahError("the firmware is missing from this installation; install Mynah anew")
