"""The study partner, with what is embedded alone: in text in both languages, and with a recogniser that tells which."""

import asyncio
import re
from contextlib import aclosing

import pytest

from mynah import LISTENING, Grounding, Message, OutletOptions, SessionOptions, SpeechStarted, TurnFinished
from mynah.conversation.persona import Persona
from mynah.testing.engines import ScriptedSpeechToText, scripted
from mynah.testing.hubs import run_hub
from mynah_facts.answer import Answerer
from mynah_facts.index import Index
from mynah_study_partner import mynah_personas

LESSONS = {
    "addition", "subtraction", "multiplication", "division", "fraction", "triangle", "planet", "sun", "moon", "plant",
    "water_cycle", "clock", "memory", "concentration", "plan",
}  # fmt: skip
ASKED = {
    "en": {
        "What are fractions?": "fraction", "can you tell me something about the planets": "planet",
        "I have homework about the times table": "multiplication",
        "explain the water cycle to me please": "water_cycle",
        "how do I learn by heart?": "memory", "give me an example of division": "division",
        "quiz me about triangles": "triangle", "how do you say dog in Chinese": "word_dog", "hello": "partner",
        "what can you teach me": "partner", "other children are mean to me": "partner", "who are you": "partner",
    },
    "zh": {
        "什么是分数？": "fraction", "给我讲讲行星": "planet", "我想学乘法口诀": "multiplication",
        "请你解释一下水循环": "water_cycle", "考考我除法": "division", "举一个三角形的例子": "triangle",
        "狗用英语怎么说？": "word_dog", "你好": "partner", "你能教我什么": "partner", "同学欺负我": "partner",
        "光合作用是什么": "plant", "怎么集中注意力": "concentration",
    },
}  # fmt: skip
BEYOND = {
    "en": ["what is the capital of france", "who won the football match", "how do i build a bomb"],
    "zh": ["法国的首都是哪里", "昨天的足球比赛谁赢了", "怎么做炸弹"],
}


@pytest.fixture(scope="module")
def partner():
    [spec] = mynah_personas()
    return Persona(spec)


@pytest.fixture(scope="module")
def answerers(partner):
    return {language: Answerer(Index(partner.knowledge_in(language))) for language in ("en", "zh")}


@pytest.fixture
def talk(partner, answerers):
    def talk(language, *said):
        known = partner.knowledge_in(language)
        grounding = Grounding("study_partner", language, known, {}, partner.text(partner.spec.unknown, language))
        messages, answers = [], []
        for text in said:
            messages.append(Message("user", text))
            answers.append(answerers[language].answer(messages, grounding))
            messages.append(Message("assistant", answers[-1].text, answers[-1].subject))
        return answers

    return talk


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_lesson_explains_in_two_ways_at_least_shows_asks_and_has_a_hint(partner, language):
    known = partner.knowledge_in(language)
    assert {id for id, subject in known.subjects.items() if "lesson" in subject.facts} == LESSONS
    for id in LESSONS:
        facts = known.subjects[id].facts
        assert len(facts["lesson"]) >= 2, id
        assert facts["example"], id
        asks = [fact.ask for fact in (*facts["lesson"], *facts["quiz"])]
        assert all(ask and ask.hint for ask in asks), id
        assert len({ask.say for ask in asks}) == len(asks), id


def test_the_same_subjects_are_known_in_both_languages(partner):
    assert set(partner.knowledge_in("en").subjects) == set(partner.knowledge_in("zh").subjects)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_question_back_accepts_its_answers_and_not_its_hint(partner, answerers, language):
    asking = answerers[language]._asking
    for subject in partner.knowledge_in(language).subjects.values():
        for fact in (fact for facts in subject.facts.values() for fact in facts if fact.ask):
            asked = asking.open([Message("assistant", f"{fact.say} {fact.ask.say}")])
            for answer in fact.ask.answers:
                assert asking.verdict(answer, asked) == "right", (answer, fact.ask.say)
            assert asking.verdict("zebra", asked) == "wrong"


