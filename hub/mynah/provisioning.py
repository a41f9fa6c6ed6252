"""What a new speaker needs: what its board is flashed with, and the code that tells it who it is (docs/firmware.md)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mynah.errors import InputError

TEXTS: Final = ("id", "hub", "broker", "token", "board", "base")


@dataclass(frozen=True, slots=True)
class Board:
    """What a board needs: MicroPython's image and where in the flash it goes, and what modules are compiled for."""

    image: str
    offset: str
    arch: str


BOARDS: Final[Mapping[str, Board]] = {
    "esp32": Board("ESP32_GENERIC", "0x1000", "xtensawin"),
    "esp32_vs1053": Board("ESP32_GENERIC", "0x1000", "xtensawin"),
    "esp32s3": Board("ESP32_GENERIC_S3", "0x0", "xtensawin"),
    "esp32c3": Board("ESP32_GENERIC_C3", "0x0", "rv32imc"),
}


def make_code(fields: Mapping[str, str]) -> str:
    """Return the code of what a speaker is told: `id`, `hub`, and what else there is of `TEXTS` and `key`."""
    return base64.b64encode(json.dumps(dict(fields), separators=(",", ":")).encode()).decode("ascii")


def read_code(code: str) -> dict[str, Any]:
    """Return a code as the settings of a speaker: texts, and `key` as bytes. Raises `InputError`."""
    try:
        found = json.loads(base64.b64decode("".join(code.split()), validate=True))
        settings: dict[str, Any] = {name: str(found[name]) for name in TEXTS if name in found}
        if "key" in found:
            settings["key"] = bytes.fromhex(found["key"])
    except (ValueError, TypeError, binascii.Error):
        raise InputError("this is not a code from `mynah speaker add`") from None
    if not settings.get("id") or not settings.get("hub"):
        raise InputError("the code names no speaker or no hub; make another with `mynah speaker add`")
    return settings
