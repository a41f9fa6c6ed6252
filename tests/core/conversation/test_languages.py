"""A persona that speaks several languages: which one, its texts in it, and what it knows in it."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from mynah import ConfigError, Fact, InputError, Knowledge, PersonaSpec, SpeechStarted, Subject
from mynah.conversation.languages import by_script, in_language, is_short, nearest, told_by
from mynah.conversation.persona import Persona, load_knowledge, personas
from mynah.conversation.stock import stock_phrases
from mynah.testing.engines import ScriptedLanguageModel, ScriptedSpeechToText, ScriptedTextToSpeech, scripted
from mynah.testing.hubs import SPARROW, scripted_engines

TUTOR = PersonaSpec(
    name="tutor", title="A tutor", language="en", acknowledgement={"en": "Hmm.", "zh": "嗯。"},
    greeting={"en": "Hello!", "zh": "你好！"}, unknown={"en": "No idea.", "zh": "不知道。"}, not_understood="Pardon?",
)  # fmt: skip
ENGLISH = """
    language: en
    subjects: [{id: sun, name: sun, facts: {what: {say: "The sun is a star."}}}]
    attributes: {what: {questions: ["what is the {name}"]}}
"""
CHINESE = """
    language: zh
    subjects: [{id: sun, name: 太阳, facts: {what: {say: "太阳是一颗恒星。"}}}]
    attributes: {what: {questions: ["{name}是什么"]}}
