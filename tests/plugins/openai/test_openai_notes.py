from __future__ import annotations

import time

from counterparts.openai_server import OpenAIServer
from mynah import LISTENING, Attribute, AudioClip, Fact, Grounding, Knowledge, Message, Question, Subject
from mynah_openai.facts import FactFinder
from mynah_openai.notes import FACTS_CHARS, Notes


def subject(name, **facts):
    return Subject(name.replace(" ", "_"), name, f"{name}s", facts={key: (Fact(say),) for key, say in facts.items()})


ZOO = Knowledge(
    {
        each.id: each
        for each in (
            subject("lion", food="Lions eat meat.", weight="A lion weighs 190 kilograms."),
            subject("red panda", food="Red pandas eat bamboo.", weight="A red panda weighs 5 kilograms."),
            subject("owl", food="Owls eat mice.", wings="An owl's wings make no sound."),
        )
    },
    {
        "food": Attribute("food", "food", ("What do {plural} eat?", "What does {a_name} feed on?")),
        "weight": Attribute("weight", "weight", ("How heavy is {a_name}?",), more=("heavier",)),
        "wings": Attribute("wings", "wings", ("How do {plural} fly?",)),
    },
)


def test_the_fact_that_is_asked_for_comes_first():
    assert FactFinder(ZOO).find("How heavy are lions?", (), 1000)[0] == "A lion weighs 190 kilograms."


def test_it_is_the_animal_of_the_place_or_of_the_conversation():
    finder = FactFinder(ZOO)
    assert finder.find("What does it eat?", ("red_panda",), 1000)[0] == "Red pandas eat bamboo."
    assert finder.find("And what do owls eat?", ("red_panda",), 1000)[0] == "Owls eat mice."


def test_a_question_about_two_animals_gets_facts_of_both():
    assert set(FactFinder(ZOO).find("Is a lion heavier than a red panda?", (), 1000)[:2]) == {
        "A lion weighs 190 kilograms.",
        "A red panda weighs 5 kilograms.",
    }


def test_a_question_for_the_most_gets_the_facts_at_the_top_of_the_list():
    beasts = {
        f"b{n}": Subject(f"b{n}", f"beast{n}", f"beast{n}s", facts={"speed": (Fact(f"Number {n}.", float(n)),)})
        for n in range(20)
    }
    zoo = Knowledge(beasts, {"speed": Attribute("speed", "speed", most=("fastest",), least=("slowest",))})
    assert FactFinder(zoo).find("Which is the fastest?", (), 1000)[:2] == ["Number 19.", "Number 18."]
    assert FactFinder(zoo).find("Which is the slowest?", (), 1000)[:2] == ["Number 0.", "Number 1."]


def test_the_longest_name_is_meant():
    panda = Subject("giant_panda", "giant panda", "giant pandas", ("panda",), facts={"food": (Fact("Pandas munch."),)})
    zoo = Knowledge({**ZOO.subjects, panda.id: panda}, ZOO.attributes)
    assert "Pandas munch." not in FactFinder(zoo).find("What do red pandas eat?", (), 1000)
    assert FactFinder(zoo).find("What do pandas eat?", (), 1000)[0] == "Pandas munch."


def test_a_question_about_nothing_known_gets_no_facts():
    assert FactFinder(ZOO).find("Zebra crossing?", (), 1000) == []


def test_a_question_in_chinese_gets_facts_in_chinese():
    lessons = {
        "fraction": Subject("fraction", "分数", "分数", facts={"lesson": (Fact("分数是整体的一部分。"),)}),
        "planet": Subject("planet", "行星", "行星", facts={"lesson": (Fact("行星绕着恒星转。"),)}),
    }
    assert FactFinder(Knowledge(lessons, {}, "zh")).find("请问什么是分数？", (), 1000) == ["分数是整体的一部分。"]


def test_what_may_be_asked_back_is_told_with_the_fact():
    ask = Question("What is half of eight?", ("four",))
    lesson = Subject("fraction", "fraction", "fractions", facts={"lesson": (Fact("A fraction is a part.", ask=ask),)})
    assert FactFinder(Knowledge({"fraction": lesson})).find("explain fractions", (), 1000) == [
        "A fraction is a part. (To ask back: What is half of eight? Right: four.)"
    ]


def test_what_only_a_tool_knows_is_no_fact():
    clock = Subject("clock", "clock", "clocks", facts={"time": (Fact("It is {time}.", tool="time_of_day"),)})
    assert FactFinder(Knowledge({"clock": clock})).find("what does the clock say", (), 1000) == []


def test_facts_are_bounded():
    long = Knowledge({f"s{n}": subject(f"beast {n}", food="Beasts eat " + "grass " * 20) for n in range(100)})
    assert sum(map(len, FactFinder(long).find("What do beasts eat?", (), FACTS_CHARS))) <= FACTS_CHARS


def test_the_note_has_language_place_and_facts():
    grounding = Grounding(language="fr", knowledge=ZOO, context={"exhibit": "red_panda"})
    note = Notes().note([Message("user", "What does it eat?")], grounding)
    assert note.splitlines()[:3] == [
        "Answer in French.",
        "Where this is spoken: exhibit: red panda.",
        "You know about: lions, red pandas, owls.",
    ]
    assert "- Red pandas eat bamboo." in note


def test_the_note_for_a_spoken_question_has_the_facts_of_the_place():
    grounding = Grounding(knowledge=ZOO, context={"exhibit": "owl"})
    note = Notes().note([Message("user", AudioClip(b"", LISTENING))], grounding)
    assert "- Owls eat mice." in note
    assert "Lions" not in note


def test_a_language_without_a_known_name_is_told_by_its_tag():
    assert Notes().note([], Grounding(language="tlh")) == "Answer in the language of the tag tlh."


async def test_finding_facts_in_a_whole_zoo_takes_a_moment():
    zoo = Knowledge(
        {
            f"s{n}": subject(f"beast {n}", **{f"a{k}": f"Beast {n} has {k} of them." for k in range(10)})
            for n in range(45)
        }
    )
    notes, grounding = Notes(), Grounding(knowledge=zoo)
    await notes.prepare(zoo)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        notes.note([Message("user", "What does beast 7 have?")], grounding)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.05


async def test_the_facts_reach_the_model(server: OpenAIServer, opened, reply):
    async with opened("llm") as engine:
        await reply(engine, [Message("system", "Be brief."), Message("user", "What do lions eat?")],
                    grounding=Grounding(knowledge=ZOO))  # fmt: skip
    system = server.asked("completions")[0].body["messages"][0]["content"]
    assert system.startswith("Be brief.\n\nAnswer in English.\n")
    assert "- Lions eat meat." in system
