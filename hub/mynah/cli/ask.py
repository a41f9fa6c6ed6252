"""`mynah ask`: one turn in this process, with the configured engines."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import voluptuous as vol
from rich.console import Console
from rich.markup import escape

from mynah.audio import LISTENING, AudioFormat, read_audio, wav_header
from mynah.cli.prepare import Prepared, add_config_argument, prepare
from mynah.cli.waterfall import draw_waterfall
from mynah.config.schema import LANGUAGE
from mynah.errors import InputError, MynahError, cause
from mynah.hub import MynahHub
from mynah.loop import run_loop
from mynah.outputs import (
    Interrupted,
    Output,
    PhraseReady,
    SpeechChunk,
    TranscriptReady,
    TurnDropped,
    TurnFailed,
    TurnFinished,
)
from mynah.session_protocol import Interpretation, OutletOptions, Session, SessionOptions
from mynah.specs import CommandSpec

REPLY_FORMAT: Final = AudioFormat("pcm_s16le", 22_050, 1)
"""What replies are saved in."""

NO_WORDS: Final = "(no words; is the recording silent, or in another language?)"

ENGINES_WITHIN_S: Final = 60.0


def _arguments(parser: argparse.ArgumentParser) -> None:
    question = parser.add_mutually_exclusive_group(required=True)
    question.add_argument("--text", metavar="T", help="the question as text")
    question.add_argument("--audio", metavar="F", type=Path, help="the question as an audio file")
    parser.add_argument("--persona", help="who answers")
    parser.add_argument("--context", metavar="K=V", action="append", default=[], help="for example exhibit=lion")
    parser.add_argument("--language", metavar="L", help="the language of the question, such as en")
    parser.add_argument("--translate", metavar="L", help="do not answer, but say it in this language, such as es")
    parser.add_argument("--out", metavar="reply.wav", type=Path, help="save the spoken reply here")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    add_config_argument(parser)


@dataclass(slots=True)
class Answer:
    """What one turn gave."""

    transcript: str | None = None
    phrases: list[str] = field(default_factory=list)
    pcm: bytearray = field(default_factory=bytearray)
    finished: TurnFinished | None = None

    def take(self, output: Output) -> bool:
        """Note `output`; return whether the turn has ended. Raises `MynahError` where it failed."""
        if isinstance(output, TranscriptReady):
            self.transcript = output.text
        elif isinstance(output, PhraseReady) and not output.acknowledgement:
            self.phrases.append(output.text)
        elif isinstance(output, SpeechChunk):
            self.pcm += output.audio.data
        elif isinstance(output, TurnFinished):
            self.finished = output
        elif isinstance(output, TurnFailed):
            raise MynahError(output.message)
        elif isinstance(output, TurnDropped | Interrupted):
            raise MynahError(f"there was no reply: {output.reason}")
        return self.finished is not None


def _run(arguments: argparse.Namespace) -> int:
    logging.getLogger("mynah").setLevel(logging.ERROR)
    logging.basicConfig(level=logging.ERROR)
    try:
        context = read_context(arguments.context)
        answer, session = run_loop(_ask(arguments, context, prepare(arguments.config)))
        report = _report(answer, session, arguments.out)
    except MynahError as error:
        if not arguments.json:
            raise
        print(json.dumps({"error": str(error)}, ensure_ascii=False))
        return 1
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        show_answer(report)
    return 0


async def _ask(
    arguments: argparse.Namespace, context: Mapping[str, str], prepared: Prepared
) -> tuple[Answer, Mapping[str, Any]]:
    persona = arguments.persona or (prepared.interpreter() if arguments.translate else None)
    hub = MynahHub(prepared.config, prepared.plugins, prepared.speaking(persona), with_components=False)
    async with hub.running():
        with Console(stderr=True).status("Opening the engines …"):
            await hub.engines_settled(ENGINES_WITHIN_S)
            await hub.warm(ENGINES_WITHIN_S)
        session = hub.open_session(
            SessionOptions(
                persona=persona,
                language=arguments.language,
                context=context,
                interpret=_interpretation(arguments.translate, arguments.language),
            )
        )
        answer = Answer()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_collect(session, answer))
                if arguments.text is not None:
                    session.submit(arguments.text)
                else:
                    group.create_task(_speak(session, arguments.audio))
        except ExceptionGroup as failures:
            raise cause(failures) from failures  # the first one stopped the other
        return answer, session.describe()


def _interpretation(target: str | None, source: str | None) -> Interpretation | None:
    """Return how a question is put into `target`. Raises `InputError` for what is no language."""
    if target is None:
        return None
    try:
        LANGUAGE(target)
    except vol.Invalid:
        raise InputError(f"--translate {target!r} is no language; write a tag such as es or pt-BR") from None
    return Interpretation(target=target, source=source, original=False)


async def _collect(session: Session, answer: Answer) -> None:
    async with aclosing(session.outputs(OutletOptions(formats=(REPLY_FORMAT,)))) as outputs:
        async for output in outputs:
            if answer.take(output):
                return


async def _speak(session: Session, file: Path) -> None:
    session.listen(LISTENING)
    for chunk in read_audio(file, LISTENING):
        session.feed(chunk.data)
        await asyncio.sleep(0)  # the recogniser works while the file is still being read
    session.end_listening()


def read_context(entries: list[str]) -> dict[str, str]:
    """Return `["exhibit=lion"]` as a mapping. Raises `InputError` for an entry without "="."""
    wrong = [entry for entry in entries if "=" not in entry]
    if wrong:
        raise InputError(f"--context {wrong[0]!r} should read key=value, for example exhibit=lion")
    return dict(entry.split("=", 1) for entry in entries)


def save_wav(file: Path, pcm: bytes, format: AudioFormat) -> None:
    """Write PCM as a WAV file. Raises `MynahError` where it cannot be written."""
    try:
        file.write_bytes(wav_header(format, len(pcm)) + pcm)
    except OSError as error:
        raise MynahError(f"the reply cannot be saved as {file} ({error.strerror})") from error


def _report(answer: Answer, session: Mapping[str, Any], out: Path | None) -> Mapping[str, Any]:
    if answer.finished is None:
        raise MynahError("the turn gave no reply")
    if out is not None:
        save_wav(out, bytes(answer.pcm), REPLY_FORMAT)
    return {
        "transcript": answer.transcript,
        "reply": answer.finished.reply,
        # Who asks by a file has three cases to tell apart; that it was silent is told by the empty transcript.
        "outcome": "not_understood" if answer.finished.outcome == "no_speech" else answer.finished.outcome,
        "persona": session["persona"],
        "language": session["language"],
        "phrases": answer.phrases,
        "audio": {
            "path": str(out) if out else None,
            "seconds": round(REPLY_FORMAT.pcm_ms(len(answer.pcm)) / 1000, 3),
            "format": "wav" if out else REPLY_FORMAT.codec,
        },
        "timeline": answer.finished.timeline.ms(),
        "engines": dict(answer.finished.timeline.engines),
        "troubles": {stage: list(reasons) for stage, reasons in answer.finished.timeline.troubles.items()},
    }


def show_answer(report: Mapping[str, Any]) -> None:
    """Print a report for people."""
    console = Console(highlight=False)
    if report["transcript"] is not None:
        console.print(f"[dim]heard[/dim]  {escape(report['transcript'] or NO_WORDS)}")
    console.print(f"[dim]says[/dim]   {escape(report['reply'] or '(nothing)')}")
    if report["audio"]["path"]:
        console.print(f"[dim]saved[/dim]  {escape(report['audio']['path'])} ({report['audio']['seconds']:.1f} s)")
    draw_waterfall(console, report["timeline"])


COMMAND = CommandSpec(name="ask", run=_run, arguments=_arguments, description="Ask one question and hear the answer.")
