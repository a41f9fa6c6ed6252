"""Which of espeak's voices says a text: by name, or by language tag and gender."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from mynah import EngineError

Gender = Literal["", "female", "male"]

FEMALE: Final = "f2"
MALE: Final = "m3"

_SPANISH_AMERICA: Final = "ar bo cl co cr cu do ec gt hn mx ni pa pe pr py sv us uy ve"
_CARIBBEAN: Final = "ag bb bs gd jm lc tt vc"
# Where a region speaks like another one rather than like the language's plain voice (CLDR's parent locales, and where
# Cantonese is what zh means).
_LIKE: Final = {
    **{f"es-{region}": "es-419" for region in _SPANISH_AMERICA.split()},
    **{f"en-{region}": "en-029" for region in _CARIBBEAN.split()},
    "en-ca": "en-us",
    "en-ph": "en-us",
    "zh-hk": "yue",
    "zh-mo": "yue",
    "nn": "nb",
    "iw": "he",
}


@dataclass(frozen=True, slots=True)
class EspeakVoice:
    """A voice: `file` is what the library takes; `tags` are languages in lower case with a priority, 1 the best."""

    name: str
    file: str
    tags: tuple[tuple[str, int], ...]

    def called(self, name: str) -> bool:
        """Whether `name`, in lower case, means this voice."""
        own = {self.name.lower(), self.file.lower(), self.file.rpartition("/")[2].lower()}
        return name in own

    def speaks(self, language: str) -> bool:
        """Whether this voice is for `language`, whatever the region."""
        return any(_primary(tag) == _primary(_tidy(language)) for tag, _ in self.tags)


@dataclass(frozen=True, slots=True)
class Variant:
    """A change of timbre that can be added to any voice."""

    name: str
    file: str
    female: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All voices and variants of the library."""

    voices: tuple[EspeakVoice, ...]
    variants: tuple[Variant, ...]

    def choose(self, language: str, *, name: str = "", preferred: str = "", gender: Gender = "") -> str:
        """Return what the library is to be given, such as `gmw/en-US+f2`.

        `name` is kept to; `preferred` only where its voice is for `language`. Both may name a voice, a variant or
        `voice+variant`; `gender` counts where neither names a variant. Raises `EngineError` naming what comes close.
        """
        voice, variant = self.named(name) if name else (None, None)
        if preferred and (voice is None or variant is None):
            other_voice, other_variant = self.named(preferred)
            if voice is None and (other_voice is None or other_voice.speaks(language)):
                voice, variant = other_voice, variant or other_variant
        if voice is None:
            voice = self.for_language(language)
        suffix = variant.file if variant else {"female": FEMALE, "male": MALE, "": ""}[gender]
        return f"{voice.file}+{suffix}" if suffix else voice.file

    def named(self, name: str) -> tuple[EspeakVoice | None, Variant | None]:
        """Return the voice and the variant that `name` means; either may be missing. Raises `EngineError`."""
        first, plus, second = name.strip().lower().partition("+")
        voice = self._voice(first) if first else None
        variant = self._variant(second if plus else first) if plus or voice is None else None
        if (first and voice is None and (plus or variant is None)) or (plus and variant is None):
            wrong = first if voice is None and first else second
            raise EngineError(f"espeak has no voice {name!r}{self._close(wrong)}")
        return voice, variant

    def for_language(self, language: str) -> EspeakVoice:
        """Return the best voice for a BCP 47 tag: the same region if there is one, else the language's first."""
        for tag in _wider(_tidy(language)):
            if found := self._tagged(tag):
                return found
        raise EngineError(f"espeak has no voice for the language {language!r}{self._close(_tidy(language))}")

    def _voice(self, name: str) -> EspeakVoice | None:
        exact = next((voice for voice in self.voices if voice.called(name)), None)
        return exact or self._tagged(_tidy(name))

    def _variant(self, name: str) -> Variant | None:
        return next((one for one in self.variants if name in (one.name.lower(), one.file.lower())), None)

    def _tagged(self, tag: str) -> EspeakVoice | None:
        ranked = [
            (priority, index) for index, voice in enumerate(self.voices) for own, priority in voice.tags if own == tag
        ]
        return self.voices[min(ranked)[1]] if ranked else None

    def _close(self, name: str) -> str:
        known = {tag for voice in self.voices for tag, _ in voice.tags}
        known |= {voice.name.lower() for voice in self.voices}
        known |= {name for variant in self.variants for name in (variant.name.lower(), variant.file.lower())}
        close = difflib.get_close_matches(name, sorted(known), n=4, cutoff=0.5)
        return f"; close to it are {', '.join(close)}" if close else "; `espeak-ng --voices` lists them"


def _tidy(tag: str) -> str:
    return tag.strip().replace("_", "-").lower()


def _primary(tag: str) -> str:
    return "zh" if tag.startswith(("cmn", "yue")) else tag.partition("-")[0]


def _wider(tag: str) -> Iterator[str]:
    """Yield `tag` and ever wider ones: zh-hant-hk, zh-hk, its like, zh-hant, zh."""
    parts = tag.split("-")
    for length in range(len(parts), 0, -1):
        for shorter in (parts[:length], [parts[0], parts[length - 1]] if length > 2 else None):
            if shorter:
                joined = "-".join(shorter)
                yield joined
                if joined in _LIKE:
                    yield _LIKE[joined]
