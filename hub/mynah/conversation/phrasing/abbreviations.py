"""What a full stop means after a word: an end, a part of the word, or a question for the next character or word."""

from __future__ import annotations

import re
from enum import Enum

from mynah.conversation.phrasing.marks import is_unspaced


class Stop(Enum):
    """What a full stop is, seen from what stands before it."""

    END = "the word is an ordinary one: the sentence ends"
    NEXT_CHARACTER = "a number, a name or an ellipsis may go on: white space ends the sentence, a letter does not"
    NEXT_DIGIT = "an abbreviation if a number follows, else a sentence's last word"
    NEXT_CAPITAL = "an abbreviation that ends a sentence if a capital follows"
    NEXT_WORD = "an abbreviation, initial or ordinal that ends a sentence if a typical first word follows"
    NEVER = "an abbreviation that always has something after it"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEVER = {
    "": _words(
        "dr prof st mt mr mrs ms messrs mme mlle rev hon gen col capt lt sgt sen gov pres vs ca approx e.g i.e cf"
    ),
    "en": _words("viz mx supt adm cmdr maj dept est"),
    "es": _words(
        "sr sra srta sres sras d dª dña dn ud uds vd vds dra drs profa p.ej p.e ee gral cap lic ing arq av avda"
        " pza ntra mons"
    ),
    "de": _words(
        "hr hrn fr frl dipl ing z.b d.h u.a u.ä o.ä o.g s.o s.u i.d.r v.a z.t z.zt u.u m.e i.a bzw bspw evtl ggf inkl"
        " exkl zzgl vgl sog gem geb ehem ev kath ungef vermutl einschl bes insb lfd z.h i.d.s i.s d.i"
    ),
    "fr": _words("mgr p.ex env c.-à-d"),
    "hi": _words("डॉ प्रो पं श्री श्रीमती सु कु"),
}
_BEFORE_A_NUMBER = {
    "": _words("nr nos fig figs vol vols pp tel ext"),
    "en": _words("no art ch sec eq ver op"),
    "es": _words("no núm num pág págs art vol cap tel"),
    "de": _words("abs abb art bd kap tab ziff hausnr"),
    "fr": _words("no art chap"),
}
_BEFORE_A_CAPITAL = {
    "": _words("etc etal"),
    "de": _words("usw usf u.s.w"),
    "es": _words("etcét"),
}
_BEFORE_A_WORD = {
    "": _words("inc ltd co corp jr al bros a.m p.m u.s u.k u.n u.s.a e.u b.c a.d ph.d b.a m.a m.d d.c"),
    "en": _words(
        "sr jan feb mar apr jun jul aug sep sept oct nov dec ave blvd rd hwy ft mon tue tues wed thu thurs fri"
    ),
    "de": _words(
        "v.chr n.chr jan feb mär apr jun jul aug sep sept okt nov dez std min sek tägl jh jhd hl mio mrd tsd mo di mi"
        " do sa"
    ),
    "es": _words("ene abr ago dic a.c d.c s.a ee.uu"),
}
_FIRST_WORDS = {
    "en": _words(
        "The A An It He She They We I You This That These Those There Here In On At But And So Then Now When While If"
        " As For From After Before Because However Although Though Today Tomorrow Yesterday Its His Her Their My Your"
        " Our What Why How Where Who Which Do Does Did Is Are Was Were Can Could Would Will Should Let Yes No Not Some"
        " Many Most One Every Also Unlike With Both Each"
    ),
    "es": _words(
        "El La Los Las Un Una Unos Unas Es Son Está Están Hay En Pero Y Entonces Luego Ahora Cuando Si Como Por Para"
        " Después Antes Porque Sin Aunque Hoy Mañana Ayer Su Sus Mi Tu Nuestro Qué Quién Dónde Cómo Sí No Algunos"
        " Muchos Este Esta Esto Ese Esa Eso También Se Lo Le Al A De Con Yo Él Ella Ellos"
    ),
    "de": _words(
        "Der Die Das Ein Eine Einer Er Sie Es Wir Ich Ihr Du Dies Diese Dieser Dieses Dort Hier Da Dann Danach Nun"
        " Jetzt Aber Und Doch In Im Am An Auf Bei Mit Nach Vor Wenn Weil Während Obwohl Heute Morgen Gestern Sein"
        " Seine Ihre Mein Was Warum Wie Wo Wer Ist Sind War Waren Kann Ja Nein Nicht Manche Viele Alle Auch Außerdem"
        " Deshalb Daher So Man Zu Für Als"
    ),
}
_UNITS = _words(
    "m km cm mm µm nm kg g mg µg t l dl ml cl s ms h min km/h m/s mph kmh ft in mi lb lbs oz yd ha m² km² cm² m³ cm³"
    " % ° °C °F K V W kW MW Hz kHz MHz GHz kB MB GB TB dB Pa hPa bar cal kcal J kJ € $ £ मी किमी किग्रा"
)
_ORDINAL_LANGUAGES = _words("de da nb nn no fi cs sk pl hu et hr sl sr bs lv is tr")
"""Where a full stop after a number makes it an ordinal: "am 3. Mai"."""

