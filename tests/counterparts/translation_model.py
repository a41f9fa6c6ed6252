"""Tiny translation models in CTranslate2's format, made on the spot: random weights, real vocabularies.

What they say means nothing, and is always the same; everything on the way to it is real.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import sentencepiece
from ctranslate2.specs import TransformerSpec

SIZE, HEADS, FEED = 32, 2, 64
CORPUS = [
    "good morning where does it hurt i am the doctor my head hurts",
    "buenos días dónde le duele soy el médico me duele la cabeza",
    "guten morgen wo tut es weh ich bin der arzt ich habe kopfschmerzen",
    "the quick brown fox jumps over the lazy dog and the parrot sleeps",
] * 30
LANGUAGES = ("eng_Latn", "spa_Latn", "deu_Latn", "zho_Hans", "zho_Hant", "fra_Latn")


def make_nllb(folder: Path) -> Path:
    """Write a model as `ct2-transformers-converter` makes one of NLLB."""
    folder.mkdir(parents=True)
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *_pieces(folder, "sentencepiece.bpe"), *LANGUAGES]
    spec = _spec(len(tokens), len(tokens))
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.config.decoder_start_token = "</s>"
    _save(spec, folder)
    return folder


def make_opus(folder: Path, *more: str, adds_end: bool = False) -> Path:
    """Write a model as `ct2-opus-mt-converter` makes one; `more` are tokens that choose a target language."""
    folder.mkdir(parents=True)
    source = ["</s>", "<unk>", *_pieces(folder, "source"), *more]
    target = ["</s>", "<unk>", *_pieces(folder, "target"), "<pad>"]
    spec = _spec(len(source), len(target))
    spec.register_source_vocabulary(source)
    spec.register_target_vocabulary(target)
    spec.config.decoder_start_token = "<pad>"
    spec.config.add_source_eos = adds_end
    _save(spec, folder)
    return folder


def _pieces(folder: Path, name: str) -> list[str]:
    """Train a vocabulary, keep its file as the original models have it, and return its pieces but the special ones."""
    import io

    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=made, vocab_size=90, model_type="bpe", hard_vocab_limit=False,
        minloglevel=2,
    )  # fmt: skip
    file = folder / f"{name}{'.model' if name.endswith('bpe') else '.spm'}"
    file.write_bytes(made.getvalue())
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(file))
    return [pieces.id_to_piece(number) for number in range(3, pieces.get_piece_size())]


def _spec(source_size: int, target_size: int) -> TransformerSpec:
    random = numpy.random.default_rng(7)

    def weights(*shape: int) -> numpy.ndarray:
        return random.normal(0, 0.3, shape).astype(numpy.float32)

    def linear(part, out: int, into: int) -> None:
        part.weight, part.bias = weights(out, into), numpy.zeros(out, numpy.float32)

    def norm(part) -> None:
        part.gamma, part.beta = numpy.ones(SIZE, numpy.float32), numpy.zeros(SIZE, numpy.float32)

    spec = TransformerSpec.from_config(1, HEADS)
    encoder, decoder = spec.encoder, spec.decoder
    encoder.embeddings[0].weight = weights(source_size, SIZE)
    decoder.embeddings.weight = weights(target_size, SIZE)
    for part in (encoder, decoder):
        part.position_encodings.encodings = weights(512, SIZE)
        norm(part.layer_norm)
        layer = part.layer[0]
        norm(layer.self_attention.layer_norm)
        linear(layer.self_attention.linear[0], 3 * SIZE, SIZE)
        linear(layer.self_attention.linear[1], SIZE, SIZE)
        norm(layer.ffn.layer_norm)
        linear(layer.ffn.linear_0, FEED, SIZE)
        linear(layer.ffn.linear_1, SIZE, FEED)
    cross = decoder.layer[0].attention
    norm(cross.layer_norm)
    linear(cross.linear[0], SIZE, SIZE)
    linear(cross.linear[1], 2 * SIZE, SIZE)
    linear(cross.linear[2], SIZE, SIZE)
    linear(decoder.projection, target_size, SIZE)
    return spec


def _save(spec: TransformerSpec, folder: Path) -> None:
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    assert json.loads((folder / "config.json").read_text())
