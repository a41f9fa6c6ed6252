import pytest

from mynah import EngineError
from mynah_espeak.library import Library


@pytest.fixture(scope="module")
def catalogue():
    return Library.load().catalogue()


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("en", "gmw/en"),
        ("en-US", "gmw/en-US"),
        ("en_us", "gmw/en-US"),
        ("en-GB", "gmw/en"),
        ("en-AU", "gmw/en"),
        ("en-CA", "gmw/en-US"),
        ("es", "roa/es"),
        ("es-ES", "roa/es"),
        ("es-MX", "roa/es-419"),
        ("es-AR", "roa/es-419"),
        ("de", "gmw/de"),
        ("de-AT", "gmw/de"),
        ("zh", "sit/cmn"),
        ("zh-CN", "sit/cmn"),
        ("zh-Hant-TW", "sit/cmn"),
        ("cmn", "sit/cmn"),
        ("zh-HK", "sit/yue"),
        ("zh-Hant-HK", "sit/yue"),
        ("yue", "sit/yue"),
        ("hi", "inc/hi"),
        ("hi-IN", "inc/hi"),
        ("fr", "roa/fr"),
        ("fr-FR", "roa/fr"),
        ("fr-CA", "roa/fr"),
        ("fr-BE", "roa/fr-BE"),
        ("pt", "roa/pt"),
        ("pt-BR", "roa/pt-BR"),
        ("nb-NO", "gmq/nb"),
        ("no", "gmq/nb"),
        ("ja-JP", "jpx/ja"),
        ("sr-Latn-RS", "zls/sr"),
    ],
)
def test_a_language_tag_finds_its_voice(catalogue, language, voice):
    assert catalogue.choose(language) == voice


@pytest.mark.parametrize(
    ("name", "voice"),
    [
        ("en-us", "gmw/en-US"),
        ("English (America)", "gmw/en-US"),
        ("gmw/en-US", "gmw/en-US"),
        ("en-us+f3", "gmw/en-US+f3"),
        ("f3", "gmw/en+f3"),
        ("+f3", "gmw/en+f3"),
        ("female3", "gmw/en+f3"),
        ("Annie", "gmw/en+Annie"),
        ("de+Mr serious", "gmw/de+Mr serious"),
        ("German", "gmw/de"),
    ],
)
def test_a_name_means_a_voice_a_variant_or_both(catalogue, name, voice):
    assert catalogue.choose("en", name=name) == voice


@pytest.mark.parametrize("name", ["en-uss", "femal3", "en-us+f99", "nope+f3", "+nope", "en-US-AriaNeural"])
def test_an_unknown_name_is_an_error(catalogue, name):
    with pytest.raises(EngineError, match=r"espeak has no voice '"):
        catalogue.choose("en", name=name)


def test_gender_adds_a_variant_unless_one_is_named(catalogue):
    assert catalogue.choose("en-US", gender="female") == "gmw/en-US+f2"
    assert catalogue.choose("en-US", gender="male") == "gmw/en-US+m3"
    assert catalogue.choose("en-US", name="f5", gender="male") == "gmw/en-US+f5"


def test_a_preferred_voice_gives_way_to_another_language(catalogue):
    assert catalogue.choose("en", preferred="en-gb-scotland+f2") == "gmw/en-GB-scotland+f2"
    assert catalogue.choose("en-US", preferred="en-gb-scotland") == "gmw/en-GB-scotland"
    assert catalogue.choose("de", preferred="en-gb-scotland") == "gmw/de"
    assert catalogue.choose("zh-CN", preferred="cmn-latn-pinyin") == "sit/cmn-Latn-pinyin"


def test_a_preferred_variant_goes_with_every_language(catalogue):
    assert catalogue.choose("de", preferred="f4") == "gmw/de+f4"
    assert catalogue.choose("de", preferred="f4", name="en-us") == "gmw/en-US"


def test_a_named_voice_is_kept_to_whatever_the_language(catalogue):
    assert catalogue.choose("de", name="en-us", preferred="de") == "gmw/en-US"


def test_an_unknown_language_is_an_error_that_says_what_to_do(catalogue):
    with pytest.raises(EngineError, match=r"no voice for the language 'tlh'; "):
        catalogue.choose("tlh")
