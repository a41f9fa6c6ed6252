"""Asks the zoo guide, or another persona, the questions of a set aloud, and counts.

    python tests/questions/measure_spoken.py [tests/questions/first.yaml] [--voices slt,rms,awb] [--misses]
    python tests/questions/measure_spoken.py tests/questions/companion.yaml --persona companion

Debian's flite speaks; no part of the product knows its voices. Each question goes through the embedded recogniser and
then through the embedded answerer. `ordinary` questions are right when the reply holds the fact that is meant; `other`
topics and the recordings of `tests/audio`, none of which asks about the zoo, are right when nothing is answered.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import importlib
import subprocess
import tempfile
import time
import wave
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from measure import Question, Result, ask, load

from mynah import LISTENING, Grounding, Hints, Knowledge, LanguageModel, SpeechToText, Transcript
from mynah.conversation.persona import Persona
from mynah_facts import mynah_engines as facts_engines
from mynah_pocketsphinx import mynah_engines as pocketsphinx_engines

HERE = Path(__file__).parent
VOICES = ("slt", "rms", "awb")
GROUPS = ("ordinary", "other")
SILENCE_MS = 350
PIECE_MS = 40
CLIPS = Path(tempfile.gettempdir()) / "mynah-spoken-questions"


@dataclass(frozen=True)
class Heard:
    """What was heard of a question and what was replied; `late_s` from the end of the audio to the transcript."""

    voice: str
    question: Question
    transcript: Transcript
    audio_s: float
    work_s: float
    late_s: float
    result: Result | None


def spoken(voice: str, text: str) -> bytes:
    """Return `text` in one of flite's voices as PCM in `LISTENING`, with silence around it."""
    clip = CLIPS / f"{voice}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.wav"
    if not clip.exists():
        CLIPS.mkdir(parents=True, exist_ok=True)
        part = clip.with_suffix(".part")
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", part], check=True)
        part.replace(clip)
    silence = bytes(LISTENING.pcm_bytes(SILENCE_MS))
    return silence + pcm(clip) + silence


def pcm(file: Path) -> bytes:
    """Return the samples of a WAV file in `LISTENING`; one at half the rate is stretched."""
    with wave.open(str(file)) as clip:
        data, rate = clip.readframes(clip.getnframes()), clip.getframerate()
    if rate * 2 == LISTENING.rate:
        data = array("h", [sample for sample in array("h", data) for _ in range(2)]).tobytes()
        rate *= 2
    assert rate == LISTENING.rate, f"{file} has {rate} Hz"
    return data


async def pieces(audio: bytes) -> AsyncIterator[bytes]:
    """Yield `audio` as a microphone would, but at once."""
    size = LISTENING.pcm_bytes(PIECE_MS)
    for at in range(0, len(audio), size):
        yield audio[at : at + size]


async def listen(engine: SpeechToText, audio: bytes, hints: Hints) -> tuple[Transcript, float, float]:
    """Return the final transcript, the seconds it took in all, and those after the audio had been taken."""
    began = taken = time.perf_counter()

    async def microphone() -> AsyncIterator[bytes]:
        nonlocal taken
        async for piece in pieces(audio):
            yield piece
        taken = time.perf_counter()

    final = Transcript("", final=True)
    async with aclosing(engine.transcribe(microphone(), LISTENING, language="en", hints=hints)) as transcripts:
        async for transcript in transcripts:
            final = transcript
    ended = time.perf_counter()
    return final, ended - began, ended - taken


@dataclass(frozen=True)
class Guide:
    """The zoo guide's ears and mouth."""

    ears: SpeechToText
    brain: LanguageModel
    knowledge: Knowledge
    hints: Hints

    async def hear(self, voice: str, audio: bytes, question: Question) -> Heard:
        """Put one spoken question."""
        transcript, work, late = await listen(self.ears, audio, self.hints)
        result = None
        if transcript.text:
            put = Question(transcript.text, question.group, question.about, question.topic)
            result = await ask(self.brain, self.knowledge, put)
        return Heard(voice, question, transcript, LISTENING.pcm_ms(len(audio)) / 1000, work, late, result)


