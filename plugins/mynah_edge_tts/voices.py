"""Which of the service's voices says a text: by name, or by language tag and gender."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from mynah_edge_tts.voice_table import TABLE

Gender = Literal["", "female", "male"]

_NAME: Final = re.compile(r"([a-z]{2,3}(?:-[A-Z][a-z]{3})?-[A-Z]{2,3}(?:-[a-z]+)?)-(\w+)Neural")
_LONG_NAME: Final = re.compile(r"Microsoft Server Speech Text to Speech Voice \(([\w-]+), (\w+)\)")
# Other names of a language, and regions that speak like another one rather than like the language's first.
_LIKE: Final = {
    "cmn": "zh-cn",
    "es-419": "es-mx",
    "in": "id",
    "iw": "he",
    "nn": "nb",
    "no": "nb",
    "pt-ao": "pt-pt",
    "pt-mz": "pt-pt",
    "tl": "fil",
    "yue": "zh-hk",
    "zh-hans": "zh-cn",
    "zh-hant": "zh-tw",
    "zh-mo": "zh-hk",
}


@dataclass(frozen=True, slots=True)
class EdgeVoice:
    """A voice: `name` is the service's short one, `locale` a language tag with a region."""

    name: str
    locale: str
    gender: Gender = ""

    @classmethod
    def of(cls, name: str, gender: Gender = "") -> EdgeVoice | None:
        """Return the voice of a well-formed name, whether there is one or not; None where it is none."""
        long = _LONG_NAME.fullmatch(name.strip())
        short = f"{long[1]}-{long[2]}" if long else name.strip()
        match = _NAME.fullmatch(short)
        return cls(short, match[1], gender) if match else None

    @property
    def long_name(self) -> str:
        """The name by which the service is asked for the voice."""
        return f"Microsoft Server Speech Text to Speech Voice ({self.locale}, {self.name[len(self.locale) + 1 :]})"

    def speaks(self, language: str) -> bool:
        """Whether this voice is for `language`, whatever the region; a multilingual one is for every."""
        return "Multilingual" in self.name or _primary(self.locale) == _primary(next(_wider(language)))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Voices, the best first."""

    voices: tuple[EdgeVoice, ...]

    @classmethod
    def built_in(cls) -> Catalogue:
        """Return the voices that are known without asking the service."""
        return cls(tuple(_table()))

    def named(self, name: str) -> EdgeVoice | None:
        """Return the voice called `name`, in whatever case; None where there is none."""
        wanted = EdgeVoice.of(name)
        lower = (wanted.name if wanted else name.strip()).lower()
        return next((voice for voice in self.voices if voice.name.lower() == lower), None)

    def for_language(self, language: str, gender: Gender = "") -> EdgeVoice | None:
        """Return the best voice for a BCP 47 tag: of the region and gender if there is one, else of the language."""
        speaking = [voice for tag in _wider(language) for voice in self.voices if _speaks(voice, tag)]
        fitting = [voice for voice in speaking if not gender or voice.gender == gender]
        return next(iter(fitting or speaking), None)

    def close_to(self, name: str) -> str:
        """Return what to say of a name or language that is not there: "; close to it are …", or nothing."""
        known = {voice.name.lower(): voice.name for voice in self.voices}
        known |= {voice.locale.lower(): voice.locale for voice in self.voices}
        close = difflib.get_close_matches(name.strip().lower(), sorted(known), n=4, cutoff=0.6)
        return f"; close to it are {', '.join(known[one] for one in close)}" if close else ""


def _table() -> Iterator[EdgeVoice]:
    for line in TABLE.strip().splitlines():
        locale, _, names = line.partition(" ")
        women, _, men = names.partition("|")
        yield from _people(locale, women.split(), "female")
        yield from _people(locale, men.split(), "male")


def _people(locale: str, names: Iterable[str], gender: Gender) -> Iterator[EdgeVoice]:
    return (EdgeVoice(f"{locale}-{name}Neural", locale, gender) for name in names)


def _speaks(voice: EdgeVoice, tag: str) -> bool:
    locale = voice.locale.lower()
    return locale == tag or locale.startswith(f"{tag}-")


def _primary(tag: str) -> str:
    return tag.lower().partition("-")[0]


def _wider(language: str) -> Iterator[str]:
    """Yield a tag and ever wider ones, each after what it is another name of: zh-hant-hk, zh-hk, zh-tw, zh-hant, zh."""
    parts = language.strip().replace("_", "-").lower().split("-")
    for length in range(len(parts), 0, -1):
        tag = "-".join(parts[:length])
        if length > 2 and len(parts[1]) == 4:  # a script before the region
            yield f"{parts[0]}-{parts[length - 1]}"
        if tag in _LIKE:
            yield _LIKE[tag]
            yield _primary(_LIKE[tag])
        yield tag
