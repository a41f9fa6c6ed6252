"""The registry of speakers, areas and groups."""

from __future__ import annotations

import pytest

from mynah.errors import InputError
from mynah.speakers import Speaker, Speakers

SPEAKERS = Speakers(
    {
        "lion_house": {"name": "Lion house", "area": "savanna", "persona": "zoo_guide", "context": {"exhibit": "lion"}},
        "giraffe_deck": {"name": "", "area": "savanna", "persona": None, "language": "de", "context": {}},
        "entrance": {"name": "Entrance", "area": None, "persona": None, "language": None, "context": {}},
    },
    {"outside": ["savanna", "entrance"], "twice": ["lion_house", "savanna"], "nobody": []},
)


def ids(speakers):
    return [speaker.id for speaker in speakers]


def test_speakers_come_in_the_order_of_the_configuration():
    assert ids(SPEAKERS) == ["lion_house", "giraffe_deck", "entrance"]


def test_a_speaker_is_found_with_all_that_is_configured_of_it():
    assert SPEAKERS.get("lion_house") == Speaker(
        "lion_house", "Lion house", "savanna", "zoo_guide", None, {"exhibit": "lion"}
    )


def test_an_unknown_speaker_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="'lion_hose'; known are lion_house, giraffe_deck, entrance"):
        SPEAKERS.get("lion_hose")


def test_without_any_speaker_the_message_says_where_to_add_one():
    with pytest.raises(InputError, match="known are none; add it under 'speakers:'"):
        Speakers({}, {}).get("hall")


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("entrance", ["entrance"]),
        ("savanna", ["lion_house", "giraffe_deck"]),
        ("outside", ["lion_house", "giraffe_deck", "entrance"]),
        ("twice", ["lion_house", "giraffe_deck"]),
        ("nobody", []),
    ],
)
def test_a_name_stands_for_a_speaker_an_area_or_a_group(name, members):
    assert ids(SPEAKERS.members(name)) == members


def test_a_name_of_nothing_is_refused():
    with pytest.raises(InputError, match="'moon'"):
        SPEAKERS.members("moon")
