"""Writes a tiny Whisper model, so that the whole real path runs without a download.

    write_model(folder)                              random weights: the text is garbage
    write_model(folder, say="what do lions eat")     greedy decoding gives this text for any audio

Both are of one layer and 1 to 2 MB in CTranslate2's format, with a tokenizer of their own. A model that says something
has nothing but zeros in its attention and feed-forward blocks, so that what comes next hangs on the place alone: each
place of the decoder has a vector at right angles to all others, and the output projection of the token that belongs
there points the same way. It knows no times of words. CTranslate2 takes a model for multilingual where the vocabulary
holds an empty token; it then looks for the language at the first place.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import whisper_spec
from faster_whisper.tokenizer import _LANGUAGE_CODES
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

WIDTH, HEADS, MELS = 64, 2, 80
AUDIO_PLACES, TEXT_PLACES, TIMESTAMPS = 1500, 448, 1501
SAID_S = 2.0
"""When a fixed text is said to end."""
EMPTY = "\u0120empty"
SHARPNESS = 12.0
"""How much more likely the right token is than any other, as a logit."""


def write_model(folder: Path, *, say: str = "", multilingual: bool = False, language: str = "en") -> Path:
    """Write the model into `folder` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = Vocabulary.train(say, multilingual)
    weights = Weights(np.random.default_rng(0), quiet=bool(say))
    spec = whisper_spec.WhisperSpec(1, HEADS, 1, HEADS)
    weights.encoder(spec.encoder)
    weights.decoder(spec.decoder, vocabulary.size)
    if say:
        Script(vocabulary, weights.random).write(spec.decoder, say, language)
    spec.register_vocabulary(vocabulary.tokens())
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [vocabulary.id("<|endoftext|>")]
    spec.config.lang_ids = [vocabulary.id(f"<|{code}|>") for code in LANGUAGES]
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    vocabulary.tokenizer.save(str(folder / "tokenizer.json"))
    features = {"chunk_length": 30, "feature_size": MELS, "hop_length": 160, "n_fft": 400, "sampling_rate": 16000}
    (folder / "preprocessor_config.json").write_text(json.dumps(features), encoding="utf-8")
    return folder


# Cantonese came with the third large model only; the special tokens after the languages have fixed distances.
LANGUAGES = [code for code in _LANGUAGE_CODES if code != "yue"]


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer with Whisper's special tokens."""

    tokenizer: Tokenizer
    multilingual: bool

    @classmethod
    def train(cls, say: str, multilingual: bool) -> Vocabulary:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=600, initial_alphabet=alphabet, show_progress=False)
        # Twice, as pairs that occur once are not merged.
        tokenizer.train_from_iterator([f" {text}" for text in ("hello world", say) * 2], trainer)
        if multilingual:
            content = json.loads(tokenizer.to_str())
            content["model"]["vocab"][EMPTY] = len(content["model"]["vocab"])
            tokenizer = Tokenizer.from_str(json.dumps(content))
        tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in _specials()])
        return cls(tokenizer, multilingual)

    @property
    def size(self) -> int:
        return int(self.tokenizer.get_vocab_size())

    def id(self, token: str) -> int:
        return int(self.tokenizer.token_to_id(token))

    def tokens(self) -> list[str]:
        names = (self.tokenizer.id_to_token(number) for number in range(self.size))
        return ["" if name == EMPTY else name for name in names]

    def spelled(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(f" {text.strip()}", add_special_tokens=False).ids)


def _specials() -> list[str]:
    tasks = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    names = ["endoftext", "startoftranscript", *LANGUAGES, *tasks, *(f"{n * 0.02:.2f}" for n in range(TIMESTAMPS))]
    return [f"<|{name}|>" for name in names]


@dataclass(frozen=True)
class Weights:
    """Fills a model's layers: with noise, or `quiet` ones with zeros."""

    random: np.random.Generator
    quiet: bool

    def encoder(self, encoder: Any) -> None:
        for convolution, inputs in ((encoder.conv1, MELS), (encoder.conv2, WIDTH)):
            convolution.weight, convolution.bias = self.noise(WIDTH, inputs, 3), _zeros(WIDTH)
        encoder.position_encodings.encodings = self.noise(AUDIO_PLACES, WIDTH)
        self._norm(encoder.layer_norm)
        for layer in encoder.layer:
            self._attention(layer.self_attention, (3, 1))
            self._feed_forward(layer.ffn)

    def decoder(self, decoder: Any, tokens: int) -> None:
        embeddings = _zeros(tokens, WIDTH) if self.quiet else self.noise(tokens, WIDTH)
        decoder.embeddings.weight = embeddings
        decoder.position_encodings.encodings = self.noise(TEXT_PLACES, WIDTH, scale=1.0)
        decoder.projection.weight, decoder.projection.bias = embeddings.copy(), _zeros(tokens)
        self._norm(decoder.layer_norm)
        for layer in decoder.layer:
            self._attention(layer.self_attention, (3, 1))
            self._attention(layer.attention, (1, 2, 1))
            self._feed_forward(layer.ffn)

    def noise(self, *shape: int, scale: float = 0.05) -> Any:
        return self.random.normal(0, scale, shape).astype(np.float32)

    def _attention(self, attention: Any, parts: Sequence[int]) -> None:
        self._norm(attention.layer_norm)
        for linear, part in zip(attention.linear, parts, strict=True):
            self._linear(linear, part * WIDTH, WIDTH)

    def _feed_forward(self, block: Any) -> None:
        self._norm(block.layer_norm)
        self._linear(block.linear_0, 4 * WIDTH, WIDTH)
        self._linear(block.linear_1, WIDTH, 4 * WIDTH)

    def _linear(self, linear: Any, outputs: int, inputs: int) -> None:
        linear.weight = _zeros(outputs, inputs) if self.quiet else self.noise(outputs, inputs)
        linear.bias = _zeros(outputs)

    def _norm(self, norm: Any) -> None:
        norm.gamma, norm.beta = np.ones(WIDTH, np.float32), _zeros(WIDTH)


@dataclass(frozen=True)
class Script:
    """Makes a decoder say one text."""

    vocabulary: Vocabulary
    random: np.random.Generator

    def write(self, decoder: Any, text: str, language: str) -> None:
        id_ = self.vocabulary.id
        end = id_("<|endoftext|>")
        tokens = [id_("<|0.00|>"), *self.vocabulary.spelled(text), id_(f"<|{SAID_S:.2f}|>"), end, end]
        # What is given to begin with: the start alone, or with a language and a task.
        first = 2 if self.vocabulary.multilingual else 0
        if first + len(tokens) >= WIDTH:
            raise ValueError(f"the text has {len(tokens)} tokens; a model of width {WIDTH} cannot say so much")
        directions, _ = np.linalg.qr(self.random.normal(size=(WIDTH, WIDTH)))
        directions -= directions.mean(axis=1, keepdims=True)
        places = decoder.position_encodings.encodings
        places[:WIDTH] = 4 * directions
        projection = self.random.normal(0, 0.01, decoder.projection.weight.shape).astype(np.float32)
        for place, token in enumerate(tokens, first):
            projection[token] += _normed(places[place]) * SHARPNESS / WIDTH
        if self.vocabulary.multilingual:
            projection[id_(f"<|{language}|>")] += _normed(places[0]) * SHARPNESS / WIDTH
        decoder.projection.weight = projection


def _normed(vector: Any) -> Any:
    return (vector - vector.mean()) / np.sqrt(vector.var() + 1e-5)


def _zeros(*shape: int) -> Any:
    return np.zeros(shape, np.float32)
