from __future__ import annotations

import math
from pathlib import Path

import pocketsphinx
import pytest

from mynah import EngineError, Hints
from mynah_pocketsphinx.general import END, START, GeneralModel
from mynah_pocketsphinx.mixture import count, mix
from mynah_pocketsphinx.models import KEPT, Models, key_of

LM = Path(pocketsphinx.get_model_path()) / "en-us" / "en-us.lm.bin"
BASE = math.log10(1.0001)


@pytest.fixture(scope="module")
def wheel():
    return GeneralModel(LM)


@pytest.fixture(scope="module")
def general(wheel):
    return wheel.cut({"giraffe"}, 300, 2000)


@pytest.fixture(scope="module")
def reference():
    """PocketSphinx's own reading of the same file."""
    return pocketsphinx.NGramModel.readfile(str(LM))


def test_the_general_model_is_read_as_pocketsphinx_reads_it(wheel, general, reference):
    for word in ("the", "giraffe", "you"):
        own = math.log10(wheel.probability[wheel.words.index(word)])
        assert own == pytest.approx(reference.prob([word]) * BASE, abs=1e-3)
    how_often = dict(zip(general.words, general.unigrams, strict=True))
    for row, mass in zip(general.pairs[:50], general.pair_mass[:50], strict=True):
        first, second = (general.words[index] for index in row)
        own = math.log10(mass * general.sentence_end / how_often[first])
        assert own == pytest.approx(reference.prob([second, first]) * BASE, abs=1e-3)


def test_a_cut_keeps_the_most_frequent_words_and_those_asked_for(general):
    assert {"the", "you", "giraffe", START, END} <= set(general.words)
    assert 300 <= len(general.words) <= 303
    assert len(general.pairs) == len(general.triples) == 2000


def test_a_file_in_another_format_is_refused(tmp_path):
    (tmp_path / "other.lm").write_bytes(b"\\data\\")
    with pytest.raises(ValueError, match="not a trigram model"):
        GeneralModel(tmp_path / "other.lm")


def test_the_mixture_sums_to_one_after_every_history(general, tmp_path):
    sentences = [["how", "tall", "is", "a", "giraffe"], ["what", "do", "giraffes", "eat"]]
    mixture = mix(count(sentences, general.words), general, 0.5)
    mixture.write(tmp_path / "talk.arpa")
    model = pocketsphinx.NGramModel.readfile(str(tmp_path / "talk.arpa"))
    words = [word for word in mixture.words if word != START]
    for history in ([START], ["is"], ["a", "is"], ["how", START], ["giraffe", "a"], ["you"], ["know", "you"]):
        total = sum(10 ** (model.prob([word, *history]) * BASE) for word in words)
        assert total == pytest.approx(1, abs=2e-3), history


def test_the_domain_is_likelier_the_smaller_the_background(general, tmp_path):
    def likelihood(weight, words):
        file = tmp_path / f"{weight}.arpa"
        mix(count([["how", "tall", "is", "a", "giraffe"]], general.words), general, weight).write(file)
        model = pocketsphinx.NGramModel.readfile(str(file))
        return sum(model.prob([word, *reversed(words[:at][-2:])]) for at, word in enumerate(words) if at)

    question, talk = [START, *["how", "tall", "is", "a", "giraffe"]], [START, *["you", "know", "what", "i", "mean"]]
    assert likelihood(0.1, question) > likelihood(0.9, question)
    assert likelihood(0.1, talk) < likelihood(0.9, talk)


def test_a_model_is_built_once_and_found_again(tmp_path, hints):
    models = Models(tmp_path / "models", 0.5)
    key = key_of(hints, 0.5)
    assert models.load(key) is None
    built = models.build(key, hints)
    loaded = models.load(key)
    assert loaded.names == built.names >= {("giraffe",), ("wolves",), ("cubs",)}
    assert loaded.pairs == built.pairs >= {"<s> how", "how tall", "giraffe </s>"}
    assert [file.name for file in (tmp_path / "models").iterdir()] == [key]


def test_the_key_depends_on_everything_that_goes_into_the_model(hints):
    others = [
        Hints(hints.questions[1:], hints.words),
        Hints(hints.questions, hints.words[1:]),
        Hints(hints.questions, hints.words, {"lion": "L AY AH N"}),
    ]
    assert len({key_of(hints, 0.5), key_of(hints, 0.4), *(key_of(other, 0.5) for other in others)}) == 5
    assert key_of(Hints(hints.questions, hints.words), 0.5) == key_of(hints, 0.5)


@pytest.mark.parametrize("file", ["talk.lm.bin", "words.dict", "domain.json"])
def test_a_damaged_model_is_not_used(tmp_path, hints, file, caplog):
    models = Models(tmp_path, 0.5)
    models.build("key", hints)
    (tmp_path / "key" / file).write_bytes(b"x")
    assert models.load("key") is None
    assert "cannot be used" in caplog.text


def test_given_pronunciations_reach_the_dictionary(tmp_path, hints):
    Models(tmp_path, 0.5).build("key", Hints(hints.questions, hints.words, {"meerkat": "M IY R K AE T"}))
    assert "meerkat M IY R K AE T\n" in (tmp_path / "key" / "words.dict").read_text()


def test_a_model_without_questions_is_of_general_talk(tmp_path):
    model = Models(tmp_path, 0.5).build("key", Hints())
    assert not model.pairs
    assert not model.names


def test_models_used_longest_ago_are_deleted(tmp_path, hints):
    for number in range(KEPT):
        old = tmp_path / f"old{number}"
        old.mkdir()
    Models(tmp_path, 0.5).build("new", hints)
    assert len(list(tmp_path.iterdir())) == KEPT
    assert (tmp_path / "new").is_dir()


def test_a_folder_that_cannot_be_written_is_named(tmp_path, hints):
    (tmp_path / "models").write_text("a file")
    with pytest.raises(EngineError, match=r"cannot be written to .*models"):
        Models(tmp_path / "models", 0.5).build("key", hints)
