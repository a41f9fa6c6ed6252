from __future__ import annotations

import pytest

from mynah_mqtt.home_assistant.names import choices, mac_address, object_id, plain, readable, tag


@pytest.mark.parametrize("base", ["mynah", "mynah_2"])
def test_a_simple_base_is_its_own_tag(base: str) -> None:
    assert tag(base) == base


def test_bases_that_differ_have_tags_that_differ() -> None:
    bases = ["mynah", "Mynah", "house/mynah", "house-mynah", "house_mynah", "/", "x" * 33, "x" * 34]

    tags = {tag(base) for base in bases}
    assert len(tags) == len(bases)
    assert all(len(found) <= 33 and found.replace("_", "a").isalnum() and found.isascii() for found in tags)


def test_an_object_id_holds_no_hyphens() -> None:
    assert object_id("lion-house_", "volume") == "lion_house_volume"


def test_an_id_is_made_readable_and_a_name_is_left() -> None:
    assert readable("lion_house-2") == "Lion house 2"
    assert readable("Großes Haus") == "Großes Haus"
    assert plain("esp32s3") == "esp32s3"


def test_names_are_one_short_line() -> None:
    assert plain(" a\n b\0c\u200b ") == "a b c"
    assert len(plain("x" * 300)) == 64


def test_choices_are_each_given_once_and_empty_ones_never() -> None:
    assert choices(["b", "a", "b", "", "  ", "x" * 65, "a\nb"]) == ["b", "a"]


def test_choices_are_bounded() -> None:
    kept = choices(f"{n:064}" for n in range(1000))

    assert 50 < len(kept) < 64


@pytest.mark.parametrize(
    ("digits", "address"),
    [
        ("a0b1c2d3e4f5", "a0:b1:c2:d3:e4:f5"),
        ("A0:B1:C2:D3:E4:F5", "a0:b1:c2:d3:e4:f5"),
        ("", None),
        ("a0b1", None),
        ("zzzzzzzzzzzz", None),
    ],
)
def test_a_mac_address_is_written_with_colons(digits: str, address: str | None) -> None:
    assert mac_address(digits) == address
