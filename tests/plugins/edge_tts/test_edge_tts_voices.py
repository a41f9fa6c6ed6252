import pytest

from mynah import Voice
from mynah_edge_tts.config import Options
from mynah_edge_tts.manner import Manner, manner
from mynah_edge_tts.text import clean, speakable
from mynah_edge_tts.voices import Catalogue, EdgeVoice

TABLE = Catalogue.built_in()


@pytest.mark.parametrize(
    ("language", "gender", "name"),
    [
        ("en", "", "en-US-EmmaMultilingualNeural"),
        ("en", "male", "en-US-AndrewMultilingualNeural"),
        ("en-GB", "male", "en-GB-RyanNeural"),
        ("en_gb", "female", "en-GB-SoniaNeural"),
        ("en-GB-oxendict", "", "en-GB-SoniaNeural"),
        ("en-JM", "", "en-US-EmmaMultilingualNeural"),
        ("de", "male", "de-DE-ConradNeural"),
        ("de-AT", "", "de-AT-IngridNeural"),
        ("es-419", "", "es-MX-DaliaNeural"),
        ("pt", "", "pt-BR-FranciscaNeural"),
        ("zh", "", "zh-CN-XiaoxiaoNeural"),
        ("zh-Hant", "", "zh-TW-HsiaoChenNeural"),
        ("zh-Hant-HK", "male", "zh-HK-WanLungNeural"),
        ("zh-Hans-CN", "", "zh-CN-XiaoxiaoNeural"),
        ("yue", "", "zh-HK-HiuMaanNeural"),
        ("no", "", "nb-NO-PernilleNeural"),
        ("zh-CN-liaoning", "male", "zh-CN-YunxiNeural"),
    ],
)
def test_language_and_gender_choose_a_voice(language, gender, name):
    assert TABLE.for_language(language, gender).name == name


def test_more_than_seventy_languages_have_voices_of_both_genders():
    languages = {voice.locale.partition("-")[0] for voice in TABLE.voices}

    assert len(languages) > 70
    for language in languages:
        assert {TABLE.for_language(language, gender).gender for gender in ("female", "male")} == {"female", "male"}


def test_every_name_in_the_table_is_one_of_the_service():
    assert len({voice.name for voice in TABLE.voices}) == len(TABLE.voices)
    for voice in TABLE.voices:
        assert EdgeVoice.of(voice.name, voice.gender) == voice


@pytest.mark.parametrize("language", ["tlh", "qaa-x-nowhere", "", "e"])
def test_a_language_without_a_voice_has_none(language):
    assert TABLE.for_language(language) is None


@pytest.mark.parametrize(
    "name",
    [
        "en-US-AriaNeural",
        "en-us-arianeural",
        " en-US-AriaNeural ",
        "Microsoft Server Speech Text to Speech Voice (en-US, AriaNeural)",
    ],
)
def test_a_voice_is_found_by_its_name(name):
    assert TABLE.named(name).name == "en-US-AriaNeural"


@pytest.mark.parametrize(
    ("name", "long"),
    [
        ("zh-CN-liaoning-XiaobeiNeural", "(zh-CN-liaoning, XiaobeiNeural)"),
        ("iu-Latn-CA-SiqiniqNeural", "(iu-Latn-CA, SiqiniqNeural)"),
    ],
)
def test_the_service_is_asked_by_the_long_name(name, long):
    assert EdgeVoice.of(name).long_name == f"Microsoft Server Speech Text to Speech Voice {long}"


@pytest.mark.parametrize("name", ["en-us+f2", "Emma", "en-US-Aria'Neural", "", "en-US-Neural"])
def test_what_is_no_name_of_the_service_is_told_apart(name):
    assert EdgeVoice.of(name) is None


def test_close_names_and_languages_are_told():
    assert "en-US-AriaNeural" in TABLE.close_to("en-US-AriasNeural")
    assert TABLE.close_to("#?") == ""


@pytest.mark.parametrize(
    ("options", "voice", "female", "expected"),
    [
        (Options(), Voice(), True, Manner("+0%", "+0%", "+0Hz")),
        (Options(), Voice(rate=1.2, pitch=1.1, volume=0.5), True, Manner("+20%", "-50%", "+20Hz")),
        (Options(), Voice(rate=0.9, pitch=0.9), False, Manner("-10%", "+0%", "-12Hz")),
        (Options(rate=1.5, volume=0.8, pitch=1.2), Voice(rate=0.8), True, Manner("+20%", "-20%", "+40Hz")),
        (Options(), Voice(rate=99, pitch=99, volume=99), True, Manner("+100%", "+100%", "+100Hz")),
        (Options(), Voice(rate=0, pitch=0, volume=0), True, Manner("-50%", "-90%", "-100Hz")),
    ],
)
def test_factors_become_differences_within_what_the_service_takes(options, voice, female, expected):
    assert manner(options, voice, female=female) == expected


def test_what_the_service_would_refuse_is_blanked_at_the_same_length():
    assert clean("a\x00b\x0bc\ud800d\ufffee\n\tf") == "a b c d e\n\tf"


@pytest.mark.parametrize(
    ("text", "has"),
    [("…", False), (" ?! ", False), ("a", True), ("7", True), ("😀", True), ("&", True), ("क", True)],
)
def test_only_what_has_something_to_say_is_sent(text, has):
    assert speakable(text) is has