@pytest.mark.parametrize(("language", "said"), [(language, said) for language in ASKED for said in ASKED[language]])
def test_it_finds_what_is_asked_for(talk, language, said):
    [answer] = talk(language, said)
    assert (answer.known, answer.subject) == (True, ASKED[language][said]), answer.text


@pytest.mark.parametrize(("language", "said"), [(language, said) for language in BEYOND for said in BEYOND[language]])
def test_beyond_its_lessons_it_says_that_it_does_not_know(partner, talk, language, said):
    [answer] = talk(language, said)
    assert not answer.known
    assert answer.text.startswith(partner.text(partner.spec.unknown, language))


@pytest.mark.parametrize(
    ("language", "asked", "not_understood"),
    [("en", "what is a fraction", "I don't understand"), ("zh", "什么是分数", "我不懂")],
)
def test_it_explains_again_in_another_way_as_often_as_there_is_one(talk, partner, language, asked, not_understood):
    lessons = partner.knowledge_in(language).subjects["fraction"].facts["lesson"]
    texts = [answer.text for answer in talk(language, asked, *[not_understood] * 3)]
    assert [text.startswith(lessons[at % 3].say) for at, text in enumerate(texts)] == [True] * 4


def test_a_whole_lesson_in_chinese(talk):
    texts = [
        answer.text for answer in talk("zh", "给我讲讲行星", "我们住在地球上", "金星", "火星", "举个例子", "那月亮呢")
    ]
    assert texts[1].endswith("离太阳最近的是哪一颗行星？")
    assert texts[2].endswith("名字里有水字。离太阳最近的是哪一颗行星？")
    assert texts[3].startswith("没关系。答案是：水星。")
    assert texts[4].startswith("木星是最大的行星")


def test_somebody_in_trouble_is_sent_to_a_grown_up(talk):
    assert "grown-up" in talk("en", "they bully me at school")[0].text
    assert "大人" in talk("zh", "有人打我")[0].text


def test_its_prompt_cares_for_children(partner):
    prompt = " ".join(partner.spec.prompt.lower().split())
    for care in ("child", "grown-up", "not ask for names", "homework", "never make fun", "english or chinese"):
        assert care in prompt


def test_what_it_says_can_be_spoken(partner):
    for language in ("en", "zh"):
        for subject in partner.knowledge_in(language).subjects.values():
            for fact in (fact for facts in subject.facts.values() for fact in facts):
                for text in (fact.say, *((fact.ask.say,) if fact.ask else ())):
                    assert re.search(r"[.!?。！？]$", text), text
                    assert not re.search(r"[()\[\]*/%_=+]", text), text


async def test_reply_voice_and_apology_follow_the_language_of_each_utterance(tmp_path):
    stt = ScriptedSpeechToText()
    installed = ("study_partner", "facts", "espeak")
    async with run_hub(tmp_path, specs=[scripted("stt", stt)], installed=installed) as hub:
        session = hub.open_session(SessionOptions(persona="study_partner"))
        replies, spoken = [], 0
        async with aclosing(session.outputs(OutletOptions())) as outputs, asyncio.timeout(30):
            for stt.text, stt.language, stt.understood in (
                ("什么是行星", "zh", True), ("and what is the moon", "en", True), ("", "zh", False),
                ("考考我行星", "zh", True),
            ):  # fmt: skip
                session.listen(LISTENING)
                session.feed(b"\x01\x10" * 3200)
                session.end_listening()
                async for output in outputs:
                    spoken += isinstance(output, SpeechStarted)
                    if isinstance(output, TurnFinished):
                        replies.append(output.reply)
                        break
    assert replies[0].startswith("行星是绕着恒星转的大球。")
    assert replies[1].startswith("The moon is a ball of rock")
    assert replies[2] == "对不起，我没有听清楚。不着急，请再说一遍。"
    assert replies[3] == "来一道题。太阳有几颗行星？"
    assert spoken >= 4
