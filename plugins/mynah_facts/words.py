"""Text to words and stems, for any script; the few lists are English and do no harm to other languages."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
# Scripts written without spaces: each character counts as a word.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_APOSTROPHE = re.compile(r"['’]")

_EXPANDED = {
    "can't": "can not",
    "cannot": "can not",
    "won't": "will not",
    "shan't": "shall not",
    "ain't": "is not",
    "let's": "let us",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
    "dunno": "do not know",
    "whereabouts": "where",
    "telly": "television",
}
_ENDINGS = {"n't": "not", "'re": "are", "'ve": "have", "'ll": "will", "'m": "am", "'d": "would"}
# After these, 's is "is"; after anything else it is a possessive, which says nothing more than the word itself.
_BEFORE_IS = frozenset("what who where when how why that it he she there here which".split())
_IRREGULAR = {
    "ate": "eat", "eaten": "eat", "fed": "feed", "slept": "sleep", "lives": "live", "living": "live", "lived": "live",
    "children": "child", "kids": "kid", "babies": "baby", "mice": "mouse", "feet": "foot", "teeth": "tooth",
    "leaves": "leaf", "wolves": "wolf", "lying": "lie", "dying": "die", "died": "die", "dies": "die", "ran": "run",
    "bred": "breed", "born": "born", "grew": "grow", "grown": "grow", "lost": "lose", "found": "find", "won": "win",
    "mum": "mother", "mummy": "mother", "mom": "mother", "mommy": "mother", "mama": "mother", "mums": "mother",
    "dad": "father", "daddy": "father", "papa": "father", "dads": "father",
    "meters": "metre", "meter": "metre", "favorite": "favourite", "color": "colour",
    "has": "have", "had": "have", "does": "do", "did": "do", "was": "is", "were": "are", "went": "go", "gone": "go",
    "hours": "hour", "always": "always", "species": "species", "shoes": "shoe", "caught": "catch", "got": "get",
}  # fmt: skip

_NUMBERS = frozenset(
    """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million""".split()
)
NUMBER = "0"
"""The stem of every number."""

_FUNCTION_WORDS = """a about again ah all also am an and any anyway are as at be because been being but by can could do does each
    either else em er erm ever every for from get go going had has have having he hello her here hers hey hi him his
    how huh i if in into is it its just kind least let like little lot maybe me mean mhm mine more most much must my
    no not now of off oh ok okay on one ones only or other others our ours out over own please quite rather really
    right see she should so some sort still such than that the their theirs them then there these they thing things
    think this those to too uh um up us very was way we well were what when where which while who whom whose why will
    with would yeah yes yet you your yours actually usually normally roughly exactly even many actual sure guess bet
    suppose wonder wondering tell know say says said want wants wanted like reckon question ask asked asking old
    nice big small animal creature beast anybody anyone somebody someone everybody anything something
    everything nothing anywhere somewhere everywhere lots bit come take make give look us them dear sorry excuse
    sir miss madam again today time times day days long true lovely poor we've already mummy daddy son daughter boy
    girl kid child family friend brother sister wife husband mother father grandma granny grandpa teacher
    around away back down through when's without between during before after since until though although both
    same different never often sometimes always maybe perhaps probably possibly may might shall need needs
    nearby grandmother grandfather grandson grandchildren niece nephew aunt uncle whole half next last first 0
    """

ARTICLES = frozenset(("a", "an", "the"))
GENERIC = frozenset(("animal", "creature", "beast"))
"""Stems that may stand for any subject."""

PRONOUNS = frozenset("it its they them their theirs he she him his her hers this that these those one ones".split())
"""Words that may stand for a subject named before."""
STAND_INS = frozenset("it its they them their he him his she".split())
"""Those pronouns that take the place of a name and leave the question as it is."""


def words(text: str) -> list[str]:
    """Return the words of `text`: case folded, contractions opened, possessives and punctuation dropped."""
    found: list[str] = []
    for token in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        found += _opened(token) if "'" in token or "’" in token or token in _EXPANDED else _split(token)
    return found


def stem(word: str) -> str:
    """Return `word` without its commonest English endings, the same for all forms of a regular word; numbers are one."""
    if word.isdigit() or word in _NUMBERS:
        return NUMBER
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return _IRREGULAR.get(word[:-1], _bare(word[:-1]))
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return _bare(_undouble(word[: -len(ending)]))
    return _bare(word)


def _bare(word: str) -> str:
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def _undouble(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz" else word


def _opened(token: str) -> list[str]:
    token = token.replace("’", "'")
    if token in _EXPANDED:
        return _EXPANDED[token].split()
    for ending, meant in _ENDINGS.items():
        if token.endswith(ending) and len(token) > len(ending):
            return [token[: -len(ending)], meant]
    head, _, tail = token.partition("'")
    if tail == "s":
        return [head, "is"] if head in _BEFORE_IS else [head]
    return [part for part in _APOSTROPHE.split(token) if part]


def _split(token: str) -> list[str]:
    if not _UNSPACED.search(token):
        return [token]
    return [piece for piece in re.split(f"({_UNSPACED.pattern})", token) if piece]


FUNCTION_STEMS = frozenset(stem(word) for word in _FUNCTION_WORDS.split())
"""Stems that ask or connect and seldom say what a question is about."""