"""
SHARED = "subjects: [{id: moon, name: Luna, facts: {}}]"


@pytest.fixture
def tutor(tmp_path):
    files = []
    for name, text in (("en.yaml", ENGLISH), ("zh.yaml", CHINESE), ("shared.yaml", SHARED)):
        (tmp_path / name).write_text(dedent(text), encoding="utf-8")
        files.append(tmp_path / name)
    return Persona(replace(TUTOR, knowledge=tuple(files), renewable=True))


# ---------------------------------------------------------------- tags and texts


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(("zh-TW",), "zh-TW"), (("ZH",), "zh"), (("zh-HK",), "zh"), (("de", "en-GB"), "en"), (("de",), None)],
)
def test_the_nearest_tag_is_the_same_or_of_the_same_language(wanted, found):
    assert nearest(("en", "zh", "zh-TW"), *wanted) == found


@pytest.mark.parametrize(("language", "said"), [("zh-CN", "你好"), ("en", "Hello"), ("fr", "Hello")])
def test_a_text_is_said_in_the_language_or_else_in_the_next(language, said):
    assert in_language({"zh": "你好", "en": "Hello"}, language, "en") == said


def test_one_text_serves_all_languages():
    assert in_language("Hello", "zh", "en") == "Hello"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("什么是分数？", "zh"), ("What is 你好 in English?", "en"), ("猫 cat 用英语怎么说", "zh"), ("привет", None),
        ("12 + 7", None), ("", None),
    ],
)  # fmt: skip
def test_the_letters_of_a_text_tell_its_language(text, found):
    assert by_script(text, ["en", "zh"]) == found


@pytest.mark.parametrize(("text", "short"), [("cat", True), ("你好", True), ("a red cat", False), ("我不懂", False)])
def test_a_word_or_two_are_short_in_any_script(text, short):
    assert is_short(text) is short


def test_a_persona_has_the_languages_of_its_texts_and_files(tutor):
    assert tutor.languages == ("en", "zh")
    assert Persona(SPARROW).languages == ("en",)


def test_a_text_in_its_other_language_is_answered_in_it(tutor):
    assert tutor.language_of("太阳是什么", "en") == "zh"
    assert tutor.language_of("what is the sun", "zh-CN") == "en"
    assert tutor.language_of("太阳是什么", "zh-CN") == "zh-CN"


def test_a_word_in_the_other_language_does_not_change_that_of_the_conversation(tutor):
    assert tutor.language_of("cat", "en", "猫用英语怎么说？") == "zh"
    assert tutor.language_of("what is the sun", "en", "猫用英语怎么说？") == "en"


def test_a_persona_of_one_language_keeps_it_whatever_is_said():
    assert Persona(SPARROW).language_of("太阳是什么", "en") == "en"


def test_stock_phrases_are_there_in_every_language(tutor):
    found = {(phrase.text, phrase.language) for phrase in stock_phrases({"tutor": tutor}, (), None)}
    assert found == {
        ("Hmm.", "en"), ("Hello!", "en"), ("No idea.", "en"), ("Pardon?", "en"),
        ("嗯。", "zh"), ("你好！", "zh"), ("不知道。", "zh"), ("Pardon?", "zh"),
    }  # fmt: skip


def test_texts_by_language_may_come_from_yaml():
    changed = personas([TUTOR], {"tutor": {"unknown": {"en": "Who knows?", "de": "Wer weiß?"}}})["tutor"]
    assert changed.text(changed.spec.unknown, "de-AT") == "Wer weiß?"
    assert changed.text(changed.spec.unknown, "zh") == "Who knows?"


def test_a_default_persona_comes_first():
    specs = [replace(TUTOR, name=name, default=name == "owl") for name in ("bat", "cat", "owl")]
    assert list(personas(specs, {})) == ["owl", "bat", "cat"]


# ---------------------------------------------------------------- knowledge


def test_files_that_say_their_language_are_known_in_it_and_others_in_all(tutor):
    assert tutor.knowledge_in("zh").subjects["sun"].name == "太阳"
    assert tutor.knowledge_in("en-GB").subjects["sun"].name == "sun"
    assert [tutor.knowledge_in(tag).subjects["moon"].name for tag in ("en", "zh")] == ["Luna", "Luna"]
    assert (tutor.knowledge.language, tutor.knowledge_in("zh").language) == ("en", "zh")


def test_in_a_language_without_files_it_knows_what_it_knows_in_its_own(tutor):
    assert tutor.knowledge_in("fr") is tutor.knowledge


def test_a_plural_ends_in_s_only_in_english(tutor):
    assert tutor.knowledge_in("zh").subjects["sun"].plural == "太阳"
    assert tutor.knowledge.subjects["sun"].plural == "suns"


def test_hints_are_those_of_the_language(tutor):
    assert "what is the sun" in tutor.hints().questions
    assert tutor.hints("zh").questions == ("太阳是什么",)


def test_a_language_that_is_no_tag_is_a_mistake_with_its_line(tmp_path):
    (tmp_path / "a.yaml").write_text("language: English please\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"a.yaml:1: language: a language is written as a tag"):
        load_knowledge([tmp_path / "a.yaml"])


def test_a_mistake_in_a_file_of_all_languages_is_told_once(tmp_path):
    (tmp_path / "a.yaml").write_text("language: en\nsubjects: []\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("language: zh\nsubjects: []\n", encoding="utf-8")
    (tmp_path / "c.yaml").write_text("subjects: [{id: owl}]\n", encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_knowledge([tmp_path / name for name in ("a.yaml", "b.yaml", "c.yaml")])
    assert len(error.value.problems) == 1


def test_a_fact_may_ask_something_back(tmp_path):
    text = 'subjects: [{id: sun, name: sun, facts: {what: {say: "A star.", ask: {say: "Hot?", answers: [yes it is]}}}}]'
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    [fact] = load_knowledge([tmp_path / "a.yaml"]).subjects["sun"].facts["what"]
    assert fact.ask is not None
    assert (fact.ask.say, fact.ask.answers, fact.ask.hint) == ("Hot?", ("yes it is",), "")


def test_a_recogniser_expects_the_answers_to_questions_back(tmp_path):
    text = 'subjects: [{id: sun, name: sun, facts: {what: {say: "A star.", ask: {say: "Hot?", answers: [yes it is]}}}}]'
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    assert "yes it is" in Persona(replace(TUTOR, knowledge=(tmp_path / "a.yaml",))).hints().questions


def test_a_question_back_without_answers_is_a_mistake(tmp_path):
    text = 'subjects: [{id: sun, name: sun, facts: {what: {say: "A star.", ask: {say: "Hot?"}}}}]'
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="ask → answers: every question needs the answers that are right"):
        load_knowledge([tmp_path / "a.yaml"])


# ---------------------------------------------------------------- knowledge that is renewed


def news(text, language=""):
    return Knowledge({"sun": Subject("sun", "sun", "suns", facts={"new": (Fact(text),)})}, language=language)


def test_renewed_knowledge_lies_over_the_files_and_takes_the_place_of_what_was_renewed_before(tutor):
    tutor.renew([news("It shines.")])
    tutor.renew([Knowledge({"sun": Subject("sun", "sun", "suns", facts={"more": (Fact("It set."),)})})])
    assert set(tutor.knowledge.subjects["sun"].facts) == {"what", "more"}
    assert "moon" in tutor.knowledge.subjects


def test_renewed_knowledge_of_a_language_is_known_in_that_one_only(tutor):
    tutor.renew([news("它在发光。", "zh")])
    assert "new" in tutor.knowledge_in("zh").subjects["sun"].facts
    assert "new" not in tutor.knowledge.subjects["sun"].facts


def test_a_recogniser_need_not_learn_anew_when_knowledge_is_renewed(tutor):
    before = tutor.hints()
    tutor.renew([news("It shines.")])
    assert tutor.hints() is before


def test_only_a_persona_whose_plugin_says_so_is_renewed(in_room):
    renewable = replace(TUTOR, renewable=True)

    async def scenario(room):
        room.hub.renew_knowledge("tutor", [news("It shines.")])
        with pytest.raises(InputError, match="the knowledge of 'sparrow' may not be renewed"):
            room.hub.renew_knowledge("sparrow", [news("It shines.")])
        with pytest.raises(InputError, match="no persona named 'nobody'"):
            room.hub.renew_knowledge("nobody", [])

    in_room(scenario, specs=(*scripted_engines(), renewable))


# ---------------------------------------------------------------- in a conversation

NO_STOCK = {"speech_cache": {"stock_phrases": False, "memory_mb": 0, "disk_mb": 0}}


class Voice(ScriptedTextToSpeech):
    """Remembers what it was asked to say, and in what language."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def synthesize(self, text, *, voice, language):
        self.asked.append((text, language))
        return super().synthesize(text, voice=voice, language=language)


