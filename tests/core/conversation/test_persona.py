from pathlib import Path
from textwrap import dedent

import pytest

from mynah import ConfigError, Fact, PersonaSpec, Voice
from mynah.conversation.persona import Persona, load_knowledge, personas

ANIMALS = """
    subjects:
      - id: lion
        name: lion
        plural: lions
        also: [lioness]
        kind: mammal
        facts:
          diet: {say: "Lions eat meat.", source: "a book"}
          weight: {say: "A lion weighs 170 kilograms.", value: 170, unit: kilograms}
          surprise:
            - {say: "Lions roar."}
            - {say: "Lions live in prides."}
"""
QUESTIONS = """
    attributes:
      diet: {title: food, questions: ["what do {plural} eat", "what does {a_name} eat"], also: [what is their menu]}
      weight: {title: weight, questions: ["how heavy is {a_name}"], more: [heavier], least: [lightest]}
"""


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        (tmp_path / name).write_text(dedent(text), encoding="utf-8")
        return tmp_path / name

    return write


def problems(*files):
    with pytest.raises(ConfigError) as error:
        load_knowledge(files)
    return [str(problem) for problem in error.value.problems]


def test_reads_subjects_with_their_facts(write):
    lion = load_knowledge([write("animals.yaml", ANIMALS)]).subjects["lion"]
    assert (lion.name, lion.plural, lion.also, lion.kind) == ("lion", "lions", ("lioness",), "mammal")
    assert lion.facts["diet"] == (Fact("Lions eat meat.", source="a book"),)
    assert lion.facts["weight"][0].value == 170.0
    assert [fact.say for fact in lion.facts["surprise"]] == ["Lions roar.", "Lions live in prides."]


def test_reads_how_people_ask(write):
    weight = load_knowledge([write("questions.yaml", QUESTIONS)]).attributes["weight"]
    assert (weight.title, weight.questions) == ("weight", ("how heavy is {a_name}",))
    assert (weight.more, weight.less, weight.least) == (("heavier",), (), ("lightest",))


def test_rarer_ways_of_asking_are_not_among_the_questions_to_expect(write):
    knowledge = load_knowledge([write("animals.yaml", ANIMALS), write("questions.yaml", QUESTIONS)])
    assert "what is their menu" not in set(knowledge.questions())
    assert "what does a lioness eat" in set(knowledge.questions())


def test_a_later_file_adds_facts_to_a_subject_and_replaces_those_of_the_same_attribute(write):
    visit = write("visit.yaml", 'subjects: [{id: lion, facts: {diet: {say: "Beef."}, place: {say: "Over there."}}}]')
    lion = load_knowledge([write("animals.yaml", ANIMALS), visit]).subjects["lion"]
    assert lion.name == "lion"
    assert [fact.say for fact in (*lion.facts["diet"], *lion.facts["place"])] == ["Beef.", "Over there."]
    assert lion.facts["weight"]


def test_facts_may_come_before_the_name_of_their_subject(write):
    visit = write("visit.yaml", 'subjects: [{id: lion, facts: {place: {say: "Over there."}}}]')
    lion = load_knowledge([visit, write("animals.yaml", ANIMALS)]).subjects["lion"]
    assert lion.name == "lion"
    assert "place" in lion.facts


def test_a_later_file_changes_what_it_names_of_an_attribute(write):
    more = write("more.yaml", "attributes: {diet: {title: meals}}")
    diet = load_knowledge([write("questions.yaml", QUESTIONS), more]).attributes["diet"]
    assert diet.title == "meals"
    assert len(diet.questions) == 2


def test_a_plural_that_is_not_given_ends_in_s(write):
    assert load_knowledge([write("a.yaml", "subjects: [{id: cat, name: cat}]")]).subjects["cat"].plural == "cats"


def test_an_empty_file_is_no_knowledge(write):
    assert not load_knowledge([write("empty.yaml", "")])


def test_a_subject_that_no_file_names_is_a_mistake(write):
    file = write("visit.yaml", '\n    subjects:\n      - id: lino\n        facts: {place: {say: "There."}}\n')
    [problem] = problems(file)
    assert problem.startswith("visit.yaml:3: subjects → 0: no file says what 'lino' is called")


def test_every_mistake_in_every_file_is_told_with_its_line(write):
    one = write("one.yaml", "subjects:\n  - id: lion\n    nmae: lion\n  - name: tiger\n")
    two = write("two.yaml", "subjects:\n  - id: owl\n    name: owl\n    facts:\n      diet: {sya: Mice.}\n")
    found = problems(one, two)
    assert any(p.startswith("one.yaml:3: subjects → 0 → nmae: unknown key; known are also, facts, id") for p in found)
    assert any(p.startswith("one.yaml:4: subjects → 1 → id: every subject needs an id") for p in found)
    assert any(
        p.startswith("two.yaml:5: subjects → 0 → facts → diet → say: every fact needs a sentence") for p in found
    )
    assert any(p.startswith("two.yaml:5: subjects → 0 → facts → diet → sya: unknown key") for p in found)


def test_a_value_must_be_a_number(write):
    text = 'subjects:\n  - id: owl\n    name: owl\n    facts:\n      weight:\n        - {say: "Light.", value: two}\n'
    [problem] = problems(write("owls.yaml", text))
    assert problem.startswith("owls.yaml:6: subjects → 0 → facts → weight → 0 → value")


