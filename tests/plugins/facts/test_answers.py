import time

import pytest

from mynah import Grounding, Message
from mynah_facts.answer import Answerer
from mynah_facts.index import Index


def test_an_answer_is_the_fact_word_for_word(talk, fact):
    [answer] = talk("What do giraffes eat?")
    assert (answer.known, answer.subject, answer.text) == (True, "giraffe", fact("giraffe", "diet"))


def test_a_question_of_yes_or_no_is_answered_with_the_fact(talk, fact):
    assert talk("Are pandas vegetarians?")[0].text == fact("giant_panda", "diet")


def test_questions_about_the_visit_need_not_name_the_zoo(talk, fact):
    [answer] = talk("where is the toilet")
    assert (answer.subject, answer.text) == ("zoo", fact("zoo", "toilets"))


def test_a_rule_of_the_zoo_is_told_where_an_animal_is_named(talk, fact):
    assert talk("can i feed the giraffes some bread")[0].text == fact("zoo", "feeding_rule")


def test_two_animals_side_by_side_are_both_told_of(talk, fact):
    assert talk("what do lions and owls eat")[0].text == f"{fact('lion', 'diet')} {fact('owl', 'diet')}"


def test_a_fact_may_be_found_by_its_own_words(talk, fact):
    assert talk("why are flamingos pink")[0].text == fact("flamingo", "surprise", 0)
    assert talk("which animal has a pouch")[0].subject == "kangaroo"


# ---------------------------------------------------------------- follow-ups


def test_it_and_they_are_the_animal_spoken_of_before(talk, fact):
    texts = [answer.text for answer in talk("how big is a zebra", "and how fast is it?", "what do they eat")]
    assert texts[1:] == [fact("zebra", "speed"), fact("zebra", "diet")]


def test_another_animal_after_what_about_is_asked_the_same(talk, fact):
    texts = [answer.text for answer in talk("how fast is a cheetah", "what about tigers?", "and zebras")]
    assert texts[1:] == [fact("tiger", "speed"), fact("zebra", "speed")]


def test_it_is_still_the_animal_after_a_question_about_the_zoo(talk, fact):
    assert talk("how big is a zebra", "where are the toilets", "how old does it get")[2].text == fact(
        "zebra", "lifespan"
    )


def test_a_short_question_means_the_animal_spoken_of_before(talk, fact):
    assert talk("what do wolves eat", "and how many babies?")[1].text == fact("wolf", "young")


def test_each_surprise_is_another_one(talk, fact):
    texts = [answer.text for answer in talk(*["tell me something about lions"] * 3)]
    assert texts == [fact("lion", "surprise", 0), fact("lion", "surprise", 1), fact("lion", "surprise", 0)]


def test_a_question_for_something_else_goes_on_with_the_same_animal(talk, fact):
    assert talk("tell me something about owls", "tell me something else")[1].text == fact("owl", "surprise", 1)


# ---------------------------------------------------------------- the exhibit


@pytest.mark.parametrize("exhibit", ["red panda", "Red pandas", "red_panda"])
def test_the_exhibit_may_be_told_by_its_name(talk, fact, exhibit):
    assert talk("what does it eat", exhibit=exhibit)[0].text == fact("red_panda", "diet")


@pytest.mark.parametrize(
    "question", ["what does it eat", "what do they eat", "what does this animal eat", "what do these eat"]
)
def test_it_is_the_exhibit_where_nothing_was_named_yet(talk, fact, question):
    assert talk(question, exhibit="red_panda")[0].text == fact("red_panda", "diet")


def test_a_question_without_a_subject_is_about_the_exhibit(talk, fact):
    assert talk("how fast", exhibit="red_panda")[0].text == fact("red_panda", "speed")


def test_a_named_animal_comes_before_the_exhibit(talk, fact):
    assert talk("what do owls eat", exhibit="red_panda")[0].text == fact("owl", "diet")


def test_the_animal_spoken_of_comes_before_the_exhibit(talk, fact):
    assert talk("what do owls eat", "how big are they", exhibit="red_panda")[1].text == fact("owl", "size")


@pytest.mark.parametrize(
    "question", ["what do dolphins eat", "how far away is the moon", "what time is it", "how long do you boil potatoes"]
)
def test_the_exhibit_does_not_answer_for_other_things(talk, question):
    [answer] = talk(question, exhibit="red_panda")
    assert not answer.known
    assert "red panda" not in answer.text


# ---------------------------------------------------------------- comparisons


@pytest.mark.parametrize(
    ("question", "verdict", "subject"),
    [
        ("which is heavier, a lion or a tiger", "The tiger is heavier than the lion. ", "tiger"),
        ("which is lighter, a lion or a tiger", "The lion is lighter than the tiger. ", "lion"),
        ("is a cheetah faster than a lion", "Yes. The cheetah is faster than the lion. ", "cheetah"),
        ("is a lion faster than a cheetah?", "No. The cheetah is faster than the lion. ", "cheetah"),
        ("is an elephant bigger than a giraffe", "Yes. The elephant is bigger than the giraffe. ", "african_elephant"),
        ("which lives longer, a tortoise or a parrot", "It is the tortoise. ", "tortoise"),
        ("who sleeps more, the koala or the lion", "They are about the same. ", "koala"),
    ],
)
def test_two_animals_are_compared_by_their_values(talk, question, verdict, subject):
    [answer] = talk(question)
    assert answer.text.startswith(verdict)
    assert (answer.known, answer.subject) == (True, subject)


