"""The translator `ctranslate2`, on tiny models with random weights: loading, tokens, streaming, stopping."""

from __future__ import annotations

import asyncio
import shutil
import threading
from contextlib import asynccontextmanager

import pytest
import voluptuous as vol

from counterparts.translation_model import make_nllb, make_opus
from mynah import EngineUnavailable, InputError
from mynah.testing import check_translator
from mynah.testing.contract_run import checked_options
from mynah_ctranslate2 import mynah_engines
from mynah_ctranslate2.languages import nllb_code

(SPEC,) = mynah_engines()
TEXT = "where does it hurt"


@pytest.fixture(scope="module")
def nllb(tmp_path_factory):
    return make_nllb(tmp_path_factory.mktemp("models") / "nllb-tiny")


@pytest.fixture(scope="module")
def opus(tmp_path_factory):
    return make_opus(tmp_path_factory.mktemp("models") / "opus-mt-en-es")


@asynccontextmanager
async def opened(folder, home=None, **config):
    options = checked_options(SPEC, {"model": str(folder), "max_tokens": 24, **config})
    async with SPEC.open(options, home) as engine:
        yield engine


async def put(engine, text=TEXT, source="en", target="es"):
    return [piece async for piece in engine.translate(text, source=source, target=target)]


async def test_it_keeps_the_contract_of_a_translator(nllb, tmp_path):
    config = {"model": str(nllb), "max_tokens": 24}
    await check_translator(SPEC, config, folder=tmp_path, texts=("good morning", "my head hurts"))


async def test_a_translation_comes_in_pieces_that_join_to_the_whole(nllb):
    import ctranslate2
    import sentencepiece

    async with opened(nllb) as engine:
        pieces = await put(engine)
    assert len(pieces) > 2
    words = sentencepiece.SentencePieceProcessor(model_file=str(nllb / "sentencepiece.bpe.model"))
    tokens = ["eng_Latn", *words.encode(TEXT, out_type=str), "</s>"]
    steps = ctranslate2.Translator(str(nllb), compute_type="auto").generate_tokens(
        tokens, ["spa_Latn"], max_decoding_length=24, repetition_penalty=1.1
    )
    whole = [step.token for step in steps]
    languages = {"eng_Latn", "spa_Latn", "deu_Latn", "zho_Hans", "zho_Hant", "fra_Latn"}
    assert "".join(pieces) == words.decode([token for token in whole if token not in languages])


async def test_the_language_makes_a_difference(nllb):
    async with opened(nllb) as engine:
        assert await put(engine, target="de") != await put(engine, target="zh-TW")
        assert await put(engine, target="de-AT") == await put(engine, target="de")


@pytest.mark.parametrize(("source", "target"), [("en", "tlh"), ("tlh", "en"), ("en", "ja")])
async def test_a_language_that_the_model_does_not_have_is_refused(nllb, source, target):
    async with opened(nllb) as engine:
        with pytest.raises(InputError, match="does not know the language"):
            await put(engine, source=source, target=target)


async def test_several_sentences_at_once_do_not_mix(nllb):
    texts = [TEXT, "my head hurts", "good morning", "i am the doctor"]
    async with opened(nllb) as engine:
        alone = [await put(engine, text) for text in texts]
        assert await asyncio.gather(*(put(engine, text) for text in texts)) == alone


async def test_a_translation_that_nobody_wants_stops(nllb, monkeypatch):
    async with opened(nllb, max_tokens=400, workers=1, repetition_penalty=1.0) as engine:
        stopped = threading.Event()
        translate = engine._model.translate

        def watched(text, source, target, stop):
            yield from translate(text, source, target, stop)
            if stop.is_set():
                stopped.set()

        monkeypatch.setattr(engine._model, "translate", watched, raising=False)
        stream = engine.translate(TEXT, source="en", target="es")
        await anext(stream)
        await stream.aclose()
        assert await asyncio.to_thread(stopped.wait, 5)
        assert await asyncio.wait_for(put(engine, "good morning"), 20)


async def test_an_opus_model_translates_its_pair(opus):
    async with opened(opus) as engine:
        assert "".join(await put(engine)).strip()
        with pytest.raises(InputError, match="from en into es, not from es into en"):
            await put(engine, source="es", target="en")


async def test_an_opus_model_with_several_targets_is_told_which(tmp_path):
    folder = make_opus(tmp_path / "opus-mt-en-roa", ">>es<<", ">>fr<<")
    async with opened(folder) as engine:
        assert await put(engine, target="es") != await put(engine, target="fr")
        with pytest.raises(InputError, match="not from en into de"):
            await put(engine, target="de")


async def test_the_end_is_added_once_whoever_adds_it(tmp_path, opus):
    itself = make_opus(tmp_path / "opus-mt-en-es", adds_end=True)
    async with opened(opus) as by_hand, opened(itself) as by_the_model:
        assert await put(by_hand) == await put(by_the_model)


async def test_the_pair_can_be_said(tmp_path, opus):
    folder = tmp_path / "mine"
    shutil.copytree(opus, folder)
    with pytest.raises(EngineUnavailable, match="say it with source and target"):
        async with opened(folder):
            pass
    async with opened(folder, source="de", target="pt-BR") as engine:
        assert "".join(await put(engine, source="de-CH", target="pt")).strip()


async def test_a_model_in_the_engines_own_folder_is_found_by_its_name(tmp_path, opus):
    shutil.copytree(opus, tmp_path / "opus-mt-en-es")
    async with opened("opus-mt-en-es", tmp_path) as engine:
        assert await put(engine)


@pytest.mark.parametrize(
    ("missing", "says"),
    [("model.bin", "no file model.bin"), ("sentencepiece.bpe.model", "copy sentencepiece.bpe.model"),
     ("shared_vocabulary.json", "convert the model again")],
)  # fmt: skip
async def test_a_model_that_is_not_whole_says_what_is_missing(tmp_path, nllb, missing, says):
    folder = tmp_path / "nllb"
    shutil.copytree(nllb, folder)
    (folder / missing).unlink()
    with pytest.raises(EngineUnavailable, match=says):
        async with opened(folder):
            pass


async def test_a_damaged_model_is_told(tmp_path, nllb):
    folder = tmp_path / "nllb"
    shutil.copytree(nllb, folder)
    (folder / "model.bin").write_bytes(b"no model")
    with pytest.raises(EngineUnavailable, match="cannot be loaded"):
        async with opened(folder):
            pass


async def test_a_text_that_is_too_long_is_refused(nllb):
    async with opened(nllb) as engine:
        with pytest.raises(InputError, match="2000 characters at most"):
            await put(engine, "a " * 2000)


@pytest.mark.parametrize(
    ("tag", "code"),
    [("en", "eng_Latn"), ("en-GB", "eng_Latn"), ("zh", "zho_Hans"), ("zh-CN", "zho_Hans"), ("zh-Hant-HK", "zho_Hant"),
     ("zh-TW", "zho_Hant"), ("spa_Latn", "spa_Latn"), ("ja", None), ("tlh", None)],
)  # fmt: skip
def test_tags_are_mapped_to_the_models_codes(tag, code):
    assert nllb_code(tag, {"eng_Latn", "spa_Latn", "zho_Hans", "zho_Hant"}) == code


@pytest.mark.parametrize("config", [{}, {"model": ""}, {"model": "x", "workers": 0}, {"model": "x", "device": "tpu"}])
def test_a_wrong_configuration_is_told(config):
    with pytest.raises(vol.Invalid):
        vol.Schema(SPEC.schema)(config)
