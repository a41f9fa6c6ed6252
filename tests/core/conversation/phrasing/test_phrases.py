"""Which phrases a text gives. Each line: language, text, phrases as "boundary text" (c clause, s sentence, w word)."""

from __future__ import annotations

import random

import pytest

from mynah.conversation.phrasing.phrases import PhraseSplitter, split_text

LONG = "The lion walks over the wide plain and looks for water "  # 55 characters
CUT = (LONG * 5).rindex(" ", 0, 250)
PLAIN = "狮子走过宽阔的平原寻找水源"  # 13 characters

CASES = [
    # The first phrase ends at the first clause mark, later ones are sentences.
    ("en", "Hello, I am Leo. I live here.", ["c Hello,", "s I am Leo.", "s I live here."]),
    ("en", "Lions sleep. A lot, in fact, they do.", ["s Lions sleep.", "s A lot, in fact, they do."]),
    ("en", "Yes! They roar; loudly. Ok?", ["s Yes!", "s They roar; loudly.", "s Ok?"]),
    ("en", "Listen: lions roar. Twice.", ["c Listen:", "s lions roar.", "s Twice."]),
    ("en", "Lions; they roar.", ["c Lions;", "s they roar."]),
    ("en", "Big cats — lions — roar. Yes.", ["c Big cats —", "s lions — roar.", "s Yes."]),
    ("en", "Big cats—lions—roar.", ["c Big cats—", "s lions—roar."]),
    ("en", "Big cats – lions – roar.", ["c Big cats –", "s lions – roar."]),
    ("en", "Why? Because. So there!", ["s Why?", "s Because.", "s So there!"]),
    ("en", "Hello", ["s Hello"]),
    ("en", "   Hello   there  ", ["s Hello there"]),
    ("en", "", []),
    ("en", " \n\n ... -- ?! ", []),
    ("en", ", well then. Go.", ["s well then.", "s Go."]),
    # Or at a word boundary after four words.
    ("en", "The lion is a very big cat. It roars.", ["w The lion is a", "s very big cat.", "s It roars."]),
    ("en", "The lion sleeps here. It roars.", ["s The lion sleeps here.", "s It roars."]),
    ("en", "The lion sleeps right, as ever.", ["c The lion sleeps right,", "s as ever."]),
    ("en", "It’s a lion’s well-known roar.", ["w It’s a lion’s well-known", "s roar."]),
    ("en", "There are about 45 animals here.", ["w There are about 45", "s animals here."]),
    # Numbers.
    ("en", "It is 3.5 m long. Ok.", ["w It is 3.5 m", "s long.", "s Ok."]),
    ("en", "The giraffe is 3.5 m tall.", ["w The giraffe is 3.5 m", "s tall."]),
    (
        "en",
        "About 1,000 lions live. Yes.",
        ["s About 1,000 lions live.", "s Yes."],
    ),
    ("en", "At 10:30 we feed. Come!", ["s At 10:30 we feed.", "s Come!"]),
    ("en", "In 2024, lions roared.", ["c In 2024,", "s lions roared."]),
    ("en", "They eat 10–12 kg. Daily.", ["s They eat 10–12 kg.", "s Daily."]),
    ("en", "I count 3. The others sleep.", ["s I count 3.", "s The others sleep."]),
    (
        "en",
        "Hi, version 2.1.3 is out. It costs $1,234.50. Fine.",
        ["c Hi,", "s version 2.1.3 is out.", "s It costs $1,234.50.", "s Fine."],
    ),
    ("en", "Hi. There were 42. Then 7 left.", ["s Hi.", "s There were 42.", "s Then 7 left."]),
    ("en", "Score 3:2, we won.", ["c Score 3:2,", "s we won."]),
    # Abbreviations and initials.
    ("en", "Dr. Lee feeds lions. Daily.", ["s Dr. Lee feeds lions.", "s Daily."]),
    ("en", "This is our Dr. Lee from Ulm.", ["w This is our Dr. Lee", "s from Ulm."]),
    ("en", "Hi, Mr. and Mrs. Smith met Prof. Jones. Ok.", ["c Hi,", "s Mr. and Mrs. Smith met Prof. Jones.", "s Ok."]),
    ("en", "Cats, e.g. lions, i.e. big cats. Yes.", ["c Cats,", "s e.g. lions, i.e. big cats.", "s Yes."]),
    ("en", "Use e.g. lions here. Yes.", ["s Use e.g. lions here.", "s Yes."]),
    ("en", "The U.S. Army left. Ok.", ["s The U.S. Army left.", "s Ok."]),
    ("en", "Hi, they live in the U.S. The zoo is big.", ["c Hi,", "s they live in the U.S.", "s The zoo is big."]),
    ("en", "At St. Mary we met.", ["w At St. Mary we", "s met."]),
    ("en", "See No. 5 there. Ok.", ["s See No. 5 there.", "s Ok."]),
    ("en", "No. They sleep.", ["s No.", "s They sleep."]),
    ("en", "Come, it opens at 5 p.m. today. Bye.", ["c Come,", "s it opens at 5 p.m. today.", "s Bye."]),
    ("en", "Come, it opens at 5 p.m. The lions eat.", ["c Come,", "s it opens at 5 p.m.", "s The lions eat."]),
    (
        "en",
        "J. K. Rowling wrote books. Many.",
        ["w J. K. Rowling wrote", "s books.", "s Many."],
    ),
    (
        "en",
        "Hi, J. K. Rowling and J.R.R. Tolkien wrote. Ok.",
        ["c Hi,", "s J. K. Rowling and J.R.R. Tolkien wrote.", "s Ok."],
    ),
    ("en", "Well, lions, tigers etc. are cats. Ok.", ["c Well,", "s lions, tigers etc. are cats.", "s Ok."]),
    ("en", "Well, lions, tigers etc. Others too.", ["c Well,", "s lions, tigers etc.", "s Others too."]),
    ("en", "Hi, lions vs. tigers. Fig. 3 shows it.", ["c Hi,", "s lions vs. tigers.", "s Fig. 3 shows it."]),
    ("en", "Hi, it is Acme Inc. from Ulm. Ok.", ["c Hi,", "s it is Acme Inc. from Ulm.", "s Ok."]),
    ("en", "Hi, I like plan B. The others don't.", ["c Hi,", "s I like plan B.", "s The others don't."]),
    # Names with dots and colons.
    ("en", "Visit example.com now. Ok.", ["s Visit example.com now.", "s Ok."]),
    ("en", "Hi, see zoo.org or lions.txt now. Bye.", ["c Hi,", "s see zoo.org or lions.txt now.", "s Bye."]),
    ("en", "Open main.py now. Ok.", ["s Open main.py now.", "s Ok."]),
    ("en", "The README.md helps. Ok.", ["s The README.md helps.", "s Ok."]),
    ("en", "Run `lions.txt` now. Ok.", ["s Run lions.txt now.", "s Ok."]),
    ("en", "Mail to info@zoo.org now. Ok.", ["s Mail to info@zoo.org now.", "s Ok."]),
    ("en", "See https://www.zoo.org/cats?x=1.2 now. Ok.", ["s See zoo.org now.", "s Ok."]),
    ("en", "See (www.zoo.org/a). Ok.", ["s See (zoo.org).", "s Ok."]),
    ("en", "Open C:\\zoo now. Ok.", ["s Open C:\\zoo now.", "s Ok."]),
    ("en", "Hi, it is Node.js 20.1. Good.", ["c Hi,", "s it is Node.js 20.1.", "s Good."]),
    # Ellipses and runs of marks.
    ("en", "Well... I think so. Yes.", ["c Well...", "s I think so.", "s Yes."]),
    ("en", "Well… I think so… Maybe.", ["c Well…", "s I think so…", "s Maybe."]),
    ("en", "Hi, let me see... Ok then.", ["c Hi,", "s let me see...", "s Ok then."]),
    ("en", "...and so on, yes.", ["c ...and so on,", "s yes."]),
    ("en", "Hi! Really?! Yes!!! Good.", ["s Hi!", "s Really?!", "s Yes!!!", "s Good."]),
    ("en", "Really?! Yes.", ["s Really?", "s Yes."]),
    # Quotes and brackets.
    ("en", 'Hi. He said: "Go!" Then he left.', ["s Hi.", 's He said: "Go!"', "s Then he left."]),
    (
        "en",
        "Hi. (They sleep.) He said “No.” Then left.",
        ["s Hi.", "s (They sleep.)", "s He said “No.”", "s Then left."],
    ),
    ("en", '"Hello," she said. "Bye."', ['c "Hello,', "s she said.", 's "Bye."']),
    ("en", "Lions (big cats) sleep. Ok.", ["s Lions (big cats) sleep.", "s Ok."]),
    # Line ends.
    ("en", "Lions sleep\n\nTigers swim", ["s Lions sleep", "s Tigers swim"]),
    ("en", "Lions sleep\nall day. Ok.", ["s Lions sleep all day.", "s Ok."]),
    ("en", "- Lion\n- Tiger\n- Bear", ["s Lion", "s Tiger", "s Bear"]),
    ("en", "Cats:\n* Lion\n* Tiger\n\nThat is all.", ["c Cats:", "s Lion", "s Tiger", "s That is all."]),
    ("en", "1. Lion\n2. Tiger", ["s 1. Lion", "s 2. Tiger"]),
    ("en", "# Lions\nThey sleep. Ok.", ["s Lions", "s They sleep.", "s Ok."]),
    ("en", "| Cat | kg |\n|---|---:|\n| Lion | 190 |\n", ["s Cat kg", "s Lion 190"]),
    # What is never spoken.
    ("en", "**Lions** are *big*, __very__ big. Ok.", ["c Lions are big,", "s very big.", "s Ok."]),
    ("en", "Hi! 😀 I love lions 🦁. 👍🏽", ["s Hi!", "s I love lions."]),
    ("en", "See [our lions](http://a.b/c.d). Ok.", ["s See our lions.", "s Ok."]),
    ("en", "```python\nprint('x. y')\n```\nDone. Ok.", ["s Done.", "s Ok."]),
    ("en", "<think>Hm, a lion. Say so.</think>Lions. Ok.", ["s Lions.", "s Ok."]),
    ("en", "😀🎉", []),
    ("en", "```\ncode\n```", []),
    # Spanish.
    ("es", "¡Hola! Soy Leo. ¿Y tú?", ["s ¡Hola!", "s Soy Leo.", "s ¿Y tú?"]),
    ("es", "¿Qué come el león? Carne.", ["s ¿Qué come el león?", "s Carne."]),
    ("es", "Sí, el Sr. García vino. Bien.", ["c Sí,", "s el Sr. García vino.", "s Bien."]),
    (
        "es",
        "La Dra. López cuida leones. Sí.",
        ["w La Dra. López cuida", "s leones.", "s Sí."],
    ),
    ("es", "Hola, hay felinos, p. ej. leones. Sí.", ["c Hola,", "s hay felinos, p. ej. leones.", "s Sí."]),
    ("es", "Mide 3,5 m de alto. Sí.", ["w Mide 3,5 m de", "s alto.", "s Sí."]),
    ("es", "Pues... no sé. Adiós.", ["c Pues...", "s no sé.", "s Adiós."]),
    ("es", "Hola, vive en EE. UU. desde ayer. Sí.", ["c Hola,", "s vive en EE. UU. desde ayer.", "s Sí."]),
    ("es", "Bueno, véase la pág. 5 hoy. Sí.", ["c Bueno,", "s véase la pág. 5 hoy.", "s Sí."]),
    ("es", "El león es un animal muy grande. Ruge.", ["w El león es un", "s animal muy grande.", "s Ruge."]),
    # German.
    ("de", "Hallo, ich bin Leo. Ich brülle.", ["c Hallo,", "s ich bin Leo.", "s Ich brülle."]),
    ("de", "Am 3. Mai ist Fütterung. Gut.", ["w Am 3. Mai ist", "s Fütterung.", "s Gut."]),
    ("de", "Ja, wir kommen am 3. Mai wieder. Gut.", ["c Ja,", "s wir kommen am 3. Mai wieder.", "s Gut."]),
    (
        "de",
        "Ja, der 2. große Löwe kommt. Es gibt 3. Die Tiger auch.",
        ["c Ja,", "s der 2. große Löwe kommt.", "s Es gibt 3.", "s Die Tiger auch."],
    ),
    ("de", "Ja, es war 1914. Danach kam Ruhe.", ["c Ja,", "s es war 1914.", "s Danach kam Ruhe."]),
    (
        "de",
        "Gut, große Katzen, z. B. Löwen, d. h. Raubtiere. Ja.",
        ["c Gut,", "s große Katzen, z. B. Löwen, d. h. Raubtiere.", "s Ja."],
    ),
    (
        "de",
        "Gut, z.B. Löwen bzw. Tiger usw. leben hier. Ja.",
        ["c Gut,", "s z.B. Löwen bzw. Tiger usw. leben hier.", "s Ja."],
    ),
    ("de", "Gut, Löwen, Tiger usw. Alle schlafen.", ["c Gut,", "s Löwen, Tiger usw.", "s Alle schlafen."]),
    ("de", "Das ist Dr. Lee aus Ulm.", ["w Das ist Dr. Lee", "s aus Ulm."]),
    ("de", "Gut, es sind ca. 3,5 Mio. Tiere. Ja.", ["c Gut,", "s es sind ca. 3,5 Mio. Tiere.", "s Ja."]),
    ("de", "Er rief: „Komm!“ Dann ging er.", ["c Er rief:", "s „Komm!“", "s Dann ging er."]),
    ("de", "Naja... mal sehen. Ja.", ["c Naja...", "s mal sehen.", "s Ja."]),
    ("de-AT", "Ja, am 1. Juli um 10.30 Uhr. Gut.", ["c Ja,", "s am 1. Juli um 10.30 Uhr.", "s Gut."]),
    # Chinese.
    ("zh", "你好，我是狮子。我住在这里！", ["c 你好，", "s 我是狮子。", "s 我住在这里！"]),
    ("zh", "狮子是一种大型猫科动物。它们住在非洲。", ["w 狮子是一种大型猫", "s 科动物。", "s 它们住在非洲。"]),
    ("zh", "今天我们去动物园。好的。", ["s 今天我们去动物园。", "s 好的。"]),
    ("zh", "狮子、老虎和熊。好。", ["c 狮子、", "s 老虎和熊。", "s 好。"]),
    ("zh", "你好！他说：“走吧。”然后他走了。", ["s 你好！", "s 他说：“走吧。”", "s 然后他走了。"]),
    ("zh", "身高3.5米。好。", ["s 身高3.5米。", "s 好。"]),
    ("zh", "我用iPhone手机看狮子老虎。", ["w 我用iPhone手机看狮", "s 子老虎。"]),
    ("zh", "嗯……我想想。好。", ["c 嗯…", "s 我想想。", "s 好。"]),
    # Hindi.
    ("hi", "नमस्ते! मैं शेर हूँ। मैं यहाँ रहता हूँ।", ["s नमस्ते!", "s मैं शेर हूँ।", "s मैं यहाँ रहता हूँ।"]),
    ("hi", "शेर एक बहुत बड़ा जानवर है। हाँ।", ["w शेर एक बहुत बड़ा", "s जानवर है।", "s हाँ।"]),
    ("hi", "हाँ, डॉ. शर्मा आए। ठीक है॥", ["c हाँ,", "s डॉ. शर्मा आए।", "s ठीक है॥"]),
    ("hi", "यह 3.5 मी लंबा है। हाँ।", ["w यह 3.5 मी लंबा", "s है।", "s हाँ।"]),
    ("hi", "क्या शेर सोता है? हाँ।", ["s क्या शेर सोता है?", "s हाँ।"]),
    # Others.
    ("ar", "مرحبا، أنا أسد. هل تسمع؟ نعم.", ["c مرحبا،", "s أنا أسد.", "s هل تسمع؟", "s نعم."]),
    ("ar", "هل ينام الأسد؟ نعم؛ كثيرا.", ["s هل ينام الأسد؟", "s نعم؛ كثيرا."]),
    ("ur", "شیر سوتا ہے۔ ہاں۔", ["s شیر سوتا ہے۔", "s ہاں۔"]),
    ("ja", "こんにちは、ライオンです。どうぞ！", ["c こんにちは、", "s ライオンです。", "s どうぞ！"]),
    ("ja", "彼は言った。「行こう。」そして去った。", ["s 彼は言った。", "s 「行こう。」", "s そして去った。"]),
    ("ja", "ライオンはとてもしょうがない。", ["w ライオンはとても", "s しょうがない。"]),
    ("ja", "きょうはいいてしゃな。", ["w きょうはいいてしゃ", "s な。"]),
    ("th", "สวัสดีครับผมชื่อลีโอ", ["w สวัสดีครับผ", "s มชื่อลีโอ"]),
    ("fr", "Bonjour ! Je suis M. Lion. Oui.", ["s Bonjour !", "s Je suis M. Lion.", "s Oui."]),
    # Sentences that are too long are cut at a clause mark, else between words.
    ("en", "Hi! " + LONG * 2 + "here, " + LONG * 3, ["s Hi!", "c " + LONG * 2 + "here,", "s " + (LONG * 3).strip()]),
    (
        "en",
        "Hi! " + LONG * 5,
        ["s Hi!", "w " + (LONG * 5)[:CUT], "s " + (LONG * 5)[CUT:].strip()],
    ),
    ("zh", "好！" + PLAIN * 3 + "，" + PLAIN * 4 + "。", ["s 好！", "c " + PLAIN * 3 + "，", "s " + PLAIN * 4 + "。"]),
    ("zh", "好！" + PLAIN * 7, ["s 好！", "w " + (PLAIN * 7)[:80], "s " + (PLAIN * 7)[80:]]),
]
BOUNDARIES = {"c": "clause", "s": "sentence", "w": "word"}


