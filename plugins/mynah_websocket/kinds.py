"""What the fields of messages may carry."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from mynah import AudioError, AudioFormat
from mynah.audio import CODECS
from mynah.sockets import shown
from mynah_websocket.schema import Kind, Misfit, dump, parse

T = TypeVar("T")
LARGEST: Final = 1e15
"""Numbers beyond this are mistakes; milliseconds since 1970 are far below."""
LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}")
FORMAT_FIELDS: Final = ("codec", "rate", "channels")


def _wrong(words: str, value: Any) -> Misfit:
    return Misfit(f"must be {words}, not {shown(value)}")


def text(limit: int, *, blank: bool = False) -> Kind[str]:
    """Return text of up to `limit` characters; only with `blank` may it be empty."""
    words = f"text of up to {limit:,} characters"

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise _wrong(words, value)
        if len(value) > limit:
            raise Misfit(f"must be {words}, not of {len(value):,}")
        if not blank and not value.strip():
            raise Misfit("is empty")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise Misfit("is not valid Unicode: it holds half of a surrogate pair")
        return value

    return Kind(words, read)


def number(least: float | None = None, *, words: str = "", places: int | None = 1) -> Kind[float]:
    """Return a finite number from `least` on, written with `places` decimals (None: as it is)."""
    words = words or ("a number" if least is None else f"a number from {least:g}")

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise _wrong(words, value)
        if abs(value) > LARGEST or (least is not None and value < least):
            raise _wrong(words, value)
        return value

    def write(value: float) -> float:
        return value if places is None else round(value, places or None) + 0  # no negative zero

    return Kind(words, read, write)


def whole(least: int, most: int | None = None) -> Kind[int]:
    """Return a whole number within bounds."""
    words = f"a whole number from {least}" + (f" to {most}" if most is not None else "")
    if least == most:
        words = f"the number {least}"

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong(words, value)
        if value < least or value > (LARGEST if most is None else most):
            raise _wrong(words, value)
        return value

    return Kind(words, read)


def choice(*options: str) -> Kind[Any]:
    """Return one of a few words."""
    words = " or ".join(f"`{option}`" for option in options)

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in options:
            raise Misfit(f"must be {' or '.join(options)}, not {shown(value)}")
        return value

    return Kind(words, read)


def several(kind: Kind[T], limit: int, words: str) -> Kind[tuple[T, ...]]:
    """Return a list of up to `limit` of a kind."""
    words = f"a list of up to {limit} {words}"

    def read(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list) or len(value) > limit:
            raise _wrong(words, value)
        return tuple(_each(kind, str(index), item) for index, item in enumerate(value))

    return Kind(words, read, lambda items: [kind.write(item) for item in items])


def by_name(kind: Kind[T], limit: int, words: str) -> Kind[Mapping[str, T]]:
    """Return an object of up to `limit` entries, each of a kind."""
    words = f"an object of {words}"

    def read(value: Any) -> Mapping[str, T]:
        if not isinstance(value, dict):
            raise _wrong(words, value)
        if len(value) > limit:
            raise Misfit(f"has {len(value)} entries; {limit} are allowed")
        return {NAME.read(key): _each(kind, key, item) for key, item in value.items()}

    return Kind(words, read, lambda items: {key: kind.write(item) for key, item in items.items()})


def record(cls: type[T], words: str) -> Kind[T]:
    """Return an object with declared fields."""

    def read(value: Any) -> T:
        if not isinstance(value, dict):
            raise _wrong(words, value)
        return parse(cls, value)

    return Kind(words, read, dump)


def _each(kind: Kind[T], step: str, value: Any) -> T:
    try:
        return kind.read(value)
    except Misfit as wrong:
        raise wrong.within(step[:64]) from None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong("true or false", value)
    return value


def _language(value: Any) -> str:
    if not isinstance(value, str) or not LANGUAGE_TAG.fullmatch(value):
        raise _wrong("a language tag such as en or pt-BR", value)
    return value


def _echo(value: Any) -> str | float:
    read: Callable[[Any], str | float] = text(64, blank=True).read if isinstance(value, str) else number().read
    return read(value)


def _audio_format(value: Any) -> AudioFormat:
    if not isinstance(value, dict):
        raise _wrong("an audio format such as {codec, rate, channels}", value)
    for name in value:
        if name not in FORMAT_FIELDS:
            raise Misfit(f"an audio format has no field {shown(name)}; it has {', '.join(FORMAT_FIELDS)}")
    if "codec" not in value:
        raise Misfit(f"is missing; it must be one of {', '.join(CODECS)}", ("codec",))
    codec = _each(choice(*CODECS), "codec", value["codec"])
    rate, channels = (
        _each(whole(1), name, value.get(name, usual)) for name, usual in (("rate", 16_000), ("channels", 1))
    )
    try:
        return AudioFormat(codec, rate, channels)
    except AudioError as error:
        raise Misfit(str(error)) from None


NAME: Final = text(64)
LONG: Final = text(1_000_000, blank=True)
"""The hub's own texts, which it bounds elsewhere."""
LANGUAGE: Final = Kind("a language tag", _language)
FLAG: Final = Kind("true or false", _flag)
ECHO: Final = Kind("text or a number", _echo)
MS: Final = number(0, words="milliseconds")
CLOCK: Final = number(words="whole milliseconds of the hub's clock", places=0)
FRACTION: Final = number(0, words="a number from 0 to 1", places=3)
COUNT: Final = whole(0)
AUDIO_FORMAT: Final = Kind(
    "an audio format",
    _audio_format,
    lambda value: {"codec": value.codec, "rate": value.rate, "channels": value.channels},
)
