"""What comes in, checked: a JSON object's fields, and audio written as text. Errors say which field is wrong."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from mynah import InputError
from mynah.sockets import json_object, shown

LARGEST_AUDIO: Final = 1024 * 1024
FRAME_CHARS: Final = 2 * LARGEST_AUDIO + 64 * 1024
"""A longer frame holds more than 1 MiB of audio, even as hex, or what is none of a dialect's; it is not read."""

TEXT_CHARS: Final = 100_000
"""Texts are bounded much lower, by the hub's configuration."""

NAME_CHARS: Final = 256


class Malformed(InputError):
    """A frame that is none of the dialect's."""


class Fields:
    """The fields of a JSON object. Null is the same as absence."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data

    def __contains__(self, name: str) -> bool:
        return self._data.get(name) is not None

    def text(self, name: str, default: str | None = None, *, limit: int = NAME_CHARS, blank: bool = False) -> str:
        """Return a text; one that is not there, or only with `blank` an empty one, is `default`, or an error."""
        if name not in self and default is not None:
            return default
        value = self._data.get(name)
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        if len(value) > limit:
            raise Malformed(f"`{name}` has {len(value):,} characters; {limit:,} are allowed")
        if not blank and not value.strip():
            raise Malformed(f"`{name}` is empty")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise Malformed(f"`{name}` is not valid Unicode: it holds half of a surrogate pair")
        return value

    def one_of(self, name: str, known: tuple[str, ...], default: str | None = None) -> str:
        """Return one of a few words."""
        value = self._data.get(name, default)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or value not in known:
            raise self._wrong(name, " or ".join(known))
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._data.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def whole(self, name: str, default: int) -> int:
        """Return a whole number, from 0 on."""
        value = self._data.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
            raise self._wrong(name, "a whole number")
        return value

    def number(self, name: str, default: float) -> float:
        """Return a finite number."""
        value = self._data.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not -(2**53) < value < 2**53:
            raise self._wrong(name, "a number")
        if not math.isfinite(value):
            raise self._wrong(name, "a number")
        return float(value)

    def object(self, name: str) -> Fields:
        """Return an object."""
        value = self._data.get(name)
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return Fields(value)

    def base64(self, name: str) -> bytes:
        """Return audio that is written in base64."""
        return self._audio(name, "base64", 3 / 4, _from_base64)

    def hex(self, name: str) -> bytes:
        """Return audio that is written in hexadecimal."""
        return self._audio(name, "hex", 1 / 2, binascii.unhexlify)

    def _audio(self, name: str, what: str, share: float, decode: Callable[[str], bytes]) -> bytes:
        value = self._data.get(name)
        if not isinstance(value, str):
            raise self._wrong(name, f"audio in {what}")
        if len(value) * share > LARGEST_AUDIO + 3:
            raise Malformed(f"`{name}` holds more than 1 MiB of audio")
        try:
            data = decode(value)
        except ValueError as error:  # binascii.Error is one; a character that is not ASCII another
            raise Malformed(f"`{name}` is not {what}: {error}") from None
        if len(data) > LARGEST_AUDIO:
            raise Malformed(f"`{name}` holds more than 1 MiB of audio")
        return data

    def _wrong(self, name: str, words: str) -> Malformed:
        if name not in self:
            return Malformed(f"`{name}` is missing; it must be {words}")
        return Malformed(f"`{name}` must be {words}, not {shown(self._data[name])}")


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def read_frame(frame: str | bytes) -> dict[str, Any]:
    """Read a frame as a JSON object. Raises `Malformed`."""
    if isinstance(frame, bytes):
        raise Malformed("a binary frame came; messages are JSON in text frames")
    try:
        return json_object(frame, FRAME_CHARS)
    except InputError as error:
        raise Malformed(str(error)) from None
