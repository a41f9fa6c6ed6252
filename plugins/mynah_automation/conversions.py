"""What templates make of values: numbers, durations and texts."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import Any, Final

import voluptuous as vol

from mynah import DURATION
from mynah_automation.sandbox import TooMuch

MISSING: Final = object()


def as_float(value: Any, default: Any = MISSING) -> Any:
    """Return `value` as a number, or `default` where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError):
        if default is MISSING:
            raise ValueError(f"{str(value)[:40]!r} is no number, and there is no default") from None
        return default


def as_int(value: Any, default: Any = MISSING) -> Any:
    """Return `value` as a whole number, or `default` where it is none."""
    number = as_float(value, default)
    return int(number) if isinstance(number, int | float) and math.isfinite(number) else number


def is_number(value: Any) -> bool:
    """Whether `value` can be read as a number."""
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def rounded(value: Any, precision: int = 0, method: str = "common", default: Any = MISSING) -> Any:
    """Return a number rounded: `common`, `ceil`, `floor` or `half`."""
    number = as_float(value, default)
    if not isinstance(number, int | float) or not -15 <= precision <= 15:
        return number
    scale = 10.0**precision
    ways = {"ceil": lambda: math.ceil(number * scale) / scale, "floor": lambda: math.floor(number * scale) / scale,
            "half": lambda: round(number * 2) / 2}  # fmt: skip
    found = ways.get(method, lambda: round(number, precision))()
    return int(found) if precision <= 0 and method != "half" else found


def iif(value: Any, yes: Any = True, no: Any = False, none: Any = MISSING) -> Any:
    """Return `yes` where `value` is true, else `no`; of None `none`, where that is given."""
    if value is None and none is not MISSING:
        return none
    return yes if value else no


def as_timedelta(value: Any) -> timedelta:
    """Return the duration that `00:10:00`, seconds or a mapping of parts name. Raises `ValueError`."""
    try:
        return timedelta(seconds=DURATION(value))
    except vol.Invalid as error:
        raise ValueError(str(error)) from None


def slugify(value: Any) -> str:
    """Return a text as it may stand in the name of an entity."""
    return re.sub(r"[^a-z0-9]+", "_", str(value).lower()).strip("_")


def formatted(text: Any, *values: Any) -> str:
    """Return `'%.1f' | format(3.14)`. Raises `TooMuch` for widths of three figures and more."""
    if re.search(r"\d{3}|\*", str(text)):
        raise TooMuch("a format with a width of more than two figures")
    return str(text) % values
