import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MORE = HERE.parent / "plugins" / "facts" / "more.yaml"


@pytest.fixture(scope="module")
def measure():
    spec = importlib.util.spec_from_file_location("measure_questions", HERE / "measure.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


async def test_the_zoo_guide_reaches_its_targets_on_the_first_set(measure):
    hits = measure.hits(await measure.measure(measure.load(HERE / "first.yaml")))
    assert hits["ordinary"] >= 55
    assert hits["free"] >= 40
    assert hits["other"] <= 1
    assert hits["near"] <= 3


async def test_the_zoo_guide_reaches_its_targets_on_questions_that_nothing_was_tuned_on(measure):
    hits = measure.hits(await measure.measure(measure.load(HERE / "second.yaml")))
    assert hits["ordinary"] >= 50
    assert hits["free"] >= 30
    assert hits["other"] <= 2
    assert hits["near"] <= 5


async def test_the_zoo_guide_keeps_what_it_reached_on_more_questions(measure):
    hits = measure.hits(await measure.measure(measure.load(MORE)))
    assert hits["ordinary"] >= 62
    assert hits["free"] >= 115
    assert hits["other"] <= 2
    assert hits["near"] <= 14


async def test_standing_at_an_exhibit_spoils_nothing(measure):
    hits = measure.hits(await measure.measure(measure.load(HERE / "first.yaml"), {"exhibit": "lion"}))
    assert hits["ordinary"] >= 55
    assert hits["free"] >= 40
    assert hits["other"] <= 2


async def test_a_report_tells_counts_and_every_miss(measure):
    questions = [
        measure.Question("what do lions eat", "ordinary", "lion", "diet"),
        measure.Question("what do lions eat", "free", "lion", "weight"),
        measure.Question("what do lions eat", "other"),
    ]
    lines = measure.report(await measure.measure(questions))
    assert lines[0] == "ordinary: 1 of 1 right"
    assert lines[1] == "free: 0 of 1 right"
    assert lines[2].startswith("  what do lions eat (lion, weight)\n    → Lions are meat eaters.")
    assert lines[3] == "other: 1 of 1 answered, though nobody knows"
    assert lines[-1].endswith("ms at most")


def test_a_set_of_questions_is_read_by_group(measure):
    questions = measure.load(HERE / "first.yaml")
    assert {question.group for question in questions} == {"ordinary", "free", "other", "near"}
    assert all(question.about and question.topic for question in questions if question.group in measure.HAVE_ANSWERS)
