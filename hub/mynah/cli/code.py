"""The code that tells a speaker who it is: text that is given to its set-up page (docs/firmware.md)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from mynah.errors import InputError

TEXTS: Final = ("id", "hub", "broker", "token", "board", "base")


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
