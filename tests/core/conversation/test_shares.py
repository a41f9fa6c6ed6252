"""A share of the voices for all sessions of an origin; `tests/core/test_places.py` has who is next."""

from __future__ import annotations

from mynah.conversation.shares import Shares


def test_an_origin_has_one_share_and_none_where_it_needs_none():
    shares = Shares()
    assert shares.of("web", None) is None
    assert shares.of("web", 2) is shares.of("web", 2)
    assert shares.of("web", 2) is not shares.of("desktop", 2)
