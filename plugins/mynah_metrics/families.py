"""The hub's figures in Prometheus' families. Nothing is counted here: the core counts, and is asked at each scrape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    StateSetMetricFamily,
)
from prometheus_client.metrics_core import Metric

from mynah import Hub

OUTCOMES: Final = (
    "answered", "unknown", "not_understood", "no_speech", "transcribed", "failed", "interrupted", "dropped",
)  # fmt: skip
ENGINE_STATES: Final = ("opening", "ready", "resting", "failed")
KINDS: Final = ("stt", "llm", "tts", "translate")


class Figures(CollectorRegistry):
    """A registry of one collector: what the hub tells now."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(auto_describe=False)
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        statistics, health = self._hub.statistics(), self._hub.health()
        yield from _hub(health)
        yield from _turns(statistics)
        yield from _times(statistics)
        yield from _engines(self._hub.engines())
        yield from _people(statistics, self._hub.speakers())
        yield from _queues(statistics["queues"])
        yield from _cache(health["speech_cache"])


def _hub(health: Mapping[str, Any]) -> Iterator[Metric]:
    yield InfoMetricFamily("mynah", "The hub.", {"version": health["version"]})
    yield GaugeMetricFamily("mynah_uptime_seconds", "Seconds since the hub was started.", health["uptime_s"])
    yield GaugeMetricFamily("mynah_healthy", "Whether all is well.", float(health["status"] == "healthy"))
    storage = float(bool(health["storage"]["error"]))
    yield GaugeMetricFamily("mynah_storage_failing", "Whether the database refused the last write.", storage)
    parts = GaugeMetricFamily("mynah_component_ready", "Whether a component can be used.", labels=["component"])
    for name, part in health["components"].items():
        parts.add_metric([name], float(part["state"] == "ready"))
    yield parts


def _turns(statistics: Mapping[str, Any]) -> Iterator[Metric]:
    # From zero on, so that the first of its kind shows as an increase.
    turns = CounterMetricFamily("mynah_turns", "Turns that are over, by how they ended.", labels=["outcome"])
    for outcome, count in {**dict.fromkeys(OUTCOMES, 0), **statistics["turns"]}.items():
        turns.add_metric([outcome], count)
    yield turns
    yield CounterMetricFamily("mynah_said", "Texts and sounds that were said as they are.", statistics["said"])
    yield CounterMetricFamily("mynah_interruptions", "Replies that were stopped.", statistics["interruptions"])
    failovers = CounterMetricFamily(
        "mynah_failovers", "Turns in which another engine had to answer, as one had failed.", labels=["kind"]
    )
    for kind, count in {**dict.fromkeys(KINDS, 0), **statistics["failovers"]}.items():
        failovers.add_metric([kind], count)
    yield failovers


def _times(statistics: Mapping[str, Any]) -> Iterator[Metric]:
    first = HistogramMetricFamily("mynah_first_audio_seconds", "From the end of speech to the reply's first audio.")
    _add(first, [], statistics["first_audio_ms"])
    yield first
    stages = HistogramMetricFamily(
        "mynah_stage_seconds", "From the beginning of a stage to its first result.", labels=["stage"]
    )
    for stage, times in statistics["stages_ms"].items():
        _add(stages, [stage], times)
    yield stages
    engines = HistogramMetricFamily(
        "mynah_engine_seconds", "What engines took on the way to the first audio.", labels=["kind", "engine"]
    )
    for times in statistics["engines_ms"]:
        _add(engines, [times["stage"], times["engine"]], times)
    yield engines


def _add(family: HistogramMetricFamily, labels: list[str], times: Mapping[str, Any]) -> None:
    buckets = [("+Inf" if bound is None else str(bound / 1000), count) for bound, count in times["buckets"]]
    family.add_metric(labels, buckets, times["sum"] / 1000)


def _engines(engines: Iterable[Mapping[str, Any]]) -> Iterator[Metric]:
    labels = ["kind", "engine"]
    states = StateSetMetricFamily("mynah_engine_state", "What an engine does.", labels=labels)
    calls = CounterMetricFamily("mynah_engine_calls", "Pieces of work that an engine was given.", labels=labels)
    failures = CounterMetricFamily("mynah_engine_failures", "Those at which it failed.", labels=labels)
    counts: dict[tuple[str, str], Counter[str]] = {}
    for engine in engines:  # an engine may be configured more than once
        found = counts.setdefault((engine["kind"], engine["name"]), Counter())
        found.update({"calls": engine["calls"], "failures": engine["failures"], f"state {engine['state']}": 1})
    for key, found in counts.items():
        states.add_metric(key, {state: found[f"state {state}"] > 0 for state in ENGINE_STATES})
        calls.add_metric(key, found["calls"])
        failures.add_metric(key, found["failures"])
    yield from (states, calls, failures)


def _people(statistics: Mapping[str, Any], speakers: Iterable[Mapping[str, Any]]) -> Iterator[Metric]:
    sessions = GaugeMetricFamily("mynah_sessions", "Open conversations, by who opened them.", labels=["origin"])
    for origin, count in statistics["sessions"].items():
        sessions.add_metric([origin or "other"], count)
    yield sessions
    known = Counter("online" if speaker["online"] else "offline" for speaker in speakers)
    family = GaugeMetricFamily("mynah_speakers", "Known speakers.", labels=["state"])
    for state in ("online", "offline"):
        family.add_metric([state], known[state])
    yield family


def _queues(queues: Mapping[str, Mapping[str, float]]) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("mynah_queue_waiting", "What waits in a queue.", labels=["queue"])
    dropped = CounterMetricFamily("mynah_queue_dropped", "What a queue had no room for.", labels=["queue"])
    for name, queue in queues.items():
        if "waiting" in queue:
            waiting.add_metric([name], queue["waiting"])
        if "dropped" in queue:
            dropped.add_metric([name], queue["dropped"])
    yield from (waiting, dropped)
    speech = queues["speech"]["waiting_ms"] / 1000
    yield GaugeMetricFamily("mynah_speech_waiting_seconds", "Speech that loudspeakers have not taken yet.", speech)


def _cache(cache: Mapping[str, int]) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "mynah_speech_cache_requests", "Phrases that were looked for in the speech cache.", labels=["result"]
    )
    requests.add_metric(["hit"], cache["hits"])
    requests.add_metric(["miss"], cache["misses"])
    yield requests
    sizes = GaugeMetricFamily("mynah_speech_cache_bytes", "What the speech cache holds.", labels=["where"])
    sizes.add_metric(["memory"], cache["memory_bytes"])
    sizes.add_metric(["disk"], cache["disk_bytes"])
    yield sizes
