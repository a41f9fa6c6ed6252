"""Times of day: read from normal text, and said in each language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Half = Literal["", "am", "pm"]

_TIMES: Final[Mapping[str, str]] = {
    "en": (
        r"(?:(?P<noon>noon)|(?P<midnight>midnight)|(?:(?P<rel>half past|quarter past|quarter to) )?(?P<h>\d{1,2})"
        r"(?:[:.](?P<m>\d\d)| (?P<m2>[1-5]\d))?(?: o clock)?"
        r"(?: ?(?P<half>am|pm|in morning|in afternoon|in evening|at night))?)"
    ),
    "es": (
        r"(?:(?P<noon>mediodia)|(?P<midnight>medianoche)|(?P<h>\d{1,2})(?:[:.](?P<m>\d\d)| y (?P<m2>\d\d)"
        r"| (?P<rel>y media|y cuarto|menos cuarto))?(?: horas?)?(?: en punto)?(?: de (?P<half>manana|tarde|noche))?)"
    ),
    "de": (
        r"(?:(?P<noon>12 uhr mittags|mittag)|(?P<midnight>mitternacht)|(?:(?P<rel>halb|viertel nach|viertel vor) )?"
        r"(?P<h>\d{1,2})(?:[:.](?P<m>\d\d))?(?: uhr)?(?: (?P<m2>\d\d))?"
        r"(?: (?P<half>morgens|vormittags|nachmittags|abends|nachts))?)"
    ),
    "fr": (
        r"(?:(?P<noon>midi)|(?P<midnight>minuit)|(?P<h>\d{1,2})(?:[:.](?P<m>\d\d)| ?h(?:eures?)?(?: ?(?P<m2>\d\d)"
        r"| (?P<rel>et demie|et quart|moins quart))?)?(?: (?P<half>du matin|de apres midi|du soir))?)"
    ),
    "zh": (
        r"(?:(?P<noon>中午12点|正午)|(?P<midnight>午夜|半夜12点)|(?P<half>上午|早上|下午|晚上)?(?P<h>\d{1,2})"
        r"(?:[:.](?P<m>\d\d)|点(?:钟|整)?(?:(?P<m2>\d{1,2})分?|(?P<rel>半|1刻|3刻))?))"
    ),
}  # fmt: skip
_RELATIVE: Final = {
    "half past": 30, "quarter past": 15, "quarter to": -15, "y media": 30, "y cuarto": 15, "menos cuarto": -15,
    "halb": -30, "viertel nach": 15, "viertel vor": -15, "et demie": 30, "et quart": 15, "moins quart": -15,
    "半": 30, "1刻": 15, "3刻": 45,
}  # fmt: skip
_MORNING: Final = frozenset({"am", "in morning", "manana", "morgens", "vormittags", "du matin", "上午", "早上"})
_NAMES: Final = {
    "en": ("noon", "midnight"), "es": ("mediodía", "medianoche"), "de": ("12 Uhr mittags", "Mitternacht"),
    "fr": ("midi", "minuit"), "zh": ("中午12点", "午夜"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day; `half` says which half of the day it is in, where that was told."""

    hour: int
    minute: int
    half: Half = ""


def pattern(language: str) -> str:
    """Return the regular expression of a time, without groups."""
    return re.sub(r"\(\?P<\w+>", "(?:", _TIMES[language])


def read(text: str, language: str) -> Time | None:
    """Return the time that normal text tells."""
    found = re.fullmatch(_TIMES[language], text)
    if found is None:
        return None
    parts = found.groupdict()
    if parts["noon"] or parts["midnight"]:
        return Time(12, 0, "pm") if parts["noon"] else Time(0, 0, "am")
    minutes = int(parts["h"]) * 60 + int(parts["m"] or parts["m2"] or 0) + _RELATIVE.get(parts["rel"] or "", 0)
    if minutes >= 24 * 60 or minutes < 0:
        return None
    hour, minute = divmod(minutes, 60)
    half: Half = "" if not parts["half"] else "am" if parts["half"] in _MORNING else "pm"
    if half == "am" and hour == 12:
        hour = 0
    elif half == "pm" and hour < 12:
        hour += 12
    return Time(hour, minute, "pm" if hour > 12 else "am" if hour == 0 else half)


def say(time: Time, language: str) -> str:
    """Return the time in words and digits of a language."""
    noon, midnight = _NAMES[language]
    if time.half and time.minute == 0 and time.hour in (0, 12):
        return noon if time.hour == 12 else midnight
    return {"en": _en, "es": _es, "de": _de, "fr": _fr, "zh": _zh}[language](time)


def _twelve(time: Time) -> str:
    hour = (time.hour - 1) % 12 + 1 if time.half else time.hour
    return f"{hour}:{time.minute:02}" if time.minute else f"{hour}"


def _en(time: Time) -> str:
    if time.half:
        return f"{_twelve(time)} {'a.m.' if time.half == 'am' else 'p.m.'}"
    return _twelve(time) if time.minute else f"{time.hour} o'clock"


def _es(time: Time) -> str:
    article = "la" if time.hour == 1 else "las"
    digits = f"{time.hour}:{time.minute:02}" if time.minute else f"{time.hour}"
    return f"{article} {digits}" + (" de la mañana" if time.half == "am" else "")


def _de(time: Time) -> str:
    digits = f"{time.hour}:{time.minute:02}" if time.minute else f"{time.hour}"
    return f"{digits} Uhr" + (" morgens" if time.half == "am" else "")


def _fr(time: Time) -> str:
    hours = f"{time.hour} heure{'s' if time.hour > 1 else ''}"
    return hours + (f" {time.minute:02}" if time.minute else "") + (" du matin" if time.half == "am" else "")


def _zh(time: Time) -> str:
    digits = f"{(time.hour - 1) % 12 + 1 if time.half else time.hour}点" + (f"{time.minute}分" if time.minute else "")
    return {"am": "上午", "pm": "下午", "": ""}[time.half] + digits