# Words that an ellipsis likes to follow, words that files and hosts are called, and words that announce those: after
# them a full stop waits for one more character, which costs a moment and keeps "Well..." and "main.py" whole.
_HESITATIONS = _words(
    "well hm hmm hmmm um umm uh er erm oh ooh ah aah eh so and but or wait maybe perhaps see think then still anyway"
    " guess suppose because tja naja nun äh ähm also und aber oder vielleicht pues bueno este pero quizás quizá veamos"
    " espera ver vaya"
)
_NAMES = _words(
    "readme index main app test tests setup config settings example notes report data file document script package"
    " license changelog makefile requirements node vue next react google github gitlab wikipedia youtube amazon docs"
    " api image photo picture video audio song log temp output input backup archive invoice resume budget ejemplo"
    " datei beispiel archivo asp tsconfig pyproject compose utils style styles server client model models"
)
_ANNOUNCING = _words(
    "file files open visit website site page called named edit run import load save url address domain download"
    " upload archivo abre visita web sitio página llamado datei öffne besuche seite webseite namens via mail email"
    " e-mail"
)
_DOTTED = re.compile(r"(?:\w\.)+\w")
_PLAIN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def is_unit(word: str) -> bool:
    """Whether the word is the sign of a unit, which stays with the number before it."""
    return word in _UNITS


def is_first_word(word: str, language: str) -> bool:
    """Whether this capitalised word typically begins a sentence, rather than going on after an abbreviation."""
    return word in _FIRST_WORDS.get(language, _FIRST_WORDS["en"])


def weigh_stop(text: str, language: str) -> Stop:
    """Say what a full stop right after `text` (the phrase so far) is, as far as `text` tells.

    `language` is a primary subtag, as `primary_language` gives it.
    """
    words = text[-48:].split()
    if not words or text[-1].isspace():
        return Stop.NEXT_CHARACTER
    word = words[-1].lstrip("¿¡([{“‘„‚«‹\"'")
    if not word or is_unspaced(word[-1]):
        return Stop.END if word else Stop.NEXT_CHARACTER
    if word.isdecimal():
        return Stop.NEXT_WORD if language in _ORDINAL_LANGUAGES and len(word) <= 2 else Stop.NEXT_CHARACTER
    abbreviation = _listed(_joined(words, word), language) or _listed(word.lower(), language)
    if abbreviation:
        return abbreviation
    if _is_initial(word) or _DOTTED.fullmatch(word):
        return Stop.NEXT_WORD
    return _weigh_word(word, words[-2].lower() if len(words) > 1 else "")


def _listed(word: str, language: str) -> Stop | None:
    local = language if language in _FIRST_WORDS or language in _NEVER else "en"
    for table, stop in (
        (_NEVER, Stop.NEVER),
        (_BEFORE_A_NUMBER, Stop.NEXT_DIGIT),
        (_BEFORE_A_CAPITAL, Stop.NEXT_CAPITAL),
        (_BEFORE_A_WORD, Stop.NEXT_WORD),
    ):
        if word in table[""] or word in table.get(local, ()):
            return stop
    return None


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isalpha()


def _joined(words: list[str], word: str) -> str:
    """Write a spaced abbreviation without its spaces: "z. B" and "p. ej" as "z.b" and "p.ej"."""
    parts = [word]
    for before in reversed(words[:-1]):
        if len(before) > 3 or not before.endswith("."):
            break
        parts.append(before[:-1])
    return ".".join(reversed(parts)).lower()


def _weigh_word(word: str, before: str) -> Stop:
    bare = word.rstrip(")]}”’»›\"'")
    if bare != word:
        return Stop.END
    # Indic words carry combining signs, which the pattern of plain words does not know.
    if word.isascii() or word[-1].isdigit():
        plain = _PLAIN.fullmatch(word) is not None
        usual_case = word.islower() or word[1:].islower()
        if not plain or not usual_case:
            return Stop.NEXT_CHARACTER
    low = word.lower()
    listed = low in _HESITATIONS or (word.islower() and (low in _NAMES or before in _ANNOUNCING))
    return Stop.NEXT_CHARACTER if listed else Stop.END