def test_an_attribute_without_any_fact_is_a_mistake(write):
    [problem] = problems(write("owls.yaml", "subjects: [{id: owl, name: owl, facts: {diet: []}}]"))
    assert "facts → diet: is empty" in problem


def test_a_template_with_an_unknown_placeholder_is_a_mistake(write):
    [problem] = problems(write("q.yaml", 'attributes:\n  diet:\n    also:\n      - "what do {plurals} eat"\n'))
    assert problem == (
        "q.yaml:4: attributes → diet → also → 0: nothing is called {plurals}; "
        "a question may hold {name}, {a_name} or {plural}"
    )


def test_a_file_that_is_missing_or_no_yaml_is_told_by_name(write, tmp_path):
    found = problems(tmp_path / "gone.yaml", write("broken.yaml", "subjects: [\n"))
    assert found[0].startswith("gone.yaml: cannot be read: No such file")
    assert found[1].startswith("broken.yaml:2: is not YAML")


def test_a_persona_reads_its_knowledge_once_and_when_asked(write, tmp_path):
    persona = Persona(PersonaSpec(name="guide", title="Guide", knowledge=(tmp_path / "animals.yaml",)))
    write("animals.yaml", ANIMALS)
    assert persona.knowledge is persona.knowledge
    assert "lion" in persona.knowledge.subjects


def test_hints_are_the_questions_and_the_names(write):
    files = (write("animals.yaml", ANIMALS), write("questions.yaml", QUESTIONS))
    hints = Persona(PersonaSpec(name="guide", title="Guide", knowledge=files)).hints()
    assert hints.words == ("lion", "lions", "lioness")
    assert "what do lions eat" in hints.questions
    assert len(hints.questions) == len(set(hints.questions))


@pytest.mark.parametrize(
    ("context", "said"),
    [({"exhibit": "lion"}, "Hello! Ask me about the lions."), ({"exhibit": "ghost"}, "Hello!"), ({}, "Hello!")],
)
def test_a_greeting_names_what_stands_there(write, context, said):
    spec = PersonaSpec(name="guide", title="Guide", greeting="Hello! Ask me about the {subject}.")
    persona = Persona(PersonaSpec(**{**_fields(spec), "knowledge": (write("animals.yaml", ANIMALS),)}))
    assert persona.greeting(context) == said


def test_yaml_is_put_over_the_personas_of_plugins():
    spec = PersonaSpec(name="guide", title="Guide", prompt="Be kind.", voice=Voice(gender="female", rate=0.9))
    known = personas([spec], {"guide": {"title": "Our guide", "voice": {"rate": 1.1}}})["guide"].spec
    assert (known.title, known.prompt, known.voice) == ("Our guide", "Be kind.", Voice(gender="female", rate=1.1))


def test_yaml_alone_makes_a_persona():
    known = personas([], {"night_watch": {"prompt": "Whisper."}})
    assert known["night_watch"].spec == PersonaSpec(name="night_watch", title="Night watch", prompt="Whisper.")


def test_personas_come_in_the_order_of_their_names():
    specs = [PersonaSpec(name=name, title=name) for name in ("owl", "bat")]
    assert list(personas(specs, {"cat": None})) == ["bat", "cat", "owl"]


def test_own_knowledge_takes_the_place_of_the_plugins_facts_but_not_of_its_questions(write, tmp_path):
    animals, questions = write("animals.yaml", ANIMALS), write("questions.yaml", QUESTIONS)
    spec = PersonaSpec(name="guide", title="Guide", knowledge=(animals, questions))
    own = personas([spec], {"guide": {"knowledge": ["own.yaml"]}}, folder=tmp_path)["guide"].spec
    assert own.knowledge == (questions, tmp_path / "own.yaml")


def test_an_empty_list_takes_all_knowledge_away(write):
    spec = PersonaSpec(name="guide", title="Guide", knowledge=(write("questions.yaml", QUESTIONS),))
    assert personas([spec], {"guide": {"knowledge": []}})["guide"].spec.knowledge == ()


def test_an_absolute_path_stays_as_it_is(tmp_path):
    file = tmp_path / "a.yaml"
    known = personas([], {"guide": {"knowledge": [str(file)]}}, folder=Path("elsewhere"))
    assert known["guide"].spec.knowledge == (file,)


def _fields(spec):
    return {name: getattr(spec, name) for name in spec.__dataclass_fields__}


def test_tools_and_acknowledgement_can_be_changed():
    spec = PersonaSpec(name="guide", title="A guide", acknowledgement="One moment.")
    changed = personas([spec], {"guide": {"tools": ["lamp"], "acknowledgement": ""}})["guide"].spec
    assert (changed.tools, changed.acknowledgement) == (("lamp",), "")


def test_what_else_people_may_say_is_told_to_recognisers_by_language():
    said = {"en": ["good morning"], "es": ["buenos días"]}
    persona = Persona(PersonaSpec(name="desk", title="A desk", expects=lambda language: said.get(language, ())))
    assert persona.hints().questions == ("good morning",)
    assert persona.hints("es").questions == ("buenos días",)
    assert persona.hints("de").questions == ()
