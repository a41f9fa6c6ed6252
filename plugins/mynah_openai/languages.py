"""Languages by tag and by their English name, as prompts and transcripts have them."""

from __future__ import annotations

from functools import cache
from typing import Final

_NAMES: Final = (
    "af Afrikaans am Amharic ar Arabic as Assamese az Azerbaijani ba Bashkir be Belarusian bg Bulgarian bn Bengali"
    " bo Tibetan br Breton bs Bosnian ca Catalan cs Czech cy Welsh da Danish de German el Greek en English es Spanish"
    " et Estonian eu Basque fa Persian fi Finnish fo Faroese fr French ga Irish gl Galician gu Gujarati ha Hausa"
    " haw Hawaiian he Hebrew hi Hindi hr Croatian hu Hungarian hy Armenian id Indonesian is Icelandic it Italian"
    " ja Japanese jw Javanese ka Georgian kk Kazakh km Khmer kn Kannada ko Korean la Latin lb Luxembourgish ln Lingala"
    " lo Lao lt Lithuanian lv Latvian mg Malagasy mi Maori mk Macedonian ml Malayalam mn Mongolian mr Marathi ms Malay"
    " mt Maltese my Myanmar ne Nepali nl Dutch nn Nynorsk no Norwegian oc Occitan pa Punjabi pl Polish ps Pashto"
    " pt Portuguese ro Romanian ru Russian sa Sanskrit sd Sindhi si Sinhala sk Slovak sl Slovenian sn Shona so Somali"
    " sq Albanian sr Serbian su Sundanese sv Swedish sw Swahili ta Tamil te Telugu tg Tajik th Thai tk Turkmen"
    " tl Tagalog tr Turkish tt Tatar uk Ukrainian ur Urdu uz Uzbek vi Vietnamese yi Yiddish yo Yoruba yue Cantonese"
    " zh Chinese zu Zulu"
)


@cache
def _by_tag() -> dict[str, str]:
    words = _NAMES.split()
    return dict(zip(words[::2], words[1::2], strict=True))


@cache
def _by_name() -> dict[str, str]:
    return {name.lower(): tag for tag, name in _by_tag().items()}


def english_name(tag: str) -> str | None:
    """Return the English name of the language of a BCP 47 tag, or None."""
    return _by_tag().get(primary(tag))


def tag_of(language: str) -> str | None:
    """Return the tag of a language that is given by its English name or its tag; None for anything else."""
    text = language.strip().lower()
    if text in _by_name():
        return _by_name()[text]
    return text if primary(text) in _by_tag() else None


def primary(tag: str) -> str:
    """Return the language alone of a BCP 47 tag: `pt` of `pt-BR`."""
    return tag.replace("_", "-").partition("-")[0].lower()
