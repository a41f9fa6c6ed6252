"""Whisper itself, by faster-whisper: one stretch of audio in, words out. Everything here blocks; no event loop.

The parts of faster-whisper are called one by one, so that a decode that nobody waits for any more stops between them,
the language is heard from audio that is encoded anyway, and there is one pass over the audio, whatever the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any, Final

from mynah import LISTENING, EngineError
from mynah_whisper.config import Options
from mynah_whisper.gates import TICK_S, UNSURE, Decoded, compression, probability, timed
from mynah_whisper.settling import Word
from mynah_whisper.trouble import trouble
from mynah_whisper.vocabulary import tokens_of

FRAMES: Final = 3000
"""Frames of 10 ms that Whisper takes at a time."""
PROMPTS: Final = 64
"""Prompts that are kept as tokens."""
SHORTEST: Final = 8_000
"""Samples; less is filled up with silence."""
TOKENS_A_SECOND: Final = 16
TOKENS_AT_LEAST: Final = 48
"""A text has no more tokens than this and so many for each second: fast speech has 6 a second in English and less than
16 in scripts that cost more. What goes on beyond is a loop, and is to end soon."""
PREPENDED: Final = "\"'“¿([{-"
APPENDED: Final = "\"'.。,，!！?？:：”)]}、"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Audio to decode: `LISTENING` PCM, the language as Whisper's code or "" to find out, and words to expect."""

    audio: bytes
    language: str = ""
    vocabulary: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What was decoded, and in which language; `language_sure` is 0 to 1."""

    decoded: Decoded
    language: str
    language_sure: float = 1.0


NOTHING: Final = Decoded((), 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class _Language:
    """A tokenizer for a language, and the tokens that nobody speaks."""

    tokenizer: Any
    suppressed: list[int]


@dataclass(frozen=True, slots=True)
class _Encoded:
    """Audio as the model's encoder gives it: `frames` of it are sound, `seconds` in all."""

    features: Any
    frames: int
    seconds: float