def cuts(text: str, seed: int) -> list[str]:
    rng = random.Random(seed)
    tokens = []
    while text:
        size = rng.choice((1, 1, 2, 3, 4, 6, 9))
        tokens.append(text[:size])
        text = text[size:]
    return tokens


def phrases(tokens: list[str], language: str, first_words: int = 4) -> list[tuple[str, str]]:
    splitter = PhraseSplitter(first_words, language)
    split = [phrase for token in tokens for phrase in splitter.feed(token)] + splitter.flush()
    return [(phrase.boundary, phrase.text) for phrase in split]


@pytest.mark.parametrize(("language", "text", "expected"), CASES, ids=[f"{c[0]}-{c[1][:40]!r}" for c in CASES])
def test_text_is_split_as_the_table_says_however_it_is_cut_into_tokens(language, text, expected):
    wanted = [(BOUNDARIES[line[0]], line[2:]) for line in expected]
    assert phrases([text], language) == wanted
    assert phrases(list(text), language) == wanted
    for seed in range(20):
        assert phrases(cuts(text, seed), language) == wanted, f"seed {seed}"


def test_table_is_large_enough_and_without_repetition():
    assert len({(case[0], case[1]) for case in CASES}) == len(CASES) >= 110


@pytest.mark.parametrize(
    ("first_words", "first"),
    [(1, "The"), (2, "The lion"), (6, "The lion is a very big"), (8, "The lion is a very big cat.")],
)
def test_first_phrase_is_as_long_as_asked(first_words, first):
    assert split_text("The lion is a very big cat. It roars.", first_words)[0].text == first


def test_first_phrase_of_unspaced_script_counts_two_characters_as_a_word():
    assert split_text("狮子是一种大型猫科动物。", 2, "zh")[0].text == "狮子是一"


def test_first_phrase_without_words_is_refused():
    with pytest.raises(ValueError, match="at least one word"):
        PhraseSplitter(first_words=0)


def test_known_text_is_split_by_the_same_rule():
    text = "Hello, I am Leo. I live here."
    assert [(phrase.boundary, phrase.text) for phrase in split_text(text)] == phrases(list(text), "en")