def test_a_comparison_tells_both_facts(talk, fact):
    assert talk("which is heavier, a lion or a tiger")[0].text.endswith(
        f"{fact('lion', 'weight')} {fact('tiger', 'weight')}"
    )


def test_it_may_be_one_of_two_that_are_compared(talk):
    assert talk("how fast is a lion", "is it faster than a zebra")[1].text.startswith(
        "Yes. The lion is faster than the zebra."
    )


def test_what_nobody_has_measured_is_not_compared_but_told(talk, fact):
    assert talk("is a frog faster than a fox")[0].text == f"{fact('frog', 'speed')} {fact('fox', 'speed')}"


@pytest.mark.parametrize(
    ("question", "verdict"),
    [
        ("what is the slowest animal", "The slowest that I know of is the sloth. "),
        ("which bird is the heaviest", "The heaviest bird that I know of is the ostrich. "),
        ("what is the smallest animal in the zoo", "The smallest that I know of is the frog. "),
        ("which animal lives the longest", "It is the tortoise. "),
        ("which animal sleeps the most", "It is the lion and the koala. "),
    ],
)
def test_the_one_that_has_the_most_of_all_is_found(talk, question, verdict):
    assert talk(question)[0].text.startswith(verdict)


@pytest.mark.parametrize(
    "question",
    ["what's the fastest car in the world", "what is the most dangerous animal", "what is the heaviest planet",
     "who would win a fight, a lion or a tiger", "which is cleverer, a lion or a tiger"],
)  # fmt: skip
def test_what_has_no_values_is_not_compared(talk, question):
    assert not talk(question)[0].known


# ---------------------------------------------------------------- honesty


def test_what_is_not_known_is_admitted_with_an_example_of_what_is(talk):
    [answer] = talk("how do i bake bread")
    assert not answer.known
    assert answer.text.startswith("I'm sorry, I don't know that. You can ask me, for example: ")
    assert answer.subject == ""


def test_the_personas_own_words_are_used_for_it(talk):
    assert talk("how do i bake bread", unknown="No idea.")[0].text.startswith("No idea. You can ask me, for example: ")


def test_in_another_language_nothing_english_is_added(talk):
    assert talk("wie backe ich brot", language="de", unknown="Das weiß ich nicht.")[0].text == "Das weiß ich nicht."


def test_what_is_not_known_of_an_animal_names_what_is(talk):
    [answer] = talk("what is the lion keeper's name")
    assert not answer.known
    assert answer.text.startswith("I'm sorry, I don't know that about lions, but I can tell you about their ")
    assert answer.subject == "lion"


@pytest.mark.parametrize(
    "question",
    ["how many zebras were born here last year", "who was the first person to ride a camel", "how do i draw a flamingo",
     "which country has a lion on its flag", "how much does it cost to feed an elephant for a year"],
)  # fmt: skip
def test_questions_that_only_seem_to_be_about_an_animal_are_not_answered(talk, question):
    assert not talk(question)[0].known


@pytest.mark.parametrize("noise", ["asdf qwer zxcv", "the of and to", "what what what", "draft the moon under at", "…"])
def test_noise_is_not_answered(talk, noise):
    assert not talk(noise)[0].known


def test_a_question_clear_but_for_its_subject_is_asked_back(talk):
    [answer] = talk("how long do they live")
    assert not answer.known
    assert answer.text.startswith("Which one do you mean?")


def test_a_name_alone_is_asked_back(talk):
    assert talk("lions")[0].text.startswith("What would you like to know about lions?")


def test_silence_is_no_question(talk):
    assert talk("")[0].text == "Sorry, I did not hear a question."


def test_caution_makes_it_admit_more_often_that_it_does_not_know(zoo, zoo_index):
    messages, grounding = [Message("user", "could my dad carry a kangaroo home")], Grounding(knowledge=zoo)
    assert Answerer(zoo_index).answer(messages, grounding).known
    assert not Answerer(zoo_index, caution=4.0).answer(messages, grounding).known


def test_manners(talk):
    hello, who, thanks = talk("hello there", "who are you", "thank you")
    assert "Hello" in hello.text
    assert "guide" in who.text
    assert "welcome" in thanks.text


# ---------------------------------------------------------------- any knowledge


def test_any_knowledge_can_be_asked(small):
    answerer, grounding = Answerer(Index(small)), Grounding(knowledge=small)

    def ask(text):
        return answerer.answer([Message("user", text)], grounding).text

    assert ask("what do owls eat") == "Owls eat mice."
    assert ask("is there a shop") == "The shop is open."
    assert ask("is an owl heavier than a hen") == "Yes. The owl is heavier than the hen. Two. One."
    assert ask("which animal is the lightest") == "The lightest that I know of is the hen. One."


def test_nothing_known_is_no_mistake():
    grounding = Grounding()
    answerer = Answerer(Index(grounding.knowledge))
    assert answerer.answer([Message("user", "what do owls eat")], grounding).text == "I'm sorry, I don't know that."
    assert not answerer.answer([], grounding).known


def test_a_question_takes_milliseconds(talk, zoo, zoo_answerer):
    messages, grounding = (
        [Message("user", "My son wants to know, how long does a giraffe live, do you think?")],
        Grounding(knowledge=zoo),
    )
    times = []
    for _ in range(20):
        started = time.perf_counter()
        zoo_answerer.answer(messages, grounding)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.02
