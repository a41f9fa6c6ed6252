"""Translations that are remembered, and terms that are put as the glossary says."""

from __future__ import annotations

import pytest

from mynah.engines.translations import Glossary, KeptTranslator, Translations
from mynah.errors import EngineError, InputError
from mynah.testing.engines import ScriptedTextToSpeech, ScriptedTranslator, scripted

CLINIC = {"en": "Mynah Clinic", "es": "Clínica Mynah"}


def kept(engine, most=10, *entries):
    return KeptTranslator(engine, Glossary(entries), most)


async def put(engine, text, source="en", target="es"):
    return [piece async for piece in engine.translate(text, source=source, target=target)]


async def test_a_translation_is_made_once():
    engine = ScriptedTranslator()
    translator = kept(engine)
    assert "".join(await put(translator, "good morning")) == "es GOOD MORNING"
    assert await put(translator, "good morning") == ["es GOOD MORNING"]
    assert len(engine.asked) == 1


async def test_another_language_is_another_translation():
    engine = ScriptedTranslator()
    translator = kept(engine)
    for source, target in (("en", "es"), ("en", "fr"), ("de", "es")):
        await put(translator, "Ja", source, target)
    assert len(engine.asked) == 3


async def test_the_least_recently_used_goes_first():
    engine = ScriptedTranslator()
    translator = kept(engine, 2)
    for text in ("one", "two", "one", "three", "one", "two"):
        await put(translator, text)
    assert [text for text, *_ in engine.asked] == ["one", "two", "three", "two"]


@pytest.mark.parametrize("text", ["x " * 600, "   "])
async def test_very_long_and_empty_texts_are_not_remembered(text):
    engine = ScriptedTranslator()
    translator = kept(engine)
    await put(translator, text)
    await put(translator, text)
    assert len(engine.asked) == 2


async def test_what_broke_off_is_not_remembered():
    engine = ScriptedTranslator(fault="raise", at=1)
    translator = kept(engine)
    for _ in range(2):
        with pytest.raises(EngineError):
            await put(translator, "good morning")
    assert len(engine.asked) == 2


async def test_what_was_not_read_to_its_end_is_not_remembered():
    engine = ScriptedTranslator()
    translator = kept(engine)
    stream = translator.translate("good morning", source="en", target="es")
    await anext(stream)
    await stream.aclose()
    await put(translator, "good morning")
    assert len(engine.asked) == 2
    assert engine.calls.ended == 2


async def test_an_engine_that_is_not_cached_is_asked_each_time():
    engine = ScriptedTranslator()
    spec = Translations(10).keeping(scripted("translator", engine, cached=False))
    async with spec.open({}, None) as translator:
        await put(translator, "one")
        await put(translator, "one")
    assert len(engine.asked) == 2


def test_an_engine_of_another_kind_is_left_as_it_is():
    spec = scripted("tts", ScriptedTextToSpeech())
    assert Translations(10).keeping(spec) is spec


# ---------------------------------------------------------------- the glossary


class Copying:
    """Leaves alone what is in capitals or foreign, as translators do; loses what is in `loses`."""

    def __init__(self, loses=(), refuses=()):
        self.loses, self.refuses, self.asked = loses, refuses, []

    async def translate(self, text, *, source, target):
        self.asked.append(text)
        if any(word in text for word in self.refuses):
            raise InputError("no words")
        for word in self.loses:
            text = text.replace(word, "…")
        yield text.replace("Welcome to the", "Bienvenido a la")


async def test_without_a_term_in_it_a_text_is_streamed_as_ever():
    engine = ScriptedTranslator()
    assert await put(kept(engine, 0, CLINIC), "good morning") == ["es", " GOOD", " MORNING"]


async def test_a_term_is_put_as_given():
    engine = Copying()
    assert await put(kept(engine, 0, CLINIC), "Welcome to the mynah clinic.") == ["Bienvenido a la Clínica Mynah."]


async def test_the_other_way_round_as_well():
    assert await put(kept(Copying(), 0, CLINIC), "¿Dónde está la Clínica Mynah?", "es-MX", "en-GB") == [
        "¿Dónde está la Mynah Clinic?"
    ]


async def test_an_engine_that_puts_it_so_by_itself_is_asked_once():
    engine = ScriptedTranslator(phrases={"The Mynah Clinic.": "La clínica mynah."})
    assert await put(kept(engine, 0, CLINIC), "The Mynah Clinic.") == ["La Clínica Mynah."]
    assert len(engine.asked) == 1


async def test_an_engine_that_does_not_leave_the_term_alone_is_given_a_sign():
    engine = Copying(loses=("Clínica Mynah",))
    assert await put(kept(engine, 0, CLINIC), "Welcome to the Mynah Clinic.") == ["Bienvenido a la Clínica Mynah."]
    assert engine.asked[-1] == "Welcome to the QX1Z."


async def test_an_engine_that_cannot_be_brought_to_it_has_failed():
    engine = Copying(loses=("Clínica Mynah", "QX1Z"))
    with pytest.raises(EngineError, match="did not put 'Clínica Mynah' as the glossary says"):
        await put(kept(engine, 0, CLINIC), "Welcome to the Mynah Clinic.")


async def test_an_engine_without_words_for_the_text_says_so_itself():
    with pytest.raises(InputError, match="no words"):
        await put(kept(Copying(refuses=("Welcome",)), 0, CLINIC), "Welcome to the Mynah Clinic.")


async def test_the_longest_term_goes_first_and_only_whole_words_count():
    entries = ({"en": "heart", "es": "CORAZÓN"}, {"en": "heart attack", "es": "infarto"})
    assert await put(kept(Copying(), 0, *entries), "heart attack of the heart, heartily") == [
        "infarto of the CORAZÓN, heartily"
    ]


async def test_terms_of_a_script_without_spaces_are_found_anywhere():
    entry = {"zh": "八哥诊所", "en": "Mynah Clinic"}
    assert await put(kept(Copying(), 0, entry), "我在八哥诊所等您", "zh-CN", "en") == ["我在Mynah Clinic等您"]


async def test_what_is_forgotten_is_made_anew(tmp_path):
    engine, translations = ScriptedTranslator(), Translations(10)
    async with translations.keeping(scripted("translator", engine, cached=True)).open({}, tmp_path) as translator:
        for _ in range(2):
            await put(translator, "good morning")
        translations.forget()
        await put(translator, "good morning")
    assert len(engine.asked) == 2
    translations.forget()  # of one that is closed there is nothing left
