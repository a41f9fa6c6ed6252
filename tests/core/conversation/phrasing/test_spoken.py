"""What is never spoken, and what is left of it."""

from __future__ import annotations

import random

import pytest

from mynah.conversation.phrasing.marks import soften
from mynah.conversation.phrasing.spoken import SpokenText, spoken

CASES = [
    # Emphasis.
    ("**bold** and *it* and ***both***", "bold and it and both"),
    ("__bold__ and _it_ and ~~gone~~", "bold and it and gone"),
    ("un**believ**able", "unbelievable"),
    ("snake_case and 3 * 4 and 3*4 and ~5 km", "snake_case and 3 * 4 and 3*4 and ~5 km"),
    ("a \\*star\\* and C:\\zoo", "a *star* and C:\\zoo"),
    # Blocks.
    ("# Title #\n## Two\ntext", "Title\nTwo\ntext"),
    ("#5 is #lion in C#", "#5 is #lion in C#"),
    ("- a\n* b\n+ c\n• d\n  - e", "a\nb\nc\nd\ne"),
    ("- [ ] to do\n- [x] done", "to do\ndone"),
    ("1. one\n2) two\n10. ten", "1. one\n2. two\n10. ten"),
    ("3.5 m\n\n1914. Then", "3.5 m\n1914. Then"),
    ("-5 degrees\n\n*it* is", "-5 degrees\nit is"),
    ("> quoted\n> more", "quoted more"),
    ("a\n\n---\n\nb\n***\nc\n===\nd", "a\nb\nc\nd"),
    ("a\nb\n\nc", "a b\nc"),
    ("a\r\n\r\nb\tc", "a\nb c"),
    ("| Cat | kg |\n|:---|---:|\n| Lion | -5 |\nend", "Cat kg\nLion -5\nend"),
    ("Cat | kg\n--- | ---\nLion | 190", "Cat kg\nLion 190"),
    # Code.
    ("use `git log` now", "use git log now"),
    ("use ``a ` b`` now", "use a b now"),
    ("a\n```python\nx = 1\n\n# y\n```\nb", "a\nb"),
    ("a\n~~~\nx\n~~~\nb", "a\nb"),
    ("````\n```\nx\n```\n````\nb", "b"),
    ("a ```x = 1``` b", "a\nb"),
    ("a\n```\nnever closed", "a"),
    ("Hawai`i is fine", "Hawaii is fine"),
    ("`<b>` is a tag", "b is a tag"),
    # Links and addresses.
    ("see [our *lions*](http://a.b/c(d)e) now", "see our lions now"),
    ('see [x](http://a.b "A title") now', "see x now"),
    ("![a lion](lion.png) here", "a lion here"),
    ("see [x][ref] and [y] now", "see x and y now"),
    ("lions[1] roar[^2] twice [3, 4].", "lions roar twice ."),
    ("in [2024](http://a.b) now", "in 2024 now"),
    ("at https://www.zoo.org:8000/a?b=c#d, or", "at zoo.org, or"),
    ("(http://user@zoo.org/a_(b)) and", "(zoo.org) and"),
    ("www.zoo.org and <https://zoo.org/a> and **http://a.org/x**", "zoo.org and zoo.org and a.org"),
    ("how http works with www", "how http works with www"),
    ("HTTPS://ZOO.ORG/A", "ZOO.ORG"),
    ("the www. prefix", "the www. prefix"),
    ("http://localhost:8000/api.", "localhost."),
    # HTML.
    ("<b>bold</b> a<br>b<p>c</p>d", "bold a\nb\nc\nd"),
    ('<a href="x>y" class=z>link</a> <img src=a.png />end', "link end"),
    ("<input disabled checked>x", "x"),
    ("a < b and 3 <4 and b > a", "a < b and 3 <4 and b > a"),
    ("x <y and z", "x y and z"),
    ("a <!-- no > no --> b", "a b"),
    ("<!DOCTYPE html>a", "a"),
    ("cats &amp; dogs &lt; AT&T &#233;&nbsp;&copy2", "cats & dogs < AT&T é &copy2"),
    ("<script>no()</script><style>no</style>yes", "yes"),
    ("<answer>yes</answer>", "yes"),
    # Thoughts.
    ("<think>no **no** ```no</think>yes", "yes"),
    ("<think>\nno < no </thin>\n</think>\n\nyes", "yes"),
    ("<Thinking>no</Thinking>yes</think>", "yes"),
    ("<think>never closed", ""),
    ("the `<think>` tag", "the think tag"),
    # Emoji.
    ("hi 😀 there", "hi there"),
    ("hi😀there", "hi there"),
    ("I love lions 🦁.", "I love lions."),
    ("👨‍👩‍👧‍👦 👍🏽 🇩🇪 🏴\U000e0067\U000e0062\U000e007f ❤️ ☀︎ ✔️ x", "x"),
    ("1️⃣ one #️⃣ *️⃣ 2\u20e3 two", "one two"),
    ("a → b ™ ©", "a b"),
    # Scripts keep their joiners; signs without sound go.
    ("क्‍ष می‌خواهم", "क्‍ष می‌خواهم"),
    ("so\u00adft \ufeffmark\u200b and \u202ertl\u202c \x07bell", "soft mark and rtl bell"),
    ("10\u00a0000 km", "10 000 km"),
    ("full　width", "full width"),
    ("private \ue02e sign\0", "private sign"),
    ("", ""),
]


def clean(tokens: list[str]) -> str:
    cleaner = SpokenText()
    return "".join([*map(cleaner.feed, tokens), cleaner.flush()])


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_what_is_left_to_speak(text, expected):
    assert spoken(text) == expected


@pytest.mark.parametrize("text", [case[0] for case in CASES])
def test_markup_may_be_cut_into_tokens_at_any_point(text):
    whole = clean([text])
    assert clean(list(text)) == whole
    for cut in range(len(text)):
        assert clean([text[:cut], text[cut:]]) == whole
    rng = random.Random(text)
    for _ in range(10):
        cuts = sorted(rng.sample(range(len(text) + 1), k=min(5, len(text))))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        assert clean(pieces) == whole


@pytest.mark.parametrize("text", ["Hello,", "Yes!", "lions.", "你好，", "bold:"])
def test_plain_text_is_given_back_at_once(text):
    assert SpokenText().feed(text) == text


def test_marks_inside_code_and_hosts_are_firm_until_softened():
    cleaned = clean(["see `a.b` at http://zoo.org."])
    assert cleaned.count(".") == 1
    assert soften(cleaned) == "see a.b at zoo.org."


def test_text_after_a_flush_begins_afresh():
    cleaner = SpokenText()
    cleaner.feed("<think>no")
    assert cleaner.flush() == ""
    assert cleaner.feed("# yes\n").strip() == "yes"
