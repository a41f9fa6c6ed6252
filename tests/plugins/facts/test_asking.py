"""Questions that a fact puts to the listener: what answers them, and what is said then."""

import pytest

from mynah import Attribute, Fact, Grounding, Knowledge, Message, Question, Subject, Tool, ToolCall
from mynah_facts.answer import Answerer
from mynah_facts.asking import Asking, Open
from mynah_facts.engine import FactsEngine
from mynah_facts.index import Index
from mynah_facts.numerals import normal

HALF = Question("What is half of eight?", ("4",), "Share it between two.")
QUARTER = Question("What is a quarter of eight?", ("2",), "Halve it twice.")
CAT = Question("猫用英语怎么说？", ("cat",), "第一个字母是 c。")


@pytest.fixture
def lessons():
    facts = {
        "lesson": (Fact("A fraction is a part.", ask=HALF), Fact("Fold a sheet of paper.", ask=QUARTER)),
        "example": (Fact("Half an hour."),),
    }
    subjects = {
        "fraction": Subject("fraction", "fraction", "fractions", facts=facts),
        "planet": Subject("planet", "planet", "planets", facts={"lesson": (Fact("A planet is a ball."),)}),
    }
    ways = ("{plural}", "what is {a_name}", "tell me about {plural}", "i do not understand", "explain it again")
    examples = ("give me an example of {plural}", "give me an example")
    attributes = {"lesson": Attribute("lesson", "basics", ways), "example": Attribute("example", "examples", examples)}
    return Knowledge(subjects, attributes, "en")


@pytest.fixture
def learn(lessons):
    answerer = Answerer(Index(lessons))

    def learn(*said):
        messages, answers = [], []
        for text in said:
            messages.append(Message("user", text))
            answer = answerer.answer(messages, Grounding("tutor", "en", lessons, {}, "No idea."))
            answers.append(answer)
            messages.append(Message("assistant", answer.text, answer.subject))
        return [answer.text for answer in answers]

    return learn


def test_a_fact_asks_back_right_after_it(learn):
    assert learn("tell me about fractions") == ["A fraction is a part. What is half of eight?"]


def test_a_subject_that_is_only_named_is_told_of_where_a_template_is_only_a_name(learn):
    assert learn("fractions") == learn("tell me about fractions")


def test_not_to_understand_brings_another_explanation_of_the_same(learn):
    assert learn("fractions", "I don't understand")[1] == "Fold a sheet of paper. What is a quarter of eight?"


@pytest.mark.parametrize("said", ["four", "It's 4.", "I think it is four", "eight by two is four", "4!"])
def test_a_right_answer_is_praised_and_followed_by_the_next_question(learn, said):
    reply = learn("fractions", said)[1]
    assert reply.endswith(QUARTER.say)
    assert HALF.hint not in reply


@pytest.mark.parametrize("said", ["five", "not four", "sixteen", "forty four", "bananas"])
def test_a_wrong_answer_brings_a_hint_and_the_question_again(learn, said):
    assert learn("fractions", said)[1].endswith(f"{HALF.hint} {HALF.say}")


def test_after_a_second_wrong_answer_the_right_one_is_told(learn):
    assert learn("fractions", "five", "six")[2] == (
        "No problem. The answer is: 4. Share it between two. What is a quarter of eight?"
    )


@pytest.mark.parametrize("said", ["I don't know", "no idea", "Tell me the answer!"])
def test_who_gives_up_is_told_the_answer(learn, said):
    assert learn("fractions", said)[1].startswith("No problem. The answer is: 4.")


def test_when_all_was_asked_it_asks_for_another_subject(learn):
    assert learn("fractions", "four", "two")[2].endswith("What would you like to hear about now?")


def test_another_question_is_answered_instead(learn):
    assert learn("fractions", "give me an example", "what is a planet")[1:] == ["Half an hour.", "A planet is a ball."]


def test_a_question_that_nobody_can_answer_is_no_wrong_answer(learn):
    assert learn("fractions", "who won the match yesterday")[1].startswith("No idea.")


def test_the_name_of_what_was_asked_about_is_an_answer(learn):
    assert learn("fractions", "fractions")[1].endswith(f"{HALF.hint} {HALF.say}")


def test_a_question_that_was_not_heard_to_its_end_is_not_open(lessons):
    messages = [Message("assistant", "A fraction is a part. What is"), Message("user", "four")]
    assert Asking(lessons).open(messages) is None


def test_in_chinese_too():
    words = Subject("words", "单词", "单词", facts={"word": (Fact("猫。", ask=CAT),)})
    asking = Asking(Knowledge({"words": words}, {}, "zh"))
    messages = [Message("assistant", f"猫。{CAT.say}"), Message("user", "dog")]
    asked = asking.open(messages)
    assert asked == Open("words", CAT, 1)
    verdicts = {"是 cat": "right", "Cat!": "right", "dog": "wrong", "我不知道": "given_up", "为什么呢": "no_answer"}
    assert {said: asking.verdict(said, asked) for said in verdicts} == verdicts
    assert asking.verdict("不是 cat", asked) == "wrong"
    assert asking.reply("wrong", asked, messages) == f"差不多了，再想一想。{CAT.hint}{CAT.say}"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("fifty-six", ["56"]), ("a hundred and eighty", ["180"]), ("one hundred and eighty", ["180"]),
        ("three hundred", ["300"]), ("twenty four", ["24"]), ("seven", ["7"]), ("007", ["007"]),
        ("一千零五", ["1005"]), ("五十六", ["56"]), ("一百八十", ["180"]), ("十五", ["15"]), ("两", ["2"]),
    ],
)  # fmt: skip
def test_numbers_are_the_same_in_words_and_digits(text, numbers):
    assert normal(text) == numbers


# ---------------------------------------------------------------- facts that need a tool


async def replies(engine, messages, grounding, tools=()):
    return [item async for item in engine.reply(messages, grounding=grounding, tools=tools)]


async def test_a_fact_calls_the_tool_that_it_names_and_tells_what_that_tells():
    clock = Knowledge(
        {"me": Subject("me", "me", "me", facts={"time": (Fact("It is {time}.", tool="time_of_day"),)})},
        {"time": Attribute("time", "time", ("what time is it", "tell me the time"))},
    )
    engine, grounding = FactsEngine(), Grounding("tutor", "en", clock, {}, "No idea.")
    asked, tool = [Message("user", "what time is it")], Tool("time_of_day", "", {})
    [_, call] = await replies(engine, asked, grounding, [tool])
    assert call == ToolCall("fact", "time_of_day", {})
    told = [*asked, Message("assistant", "", calls=(call,)), Message("tool", '{"time": "12:30"}', call_id="fact")]
    assert "".join(t.text for t in (await replies(engine, told, grounding, [tool]))[1:]) == "It is 12:30."
    failed = [*told[:-1], Message("tool", "it failed", call_id="fact")]
    assert "".join(t.text for t in (await replies(engine, failed, grounding, [tool]))[1:]) == "No idea."
    assert "".join(t.text for t in (await replies(engine, asked, grounding))[1:]) == "No idea."
    await engine.close()
