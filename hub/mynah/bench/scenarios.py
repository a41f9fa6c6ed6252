"""Every scenario of `mynah bench`, and how they are run."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mynah.bench import codecs, engines, feedback, first_audio, footprint, interrupt, latency, three_phrases
from mynah.bench.plan import Measure
from mynah.errors import InputError
from mynah.specs import BenchmarkSpec


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that can be measured."""

    name: str
    run: Measure
    description: str


OWN: Final = (
    Scenario("first-audio", first_audio.measure, "from a question to the first token, word and audio of its reply"),
    Scenario("three-phrases", three_phrases.measure, "a reply of three phrases that take 3 s each to make"),
    Scenario("feedback", feedback.measure, "from the microphone's first audio to the first sign of being heard"),
    Scenario("interrupt", interrupt.measure, "from an interruption to silence and free engines"),
    Scenario("engines", engines.measure, "each engine by itself, beside through the hub"),
    Scenario("codecs", codecs.measure, "conversions of audio"),
    Scenario("latency", latency.measure, "what each thing that is done to be heard sooner gives"),
    Scenario("embedded", footprint.embedded, "a spoken question to the embedded engines"),
    Scenario("start", footprint.start, "from the start to a healthy hub, and its memory"),
    Scenario("memory", footprint.memory, "what a session costs, idle and talking"),
)


def all_scenarios(benchmarks: Iterable[BenchmarkSpec]) -> Mapping[str, Scenario]:
    """Return the hub's scenarios and those of plugins, by name; a plugin does not replace one of the hub's."""
    added = {spec.name: Scenario(spec.name, spec.run, spec.description) for spec in benchmarks}
    own = {scenario.name: scenario for scenario in OWN}
    return {**own, **{name: scenario for name, scenario in added.items() if name not in own}}


def chosen(names: Sequence[str], known: Mapping[str, Scenario]) -> list[Scenario]:
    """Return the scenarios of those names, or all. Raises `InputError` for a name that is not known."""
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            meant = f"did you mean {near[0]!r}? " if near else ""
            raise InputError(f"no scenario {name!r}; {meant}known are {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())
