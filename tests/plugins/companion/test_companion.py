"""The companion, with what is embedded alone."""

import asyncio
import re
from contextlib import aclosing
from datetime import datetime

import pytest

from mynah import Grounding, Message, OutletOptions, SessionOptions, TurnFinished
from mynah.conversation.persona import Persona
from mynah.testing.hubs import run_hub
from mynah_companion import mynah_personas
from mynah_facts.answer import Answerer
from mynah_facts.index import Index

ASKED = {
    "Hello!": "hello", "How are you today?": "how_are_you", "I'm fine, thanks": "fine", "Who are you?": "who",
    "are you a human being": "real", "what can you do for me": "can", "What's the time, please?": "time",
    "which weekday is it today": "day", "Tell me a joke.": "joke", "do you know a riddle": "riddle",
    "will it rain tomorrow": "weather", "I'm feeling lonely": "sad", "I don't want to live any more": "crisis",
    "Thanks a lot!": "thanks", "good night": "bye", "can you sing a song for me": "sing",
    "you are very nice": "compliment",
}  # fmt: skip
BEYOND = [
    "who won the world cup",
    "what is the capital of france",
    "how many people live in china",
    "translate dog into german",
]


@pytest.fixture(scope="module")
def companion():
    [spec] = mynah_personas()
    return Persona(spec)


@pytest.fixture(scope="module")
def facts(companion):
    return companion.knowledge.subjects["companion"].facts


@pytest.fixture
def talk(companion):
    answerer = Answerer(Index(companion.knowledge))

    def talk(*said):
        messages, answers = [], []
        for text in said:
            messages.append(Message("user", text))
            answers.append(answerer.answer(messages, Grounding("companion", "en", companion.knowledge, {}, "No idea.")))
            messages.append(Message("assistant", answers[-1].text, answers[-1].subject))
        return [answer.text for answer in answers]

    return talk


@pytest.mark.parametrize("said", ASKED)
def test_it_has_an_answer_to_small_talk(talk, facts, said):
    assert any(talk(said)[0].startswith(fact.say) for fact in facts[ASKED[said]])


@pytest.mark.parametrize("said", BEYOND)
def test_what_it_does_not_know_it_says(talk, said):
    assert talk(said)[0].startswith("No idea.")


def test_jokes_do_not_repeat_until_all_were_told(talk, facts):
    assert set(talk(*["tell me a joke"] * len(facts["joke"]))) == {fact.say for fact in facts["joke"]}


def test_a_riddle_is_asked_helped_with_and_solved(talk):
    asked, helped, solved = talk("give me a riddle", "a frog", "it is an echo")
    assert asked.endswith("What am I?")
    assert "Shout hello in an empty hall." in helped
    assert solved.split()[0] in ("That's", "Well", "Yes,", "Very")


def test_it_says_that_it_is_a_program(talk):
    for question in ("are you a real person", "who are you", "do you have feelings", "do you love me"):
        assert "program" in talk(question)[0]


def test_somebody_in_danger_is_sent_to_people(talk):
    for said in ("I want to die", "I want to hurt myself", "somebody is hurting me"):
        assert "emergency number" in talk(said)[0]


async def test_it_tells_the_time_by_the_tool_of_the_hub(tmp_path):
    async with run_hub(tmp_path, installed=("companion", "facts", "espeak", "tools")) as hub:
        session = hub.open_session(SessionOptions(persona="companion"))
        async with aclosing(session.outputs(OutletOptions())) as outputs, asyncio.timeout(30):
            session.submit("what time is it")
            reply = await anext(output.reply async for output in outputs if isinstance(output, TurnFinished))
    hour, minute, weekday = re.fullmatch(r"It is (\d+):(\d+) on (\w+)\.", reply).groups()
    now = datetime.now()
    assert weekday == f"{now:%A}"
    assert abs(now.hour * 60 + now.minute - int(hour) * 60 - int(minute)) <= 1
