"""The scenario `engines`: what each configured engine takes by itself, beside what the same takes through the hub."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from mynah.audio import LISTENING, AudioChunk
from mynah.bench.crowd import words
from mynah.bench.plan import FRAME_MS, PLAYS, Plan, Rows, spoken_question
from mynah.config.check import Config, load_config, plugin_settings
from mynah.config.schema import own_options
from mynah.conversation.persona import Persona, personas
from mynah.engines.protocols import Warmable
from mynah.errors import MynahError
from mynah.plugins import Plugins, load_plugins
from mynah.specs import EngineSpec
from mynah.testing.calls import scripts_folder
from mynah.testing.processes import HubProcess
from mynah.testing.received import ReceivedTurn
from mynah.testing.rows import bench_row
from mynah.testing.speaker import FakeSpeaker
from mynah.values import Grounding, Message, Token, Transcript

PHRASE: Final = "Lions {} eat meat."
"""The hub makes one phrase of it; with a word of its own each time, as what was said before is in the speech cache."""

OPEN_S: Final = 120.0
RUN_S: Final = 60.0
KINDS: Final = ("stt", "llm", "tts")


@dataclass(frozen=True, slots=True)
class Taken:
    """How long a piece of work took, in milliseconds: to its first output, and in all."""

    first_ms: float
    total_ms: float


async def measure(plan: Plan) -> Rows:
    """Measure recognisers, language models and voices: each by itself, the first of each kind through the hub too."""
    config, plugins, persona = _prepared(plan)
    through = await _through_hub(plan)
    rows: list[Mapping[str, Any]] = []
    for kind in KINDS:
        specs = {spec.name: spec for spec in plugins.engines if spec.kind == kind}
        for number, entry in enumerate(config.values["engines"][kind]):
            spec = specs[entry["engine"]]
            plan.tell(f"engines, {kind} {spec.name}")
            try:
                alone = await _alone(plan, spec, entry, Path(config.values["data"]), persona)
            except (MynahError, TimeoutError) as error:
                rows.append({"measure": f"{kind} {spec.name}", "sessions": 1, "error": str(error) or "too slow"})
                continue
            rows.append(_row(kind, spec.name, alone, through.get(kind, []) if number == 0 else []))
    return rows


def _rounds(plan: Plan, kind: str) -> int:
    return max(1, plan.runs // (10 if kind == "stt" else 3))  # to speak the question takes seconds


def _row(kind: str, name: str, alone: list[Taken], through: list[tuple[float, float]]) -> Mapping[str, Any]:
    """Return a row: through the hub where the engine was called so, else by itself."""
    # What follows the end of speech is a recogniser's last output; of the others the first counts.
    by_itself = [taken.total_ms if kind == "stt" else taken.first_ms for taken in alone]
    more: dict[str, Any] = {
        "alone_p50_ms": round(statistics.median(by_itself), 2),
        "alone_total_p50_ms": round(statistics.median(taken.total_ms for taken in alone), 2),
        "through_hub": bool(through),
    }
    if not through:
        return bench_row(f"{kind} {name}", by_itself, **more)
    return bench_row(
        f"{kind} {name}", [measured for measured, _ in through], engines_ms=[engine for _, engine in through],
        critical_ms=statistics.median(by_itself), **more,
    )  # fmt: skip


def _prepared(plan: Plan) -> tuple[Config, Plugins, Persona]:
    """Return what is configured. Raises `MynahError` where that is not valid, or nobody can speak."""
    file = plan.file
    folder: Path | None = scripts_folder()
    disabled: tuple[str, ...] = ()
    if plan.real:
        settings = plugin_settings(file)
        folder, disabled = settings.folder, tuple(settings.disabled)
    if not plan.real or file is None:
        file = plan.folder / "engines.yaml"
        file.write_text(json.dumps({} if plan.real else plan.script()), encoding="utf-8")  # JSON is YAML
    plugins = load_plugins(disabled, folder)
    config = load_config(file, plugins.specs, plugins=plugins.names)
    known = personas(plugins.personas, config.values["personas"], folder=config.folder)
    name = config.values["persona"] or next(iter(known), None)
    if name not in known:
        raise MynahError(f"no persona named {name!r} can speak; see `mynah check-config`")
    return config, plugins, known[name]


async def _alone(plan: Plan, spec: EngineSpec, entry: Mapping[str, Any], data: Path, persona: Persona) -> list[Taken]:
    folder = data / "engines" / spec.name
    folder.mkdir(parents=True, exist_ok=True)
    async with _open(spec, own_options(entry), folder) as engine:
        work = WORKS[spec.kind]
        async with asyncio.timeout(OPEN_S):
            if isinstance(engine, Warmable):
                await engine.warm_up(_grounding(persona), persona.hints())
            await work(engine, plan, persona)  # the first call is not counted
        found = []
        for _ in range(_rounds(plan, spec.kind)):
            async with asyncio.timeout(RUN_S):
                found.append(await work(engine, plan, persona))
        return found


@asynccontextmanager
async def _open(spec: EngineSpec, options: Mapping[str, Any], folder: Path) -> AsyncIterator[Any]:
    async with spec.open(options, folder) as engine:
        yield engine


def _grounding(persona: Persona) -> Grounding:
    unknown = persona.text(persona.spec.unknown)
    return Grounding(persona.spec.name, persona.spec.language, persona.knowledge, {}, unknown)


async def _spoken() -> AsyncIterator[bytes]:
    """Yield the recorded question at the speed of speech: a recogniser works while it listens."""
    began = time.monotonic()
    for number, frame in enumerate(spoken_question(), 1):
        yield frame
        await asyncio.sleep(max(0.0, began + number * FRAME_MS / 1000 - time.monotonic()))


async def _recognise(engine: Any, plan: Plan, persona: Persona) -> Taken:
    ended = 0.0

    async def audio() -> AsyncIterator[bytes]:
        nonlocal ended
        async for frame in _spoken():
            yield frame
        ended = time.monotonic()

    outputs = engine.transcribe(audio(), LISTENING, language=persona.spec.language, hints=persona.hints())
    times = await _times(outputs, lambda item: isinstance(item, Transcript))
    return Taken((times[0] - ended) * 1000, (times[-1] - ended) * 1000)


async def _reply(engine: Any, plan: Plan, persona: Persona) -> Taken:
    began = time.monotonic()
    prompt = persona.text(persona.spec.prompt)
    messages = [Message("system", prompt), Message("user", plan.question)]
    outputs = engine.reply(messages if prompt else messages[1:], grounding=_grounding(persona))
    return _since(began, await _times(outputs, lambda item: isinstance(item, Token) and bool(item.text)))


async def _speak(engine: Any, plan: Plan, persona: Persona) -> Taken:
    text = PHRASE.format(next(words()))
    began = time.monotonic()
    outputs = engine.synthesize(text, voice=persona.spec.voice, language=persona.spec.language)
    return _since(began, await _times(outputs, lambda item: isinstance(item, AudioChunk)))


WORKS: Final = {"stt": _recognise, "llm": _reply, "tts": _speak}


async def _times(outputs: AsyncIterator[Any], counts: Callable[[Any], bool]) -> list[float]:
    """Return when each output that `counts` came. Raises `MynahError` where none did."""
    found = []
    async with aclosing(cast(AsyncGenerator[Any, None], outputs)) as items:
        async for item in items:
            if counts(item):
                found.append(time.monotonic())
    if not found:
        raise MynahError("it gave nothing")
    return found


def _since(began: float, times: list[float]) -> Taken:
    return Taken((times[0] - began) * 1000, (times[-1] - began) * 1000)


# ---------------------------------------------------------------- through the hub


async def _through_hub(plan: Plan) -> Mapping[str, list[tuple[float, float]]]:
    """Return, for each kind, what was measured at the socket, and what the hub says the engine took of it."""
    plan.tell("engines, through the hub")
    async with plan.hub() as (hub, _), FakeSpeaker(hub.url, plays=[PLAYS], playback="silent") as speaker:
        found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
        for kind, run in (("stt", _heard), ("llm", _thought), ("tts", _said)):
            for number in range(_rounds(plan, kind) + 1):
                taken = await run(speaker, plan, hub)
                if number and taken is not None:  # the first call is not counted
                    found[kind].append(taken)
        return found


async def _heard(speaker: FakeSpeaker, plan: Plan, hub: HubProcess) -> tuple[float, float] | None:
    known = set(speaker.turns)
    await speaker.listen()
    async for frame in _spoken():
        await speaker.feed(frame)
    ended = time.monotonic()
    await speaker.end_listening()
    turn = await speaker.until(lambda: next((t for id, t in speaker.turns.items() if id not in known), None), "a turn")
    await speaker.finished(turn, timeout_s=RUN_S)
    known_at = turn.all("transcript")
    return ((known_at[0].at - ended) * 1000, _engine_ms(turn, "stt")) if known_at else None


async def _thought(speaker: FakeSpeaker, plan: Plan, hub: HubProcess) -> tuple[float, float] | None:
    began = time.monotonic()
    turn = await speaker.ask_text(plan.question, timeout_s=RUN_S)
    # The hub counts a language model up to the first phrase: so does this.
    tokens, phrases = turn.all("token"), turn.all("phrase")
    if not tokens or not phrases:
        return None
    return (tokens[0].at - began) * 1000, _engine_ms(turn, "llm") - (phrases[0].at - tokens[0].at) * 1000


async def _said(speaker: FakeSpeaker, plan: Plan, hub: HubProcess) -> tuple[float, float] | None:
    text = PHRASE.format(next(words()))
    began = time.monotonic()
    turn = await speaker.say(text, timeout_s=RUN_S)
    return ((turn.audio[0].at - began) * 1000, _engine_ms(turn, "tts")) if turn.audio else None


def _engine_ms(turn: ReceivedTurn, stage: str) -> float:
    return float(turn.last("turn_finished").get("engine_ms", {}).get(stage, 0.0))