async def measure(
    questions: Sequence[Question], voices: Sequence[str], recordings: Sequence[Path], folder: Path, name: str
) -> list[Heard]:
    """Ask everything, one after the other, of the persona of a plugin."""
    [ears], [brain] = pocketsphinx_engines(), facts_engines()
    [spec] = importlib.import_module(f"mynah_{name}").mynah_personas()
    persona = Persona(spec)
    heard = []
    async with ears.open({}, folder) as listening, brain.open({}, folder) as thinking:
        guide = Guide(listening, thinking, persona.knowledge, persona.hints())
        await listening.warm_up(Grounding(name, "en", guide.knowledge), guide.hints)
        for voice in voices:
            for question in questions:
                heard.append(await guide.hear(voice, spoken(voice, question.ask), question))
        for file in recordings:
            heard.append(await guide.hear("recording", pcm(file), Question(file.name, "other")))
    return heard


def counts(heard: Sequence[Heard]) -> dict[str, int]:
    """Count: right answers by voice, other topics answered (`other`), recordings answered (`recording`)."""
    right = dict.fromkeys((one.voice for one in heard if one.question.group == "ordinary"), 0)
    counted = {**right, "other": 0, "recording": 0}
    for one in heard:
        if one.result and one.question.group == "ordinary":
            counted[one.voice] += one.result.hit
        elif one.result:
            counted["recording" if one.voice == "recording" else "other"] += one.result.answered
    return counted


def report(heard: Sequence[Heard], *, misses: bool) -> list[str]:
    """Return the counts and times, and with `misses` each question that went wrong."""
    lines = []
    for name, count in counts(heard).items():
        those = [one for one in heard if name == (one.voice if one.question.group == "ordinary" else group(one))]
        lines.append(f"{name}: {count} of {len(those)} " + ("answered" if name in ("other", "recording") else "right"))
    if misses:
        lines += [line(one) for one in heard if went_wrong(one)]
    late = sorted(one.late_s for one in heard)
    factor = sum(one.work_s for one in heard) / sum(one.audio_s for one in heard)
    lines.append(f"real-time factor {factor:.3f}, transcript {late[len(late) // 2]:.2f} s after the end of the audio")
    return lines


def group(one: Heard) -> str:
    """Return what a question that has no answer is counted under."""
    return "recording" if one.voice == "recording" else "other"


def went_wrong(one: Heard) -> bool:
    """Tell whether a question was answered wrongly, not answered, or answered though it should not be."""
    if one.question.group == "ordinary":
        return one.result is None or not one.result.hit
    return one.result is not None and one.result.answered


def line(one: Heard) -> str:
    """Return a line on one question: what was asked, heard and replied."""
    final = one.transcript
    said = final.text or ("(not understood)" if not final.understood else "(nothing)")
    reply = f" → {one.result.reply[:60]}" if one.result else ""
    return f"  {one.voice}: {one.question.ask} | {said} {final.confidence or 0:.2f}{reply}"


def main() -> None:
    """Measure the sets named on the command line."""
    parser = argparse.ArgumentParser(description="Count what a persona understands and answers.")
    parser.add_argument("files", nargs="*", type=Path, default=[HERE / "first.yaml"])
    parser.add_argument("--voices", default=",".join(VOICES), help="flite's voices, separated by commas")
    parser.add_argument("--persona", default="zoo_guide", help="the plugin that brings who is asked")
    parser.add_argument("--misses", action="store_true", help="print each question that went wrong")
    arguments = parser.parse_args()
    recordings = sorted((HERE.parent / "audio").glob("*.wav"))
    for file in arguments.files:
        questions = [question for question in load(file) if question.group in GROUPS]
        with tempfile.TemporaryDirectory() as folder:
            heard = asyncio.run(
                measure(questions, arguments.voices.split(","), recordings, Path(folder), arguments.persona)
            )
        print(file)
        print("\n".join(report(heard, misses=arguments.misses)))


if __name__ == "__main__":
    main()
