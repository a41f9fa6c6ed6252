"""A client of the native protocol that has what is said put into another language."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from mynah.testing import FakeSpeaker, HubRefused, scripted_engines


@asynccontextmanager
async def client(run_hub, **hello):
    house = run_hub(specs=scripted_engines(), installed=["http", "websocket"])
    async with house as hub, FakeSpeaker(hub.addresses["http"], **hello) as one:
        yield one


async def test_a_client_may_have_it_interpreted(run_hub):
    async with client(run_hub, interpret={"target": "es", "source": "en"}) as one:
        turn = await one.ask_text("Where does it hurt?")
        (translation,) = turn.all("translation")
        assert translation.data["text"] == "es WHERE DOES IT HURT?"
        assert (translation.data["language"], translation.data["untranslated"]) == ("es", [])
        assert {piece.track for piece in turn.audio} == {0}
        assert turn.last("turn_finished")["reply"] == "es WHERE DOES IT HURT?"


async def test_it_may_have_both_tracks(run_hub):
    wishes = {"interpret": {"target": "es", "source": "en", "original": True}, "tracks": "all"}
    async with client(run_hub, **wishes) as one:
        turn = await one.ask_text("Stop.")
        assert {piece.track for piece in turn.audio} == {0, 1}


async def test_a_language_that_is_none_is_refused(run_hub):
    with pytest.raises(HubRefused, match="interpret"):
        async with client(run_hub, interpret={"target": "to Spanish"}):
            pass
