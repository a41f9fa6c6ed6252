"""Each way of being heard sooner can be switched off."""

from __future__ import annotations

import pytest

from mynah.outputs import PhraseReady
from mynah.testing.engines import ScriptedLanguageModel, ScriptedTextToSpeech

TOKENS = ["Yes, ", "lions eat meat. ", *["They sleep a lot. "] * 30]


@pytest.mark.parametrize(("early", "first"), [(True, "Yes,"), (False, "Yes, lions eat meat.")])
def test_the_first_phrase_is_early_or_a_whole_sentence(in_room, early, first):
    async def scenario(room):
        room.session.submit("do they")
        await room.turn_over()
        assert room.of(PhraseReady)[0].text == first

    in_room(scenario, llm=ScriptedLanguageModel(TOKENS), config={"latency": {"early_phrase": early}})


@pytest.mark.parametrize("long", [True, False])
def test_later_phrases_are_joined_while_plenty_is_to_be_heard(in_room, long):
    async def scenario(room):
        room.session.submit("do they")
        await room.turn_over()
        longest = max(len(phrase.text) for phrase in room.of(PhraseReady))
        assert (longest > 2 * len(TOKENS[-1])) == long

    llm = ScriptedLanguageModel(TOKENS, each_s=0.05)
    tts = ScriptedTextToSpeech(ms_per_word=1000)
    in_room(scenario, llm=llm, tts=tts, buffer_ms=300, config={"latency": {"long_phrases": long}})
