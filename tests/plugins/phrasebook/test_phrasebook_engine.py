"""The phrasebook as a translator: forgiving of how a thing is said, and plain about what it does not know."""

from __future__ import annotations

import pytest

from mynah import InputError
from mynah.testing import check_translator
from mynah_phrasebook import mynah_engines
from mynah_phrasebook.engine import Phrasebook

BOOK = Phrasebook()
(SPEC,) = mynah_engines()


async def put(text, source="en", target="es"):
    return "".join([piece async for piece in BOOK.translate(text, source=source, target=target)])


async def test_it_keeps_the_contract_of_a_translator(tmp_path):
    await check_translator(SPEC, folder=tmp_path, texts=("Where does it hurt?", "Good morning."))


@pytest.mark.parametrize(
    "said",
    [
        "Where does it hurt?",
        "where does it hurt",
        "WHERE DOES IT HURT!",
        "Um, where does it hurt, please?",
        "Where is the pain?",
        "Where's the pain",
        "Where do you have pain?",
    ],
)
async def test_case_marks_contractions_and_small_variations_do_not_count(said):
    assert await put(said) == "¿Dónde le duele?"


@pytest.mark.parametrize(
    ("said", "source", "target", "translation"),
    [
        ("I don't have a fever.", "en", "de", "Ich habe kein Fieber."),
        ("I have a fever.", "en", "de", "Ich habe Fieber."),
        (
            "My left knee has been hurting for three days.",
            "en",
            "es",
            "Me duele la rodilla izquierda desde hace 3 días.",
        ),
        ("Me duele la cabeza desde hace un día.", "es", "en", "My head hurts for 1 day."),
        ("Tengo dolor en los ojos", "es", "fr", "J'ai mal aux yeux."),
        ("J'ai mal à la tête depuis hier.", "fr", "zh", "我头疼，从昨天开始。"),
        ("我肚子疼", "zh", "en", "My belly hurts."),
        ("我发烧三天了", "zh", "en", "I have had a fever for 3 days."),
        ("Ich bin gegen Penicillin allergisch.", "de", "es", "Soy alérgico a la penicilina."),
        ("I'm allergic to ibuprofen.", "en", "es", "Soy alérgico al ibuprofeno."),
        ("How do I get to the hospital?", "en", "es", "¿Cómo llego al hospital?"),
        ("Wie komme ich zur Apotheke?", "de", "fr", "Comment aller à la pharmacie ?"),
        ("Take two tablets every six hours.", "en", "zh", "每6小时吃2片药。"),
        ("Take one pill a day.", "en", "fr", "Prenez 1 comprimé par jour."),
        ("Your temperature is 38.5 degrees.", "en", "de", "Ihre Temperatur beträgt 38,5 Grad."),
        ("Ihre Temperatur beträgt 38,5 Grad.", "de", "en", "Your temperature is 38.5 degrees."),
        ("My name is Anna García.", "en", "zh", "我叫Anna García。"),
        ("我叫李伟。", "zh", "en", "My name is 李伟."),
        ("My mother has a cough.", "en", "de", "Meine Mutter hat Husten."),
        ("¿Es grave?", "es", "en", "Is it serious?"),
        ("Es grave.", "es", "en", "It is serious."),
    ],
)
async def test_slots_and_grammar_go_along(said, source, target, translation):
    assert await put(said, source, target) == translation


@pytest.mark.parametrize(
    ("said", "source", "target", "translation"),
    [
        ("It is half past three.", "en", "de", "Es ist 3:30 Uhr."),
        ("It's 3 p.m.", "en", "fr", "Il est 15 heures."),
        ("It is noon", "en", "es", "Es mediodía."),
        ("Es ist halb vier.", "de", "en", "It is 3:30."),
        ("Il est quatre heures moins le quart.", "fr", "en", "It is 3:45."),
        ("Son las tres y media de la tarde.", "es", "zh", "现在下午3点30分。"),
        ("现在下午三点半", "zh", "en", "It is 3:30 p.m."),
        ("The train leaves at 15:42.", "en", "de", "Der Zug fährt um 15:42 Uhr ab."),
        ("Your appointment is on Monday at 9 a.m.", "en", "es", "Su cita es el lunes a las 9 de la mañana."),
    ],
)
async def test_times_are_read_and_said(said, source, target, translation):
    assert await put(said, source, target) == translation


async def test_several_sentences_are_put_one_by_one():
    pieces = [
        p async for p in BOOK.translate("Good morning. I am the doctor. Where does it hurt?", source="en", target="de")
    ]
    assert pieces == ["Guten Morgen.", " Ich bin der Arzt.", " Wo tut es weh?"]


async def test_a_sentence_of_two_phrases_is_put_together():
    assert await put("Yes, it hurts here.") == "Sí. Me duele aquí."
    assert await put("是的，这里疼。", "zh", "en") == "Yes. It hurts here."


async def test_a_slip_of_the_keyboard_is_mended():
    assert await put("Where is the pharmcy?") == "¿Dónde está la farmacia?"


@pytest.mark.parametrize(
    "said",
    [
        "What is the capital of Mongolia?",
        "I have never had a fever.",
        "Good morning. The parrot is asleep.",
        "Yes, but only at night.",
        "I do not have not a fever",
        "Take no tablets a day.",
    ],
)
async def test_it_says_plainly_what_it_cannot_translate(said):
    with pytest.raises(InputError) as refused:
        await put(said)
    assert str(refused.value) == "the phrasebook has no words for this in Spanish"


@pytest.mark.parametrize(("source", "target"), [("en", "ja"), ("tlh", "en")])
async def test_it_says_which_languages_it_knows(source, target):
    with pytest.raises(InputError, match="knows en, es, zh, de, fr, not"):
        await put("Hello", source, target)


@pytest.mark.parametrize(("source", "target"), [("en-US", "es-MX"), ("EN", "es"), ("en_GB", "es-419")])
async def test_tags_with_countries_are_languages(source, target):
    assert await put("Hello", source, target) == "Hola."


async def test_chinese_has_several_tags():
    assert await put("Hello", "en", "zh-CN") == await put("Hello", "en", "cmn-Hans") == "您好。"
