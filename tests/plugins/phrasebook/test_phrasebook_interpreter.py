"""The interpreter, on the embedded translator alone."""

from __future__ import annotations

import logging
from contextlib import aclosing

from mynah import Interpretation, OutletOptions, SessionOptions, TurnFinished
from mynah.outputs import LAST, PhraseReady, SpeechChunk, TranslationReady
from mynah.testing import scripted_engines

HOUSE = [spec for spec in scripted_engines() if spec.name != "scripted_translator"]


async def exchange(hub, text, *, language=None, interpret=None, persona="interpreter"):
    session = hub.open_session(SessionOptions(persona=persona))
    seen = []
    async with aclosing(session.outputs(OutletOptions())) as outputs:
        session.submit(text, language=language, interpret=interpret)
        async for output in outputs:
            seen.append(output)
            if isinstance(output, LAST):
                return seen
    return seen


async def test_it_needs_nothing_but_the_phrasebook(run_hub):
    async with run_hub(specs=HOUSE, installed=["phrasebook"]) as hub:
        seen = await exchange(hub, "Where does it hurt?")
        assert seen[-1].reply == "¿Dónde le duele?"
        assert any(isinstance(output, SpeechChunk) for output in seen)


async def test_two_people_share_it(run_hub):
    async with run_hub(specs=HOUSE, installed=["phrasebook"]) as hub:
        assert (await exchange(hub, "Me duele la cabeza.", language="es"))[-1].reply == "My head hurts."


async def test_the_configuration_says_between_which_languages(run_hub):
    config = {"personas": {"interpreter": {"interpret": {"target": "zh", "source": "de"}}}}
    async with run_hub(specs=HOUSE, installed=["phrasebook"], config=config) as hub:
        assert (await exchange(hub, "Wo tut es weh?"))[-1].reply == "您哪里疼？"
        assert (await exchange(hub, "我头疼", language="zh"))[-1].reply == "Ich habe Schmerzen im Kopf."


async def test_any_persona_interprets_where_it_is_told_to(run_hub):
    async with run_hub(specs=HOUSE, installed=["phrasebook"]) as hub:
        seen = await exchange(hub, "Good morning.", interpret=Interpretation(target="fr"), persona="sparrow")
        assert seen[-1].reply == "Bonjour."


async def test_it_says_in_the_speakers_language_what_it_cannot_translate(run_hub):
    async with run_hub(specs=HOUSE, installed=["phrasebook"]) as hub:
        seen = await exchange(hub, "El loro duerme.", language="es")
        assert isinstance(seen[-1], TurnFinished)
        assert seen[-1].outcome == "unknown"
        (ready,) = (output for output in seen if isinstance(output, TranslationReady))
        assert (ready.text, ready.untranslated) == ("", ("El loro duerme.",))
        phrases = [output for output in seen if isinstance(output, PhraseReady)]
        assert " ".join(phrase.text for phrase in phrases) == "Lo siento, no puedo traducir eso."
        assert {phrase.language for phrase in phrases} == {"es"}


async def test_what_it_cannot_translate_is_not_in_the_log(run_hub, caplog):
    caplog.set_level(logging.DEBUG)
    async with run_hub(specs=HOUSE, installed=["phrasebook"]) as hub:
        await exchange(hub, "The parrot is asleep.")
    assert "the phrasebook has no words for this in Spanish" in caplog.text
    assert "parrot" not in caplog.text
