import pytest

from mynah import Attribute, Fact, Grounding, Knowledge, Message, Subject
from mynah.conversation.persona import Persona
from mynah_facts.answer import Answerer
from mynah_facts.index import Index
from mynah_zoo_guide import mynah_personas


@pytest.fixture(scope="session")
def zoo():
    [spec] = mynah_personas()
    return Persona(spec).knowledge


@pytest.fixture(scope="session")
def zoo_index(zoo):
    return Index(zoo)


@pytest.fixture(scope="session")
def zoo_answerer(zoo_index):
    return Answerer(zoo_index)


@pytest.fixture
def talk(zoo, zoo_answerer):
    """Hold a conversation with the zoo guide; return its answers."""

    def talk(*questions, exhibit="", language="en", unknown=""):
        context = {"exhibit": exhibit} if exhibit else {}
        grounding = Grounding("zoo_guide", language, zoo, context, unknown)
        messages = [Message("system", "Be kind.")]
        answers = []
        for question in questions:
            messages.append(Message("user", question))
            answers.append(zoo_answerer.answer(messages, grounding))
            messages.append(Message("assistant", answers[-1].text, subject=answers[-1].subject))
        return answers

    return talk


@pytest.fixture
def fact(zoo):
    """Return what is said of a subject's attribute."""
    return lambda subject, attribute, number=0: zoo.subjects[subject].facts[attribute][number].say


@pytest.fixture
def small():
    """A knowledge of two birds, small enough to see through."""
    owl = Subject("owl", "owl", "owls", facts={"diet": (Fact("Owls eat mice."),), "weight": (Fact("Two.", 2.0, "kg"),)})
    hen = Subject("hen", "hen", "hens", facts={"diet": (Fact("Hens eat corn."),), "weight": (Fact("One.", 1.0, "kg"),)})
    farm = Subject("farm", "farm", "farms", facts={"shop": (Fact("The shop is open."),)})
    asked = {
        "diet": ("what do {plural} eat", "which food does {a_name} like"),
        "weight": ("how heavy is {a_name}", "what do {plural} weigh"),
        "shop": ("where is the shop", "is there a shop"),
    }
    attributes = {id: Attribute(id, id, questions) for id, questions in asked.items()}
    attributes["weight"] = Attribute("weight", "weight", asked["weight"], more=("heavier",), least=("lightest",))
    return Knowledge({subject.id: subject for subject in (owl, hen, farm)}, attributes)
