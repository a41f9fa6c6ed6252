"""What the answerer knows of Chinese, where each character is a word. It does no harm elsewhere."""

from __future__ import annotations

FUNCTION_WORDS = frozenset(
    "的了吗呢吧啊呀么什怎哪谁几多少为是不我你您他她它们这那个些有没在和与跟或也都还就又再很请问告诉给讲说想要知道会能可以一下"
    "点关于如果因所以但而被把让从到对上里中来去做用"
)
"""Characters that ask or connect and seldom say what a question is about."""

PRONOUNS = frozenset("它他她这那")
"""Characters that may stand for a subject named before."""

STAND_INS = frozenset("它他她")
JUST_NAMED = frozenset("那么呢和还有关于说讲的吧")
"""Beside a name these make a follow-up: "那行星呢"."""

ASKS = frozenset("吗呢么什怎哪谁几")
"""Characters by which a sentence is a question."""
