"""The few sentences the answerer makes itself, by language. All else that it says stands in the knowledge."""

from __future__ import annotations

from collections.abc import Sequence

from mynah import Subject
from mynah_facts.english import QUESTION_WORDS


class English:
    """Sentences in English."""

    unknown_alone = "I'm sorry, I don't know that."
    nothing_asked = "Sorry, I did not hear a question."
    same = "They are about the same."
    right = ("That's right!", "Well done!", "Yes, exactly!", "Very good!")
    not_quite = ("Not quite.", "Nearly, have another think.", "Not yet, but take your time.")

    def unknown(self, sorry: str, example: str = "") -> str:
        """Say that the answer is not known, and what could be asked instead."""
        if not example:
            return sorry
        ask, mark = ("ask me", "?") if example.split()[0] in QUESTION_WORDS else ("say", ".")
        return f"{sorry} You can {ask}, for example: {example[:1].upper()}{example[1:]}{mark}"

    def unknown_about(self, subject: Subject, topics: Sequence[str]) -> str:
        """Say that this is not known about `subject`, and what is."""
        sorry = f"I'm sorry, I don't know that about {subject.plural}"
        return f"{sorry}, but I can tell you about their {self.listed(topics, 'or')}." if topics else f"{sorry}."

    def what_about(self, subject: Subject, topics: Sequence[str]) -> str:
        """Ask what is to be told about a subject that was only named."""
        offer = f" I can tell you about their {self.listed(topics, 'or')}." if topics else ""
        return f"What would you like to know about {subject.plural}?{offer}"

    def which_one(self, names: str) -> str:
        """Ask which subject is meant; `names` are some that could be."""
        return f"Which one do you mean? You can ask me about {names}, for example."

    def comparison(self, winner: Subject, word: str, loser: Subject, *, asked: bool | None) -> str:
        """Say which of two has more, with its adjective where there is one; `asked` answers yes or no first."""
        yes = "" if asked is None else "Yes." if asked else "No."
        verdict = f"The {winner.name} is {word} than the {loser.name}." if word else ""
        return f"{yes} {verdict}".strip() or f"It is the {winner.name}."

    def superlative(self, winners: Sequence[Subject], word: str, kind: str) -> str:
        """Say which of all have the most, with its adjective where there is one."""
        names = self.listed([f"the {winner.name}" for winner in winners], "and")
        are = "is" if len(winners) == 1 else "are"
        return f"The {word} {kind + ' ' if kind else ''}that I know of {are} {names}." if word else f"It is {names}."

    def listed(self, words: Sequence[str], last: str) -> str:
        """Join words as a list is spoken: "food, size or age"."""
        return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"

    def joined(self, sentences: Sequence[str]) -> str:
        """Join sentences."""
        return " ".join(each for each in sentences if each)

    def answer_is(self, answer: str) -> str:
        """Tell the answer to a question that the listener was asked."""
        return f"No problem. The answer is: {answer}."

    def no_more(self, subject: Subject) -> str:
        """Say that there is nothing more to ask about `subject`."""
        return "That was my last question about this. What would you like to hear about now?"


class Chinese(English):
    """The same in Chinese."""

    unknown_alone = "对不起，这个我不知道。"
    nothing_asked = "对不起，我没有听到问题。"
    same = "它们差不多。"
    right = ("答对了！", "真棒！", "没错，就是这样！", "很好！")
    not_quite = ("还差一点儿。", "差不多了，再想一想。", "不着急，慢慢想。")

    def unknown(self, sorry: str, example: str = "") -> str:
        """Say that the answer is not known, and what could be asked instead."""
        return f"{sorry}你可以问我，比如：{example}？" if example else sorry

    def unknown_about(self, subject: Subject, topics: Sequence[str]) -> str:
        """Say that this is not known about `subject`, and what is."""
        sorry = f"对不起，关于{subject.name}，这个我不知道"
        return f"{sorry}，不过我可以讲它的{self.listed(topics, '')}。" if topics else f"{sorry}。"

    def what_about(self, subject: Subject, topics: Sequence[str]) -> str:
        """Ask what is to be told about a subject that was only named."""
        offer = f"我可以讲它的{self.listed(topics, '')}。" if topics else ""
        return f"关于{subject.name}，你想知道什么？{offer}"

    def which_one(self, names: str) -> str:
        """Ask which subject is meant."""
        return f"你说的是哪一个？说出来就行，比如{names}。"

    def comparison(self, winner: Subject, word: str, loser: Subject, *, asked: bool | None) -> str:
        """Say which of two has more."""
        yes = "" if asked is None else "是的。" if asked else "不是。"
        return f"{yes}{winner.name}比{loser.name}{word}。" if word else f"{yes}是{winner.name}。"

    def superlative(self, winners: Sequence[Subject], word: str, kind: str) -> str:
        """Say which of all have the most."""
        return f"我知道的{word}的是{self.listed([winner.name for winner in winners], '')}。"

    def listed(self, words: Sequence[str], last: str) -> str:
        """Join words as a list is spoken."""
        return "、".join(words)

    def joined(self, sentences: Sequence[str]) -> str:
        """Join sentences, which need no spaces."""
        return "".join(sentences)

    def answer_is(self, answer: str) -> str:
        """Tell the answer to a question that the listener was asked."""
        return f"没关系。答案是：{answer}。"

    def no_more(self, subject: Subject) -> str:
        """Say that there is nothing more to ask about `subject`."""
        return "这方面的问题都问完了。接下来你想听什么？"


_CHINESE = Chinese()
_ENGLISH = English()


def wording(language: str) -> English:
    """Return the sentences in a language: in English where there are none in it."""
    return _CHINESE if language.lower().split("-")[0] == "zh" else _ENGLISH