class Recognizer:
    """A loaded model; safe to use from as many threads as it has replicas."""

    def __init__(self, model: Any, options: Options) -> None:
        self._model = model
        self._options = options
        self.name = options.model
        self.multilingual = bool(model.model.is_multilingual)
        self._prompts: dict[tuple[str, ...], list[int]] = {}
        self._languages: dict[str, _Language] = {}

    @property
    def device(self) -> str:
        """What it computes on and how, for people."""
        return f"{self._model.model.device}, {self._model.model.compute_type}"

    def knows(self, language: str) -> bool:
        """Return whether it was made for a language, given as Whisper's code."""
        if not self.multilingual:
            return language == "en"
        return len(language) in (2, 3) and self._model.hf_tokenizer.token_to_id(f"<|{language}|>") is not None

    def decode(self, stretch: Stretch, stop: Event) -> Found:
        """Return what is said in at most 30 s of audio; nothing once `stop` is set. Raises `EngineError`."""
        try:
            return self._decode(stretch, stop)
        # CTranslate2 tells all troubles of a device by these, out of memory and missing libraries among them.
        except (RuntimeError, ValueError, MemoryError) as error:
            raise EngineError(trouble(error, self._options)) from error

    def _decode(self, stretch: Stretch, stop: Event) -> Found:
        if stop.is_set():
            return Found(NOTHING, stretch.language)
        audio = self._encode(stretch.audio)
        code, sure = self._hear_language(stretch, audio)
        language = self._language(code)
        decoded = NOTHING
        prompts = [self._prompt(stretch.vocabulary)] if stretch.vocabulary or self._options.prompt else []
        # Words to expect can lead a small model astray, so that where it finds nothing, or nothing that it is sure of,
        # it tries once more without them.
        for prompt in (*prompts, []):
            if stop.is_set():
                break
            decoded = self._generate(audio, prompt, language)
            if self._good(decoded):
                break
        return Found(decoded, code, sure)

    def _good(self, decoded: Decoded) -> bool:
        sure = decoded.log_probability >= UNSURE
        return sure and decoded.text != "" and compression(decoded.text) <= self._options.repetition

    def _encode(self, pcm: bytes) -> _Encoded:
        import numpy as np
        from faster_whisper.audio import pad_or_trim

        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
        features = self._model.feature_extractor(np.pad(samples, (0, max(0, SHORTEST - len(samples)))))
        frames = min(FRAMES, features.shape[-1] - 1)
        encoded = self._model.encode(pad_or_trim(features[:, :frames]))
        return _Encoded(encoded, frames, len(samples) / LISTENING.rate)

    def _hear_language(self, stretch: Stretch, audio: _Encoded) -> tuple[str, float]:
        if not self.multilingual:
            return "en", 1.0
        if stretch.language:
            return stretch.language, 1.0
        token, probability = self._model.model.detect_language(audio.features)[0][0]
        return token[2:-2], float(probability)

    def _language(self, code: str) -> _Language:
        """Return what belongs to a language; made once, as it takes milliseconds."""
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        if code not in self._languages:
            tokenizer = Tokenizer(self._model.hf_tokenizer, self.multilingual, task="transcribe", language=code)
            self._languages[code] = _Language(tokenizer, list(get_suppressed_tokens(tokenizer, [-1])))
        return self._languages[code]

    def _prompt(self, vocabulary: tuple[str, ...]) -> list[int]:
        prompt = self._prompts.get(vocabulary)
        if prompt is None:
            prompt = tokens_of(vocabulary, self._options.prompt, self._spelled)
            if len(self._prompts) >= PROMPTS:
                self._prompts.clear()  # another thread may have looked just now, and has its own
            self._prompts[vocabulary] = prompt
        return prompt

    def _spelled(self, text: str) -> list[int]:
        return list(self._model.hf_tokenizer.encode(text, add_special_tokens=False).ids)

    def _generate(self, audio: _Encoded, prompt: Sequence[int], language: _Language) -> Decoded:
        tokenizer = language.tokenizer
        given = [*([tokenizer.sot_prev, *prompt] if prompt else []), *tokenizer.sot_sequence]
        most = min(self._options.max_new_tokens, int(TOKENS_AT_LEAST + TOKENS_A_SECOND * audio.seconds))
        result = self._model.model.generate(
            audio.features,
            [given],
            # One temperature only: the ladder of them that faster-whisper climbs takes six times as long on noise.
            beam_size=self._options.beam_size,
            max_length=len(given) + most,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=language.suppressed,
        )[0]
        tokens = result.sequences_ids[0]
        log_probability = float(result.scores[0]) * len(tokens) / (len(tokens) + 1)
        sure = probability(log_probability)
        texts = list(runs(tokens, tokenizer.timestamp_begin, tokenizer.eot, audio.seconds))
        segments = [Word(tokenizer.decode(text), start, end, sure) for text, start, end in texts]
        words = self._words(audio, [token for text, _, _ in texts for token in text], tokenizer, sure)
        return Decoded(timed(words, segments), log_probability, float(result.no_speech_prob))

    def _words(self, audio: _Encoded, text: list[int], tokenizer: Any, sure: float) -> list[Word]:
        """Return the words of a text, with their times."""
        from faster_whisper.transcribe import merge_punctuations

        if not text:
            return []
        [alignment] = self._model.find_alignment(tokenizer, [text], audio.features, audio.frames)
        merge_punctuations(alignment, PREPENDED, APPENDED)
        return [
            Word(word["word"], max(0.0, float(word["start"])), min(float(word["end"]), audio.seconds), sure)
            for word in alignment
            if word["word"].strip()
        ]


def runs(
    tokens: Sequence[int], timestamp_begin: int, eot: int, seconds: float
) -> Iterator[tuple[list[int], float, float]]:
    """Yield each run of text tokens, with the timestamps before and after it in seconds."""
    text: list[int] = []
    start = 0.0
    for token in tokens:
        if token < eot:
            text.append(token)
        elif token >= timestamp_begin:
            time = (token - timestamp_begin) * TICK_S
            if text:
                yield text, start, max(start, time)
            text, start = [], time
    if text:
        yield text, min(start, seconds), seconds
