import pytest

from mynah_facts.words import words


@pytest.fixture
def find(zoo_index):
    return lambda text: zoo_index.finder.find(words(text))


@pytest.mark.parametrize(
    ("text", "subjects"),
    [
        ("what do lions eat", ("lion",)),
        ("is the lion's mane soft", ("lion",)),
        ("how fast is a snow leopard", ("snow_leopard",)),
        ("how heavy are hippopotamuses", ("hippopotamus",)),
        ("where are the sea lions", ("sea_lion",)),
        ("which is taller a giraffe or an elephant", ("giraffe", "african_elephant")),
        ("that bear I mean the polar bear", ("polar_bear",)),
        ("are there grizzlies here", ("brown_bear",)),
        ("Is the Komodo dragon near", ("komodo_dragon",)),
        ("what do dolphins eat", ()),
        ("can i park in the park", ()),
    ],
)
def test_finds_the_subjects_that_are_named_the_longest_name_first(find, text, subjects):
    assert find(text).subjects == subjects


def test_a_name_leaves_a_slot_that_takes_its_article_along(find):
    assert find("how fast is a cheetah").stems == ("how", "fast", "is", "#")


@pytest.mark.parametrize(
    ("text", "subject"), [("wat do girafes eat", "giraffe"), ("a cheeta", "cheetah"), ("the pinguin", "penguin")]
)
def test_a_misspelt_name_is_guessed(find, text, subject):
    found = find(text)
    assert found.subjects == (subject,)
    assert found.guessed


@pytest.mark.parametrize("text", ["the other one", "a carrot please", "which house", "open the door", "set an alarm"])
def test_ordinary_words_are_not_taken_for_misspelt_names(find, text):
    assert find(text).subjects == ()


def test_which_animal_is_a_question_about_any(find):
    found = find("which animal sleeps upside down")
    assert found.general
    assert found.subjects == ()