def house(stt=None, llm=None, tts=None):
    engines = (scripted("stt", stt or ScriptedSpeechToText()), scripted("llm", llm or ScriptedLanguageModel()))
    return (*engines, scripted("tts", tts or Voice()), TUTOR)


def test_reply_and_voice_follow_the_language_that_a_recogniser_tells(in_room):
    llm, tts, stt = ScriptedLanguageModel(("好的。",)), Voice(), ScriptedSpeechToText("太阳是什么")

    async def scenario(room):
        for number, language in enumerate(("zh", "en", "zh"), 1):
            stt.language = language
            await room.ask_aloud()
            await room.turn_over(f"t{number}")
        assert room.of(SpeechStarted)

    in_room(scenario, specs=house(stt, llm, tts), config=NO_STOCK)
    assert [language for _, language in tts.asked] == ["zh", "en", "zh"]


def test_stock_phrases_follow_the_language_of_the_utterance(in_room):
    stt, tts = ScriptedSpeechToText("", understood=False, language="zh"), Voice()
    spec = replace(TUTOR, not_understood={"en": "Pardon?", "zh": "请再说一遍。"})

    async def scenario(room):
        await room.ask_aloud()
        await room.turn_over()

    in_room(scenario, specs=(*house(stt, tts=tts)[:-1], spec), config=NO_STOCK)
    assert [(text, language) for text, language in tts.asked] == [("请再说一遍。", "zh")]


def test_text_is_answered_in_the_language_of_its_letters(in_room):
    tts = Voice()

    async def scenario(room):
        for number, text in enumerate(("太阳是什么？", "What is the sun?"), 1):
            room.session.submit(text)
            await room.turn_over(f"t{number}")

    in_room(scenario, specs=house(tts=tts), config=NO_STOCK)
    assert [language for _, language in tts.asked] == ["zh", "en"]


def test_a_greeting_is_in_the_sessions_language(in_room):
    tts = Voice()

    async def scenario(room):
        room.session.update(language="zh-CN")
        room.session.greet()
        await room.turn_over()

    in_room(scenario, specs=house(tts=tts), config=NO_STOCK)
    assert [(text, language) for text, language in tts.asked] == [("你好！", "zh-CN")]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where does it hurt?", "en"), ("Do you speak English?", "en"),
        ("Me duele la cabeza.", "es"),
        ("Gracias.", "es"), ("¿Dónde está el baño?", "es"), ("Paracetamol.", None), ("38,5", None), ("我头疼。", None),
    ],
)  # fmt: skip
def test_of_two_languages_with_the_same_letters_the_commonest_words_tell(text, language):
    assert told_by(text, ("en", "es-MX")) == ("es-MX" if language == "es" else language)


@pytest.mark.parametrize(("text", "language"), [("我叫Anna。", "zh"), ("Anna", "fr"), ("Ça va", "fr"), ("头疼", "zh")])
def test_of_two_scripts_the_letters_tell_and_a_name_in_others_does_not(text, language):
    assert told_by(text, ("zh", "fr")) == language
