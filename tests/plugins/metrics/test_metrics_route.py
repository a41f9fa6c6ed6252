"""`/metrics` of a real hub, read back by Prometheus' own parsers; and the dashboard, held against it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from mynah import OutletOptions, SessionOptions, TurnFinished
from mynah.outputs import LAST
from mynah.testing import ScriptedLanguageModel, ScriptedSpeechToText, run_hub, scripted, scripted_engines

DASHBOARD = Path(__file__).parents[3] / "docs" / "grafana.json"


@asynccontextmanager
async def running(folder, *, http=None, **engines):
    specs = scripted_engines(**engines)
    config = {"engines": {"llm": ["broken", "scripted_llm"]}, "http": http or {}}
    specs = (*specs, scripted("llm", ScriptedLanguageModel(fault="raise"), name="broken"))
    async with run_hub(folder, specs=specs, config=config, installed=["http", "metrics"]) as hub:
        yield hub


async def ask(hub, origin=""):
    session = hub.open_session(SessionOptions(origin=origin))
    async with aclosing(session.outputs(OutletOptions())) as outputs:
        session.submit("What do lions eat?")
        async for output in outputs:
            if isinstance(output, LAST):
                assert isinstance(output, TurnFinished)
                break
    return session


async def scrape(hub, accept="", token=""):
    headers = {"Accept": accept} if accept else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"{hub.addresses['http']}/metrics", headers=headers) as answer,
    ):
        return answer.status, answer.headers["Content-Type"], await answer.text()


async def samples(hub):
    """Return the value of each sample: name → labels → value."""
    found = defaultdict(dict)
    for family in read_text((await scrape(hub))[2]):
        for sample in family.samples:
            found[sample.name][frozenset(sample.labels.items())] = sample.value
    return found


def of(found, name, **labels):
    return found[name].get(frozenset(labels.items()))


async def test_turns_their_times_and_a_failover_are_told(tmp_path):
    async with running(tmp_path) as hub:
        before = await samples(hub)
        assert of(before, "mynah_turns_total", outcome="answered") == 0
        await ask(hub, "study")
        found = await samples(hub)
    assert of(found, "mynah_turns_total", outcome="answered") == 1
    assert of(found, "mynah_turns_total", outcome="failed") == 0
    assert of(found, "mynah_failovers_total", kind="llm") == 1
    assert of(found, "mynah_first_audio_seconds_count") == 1
    assert of(found, "mynah_first_audio_seconds_bucket", le="+Inf") == 1
    assert 0 < of(found, "mynah_first_audio_seconds_sum") < 30
    assert of(found, "mynah_stage_seconds_count", stage="thinking") == 1
    assert of(found, "mynah_engine_seconds_count", kind="llm", engine="scripted_llm") == 1
    assert of(found, "mynah_engine_failures_total", kind="llm", engine="broken") == 1
    assert of(found, "mynah_sessions", origin="study") == 1


async def test_states_queues_speakers_and_the_hub_itself_are_told(tmp_path):
    async with running(tmp_path) as hub:
        hub.note_speaker("hall", {"online": True})
        hub.note_speaker("deck", {})
        with hub.bus.subscribe(object, name="slow", maxsize=1):
            await ask(hub)
            found = await samples(hub)
    assert of(found, "mynah_speakers", state="online") == of(found, "mynah_speakers", state="offline") == 1
    assert of(found, "mynah_engine_state", kind="tts", engine="scripted_tts", mynah_engine_state="ready") == 1
    assert of(found, "mynah_engine_state", kind="tts", engine="scripted_tts", mynah_engine_state="resting") == 0
    assert of(found, "mynah_queue_waiting", queue="bus: slow") == 1
    assert of(found, "mynah_queue_dropped_total", queue="bus: slow") > 0
    assert of(found, "mynah_component_ready", component="http") == 1
    assert of(found, "mynah_healthy") == 1
    assert of(found, "mynah_storage_failing") == 0
    (version,) = found["mynah_info"]
    assert dict(version)["version"]


async def test_both_formats_are_answered_and_are_what_they_say(tmp_path):
    async with running(tmp_path) as hub:
        await ask(hub)
        _, kind, text = await scrape(hub)
        assert kind.startswith("text/plain; version=")
        _, newer_kind, newer = await scrape(hub, "application/openmetrics-text; version=1.0.0")
        assert newer_kind.startswith("application/openmetrics-text; version=1.0.0")
    names = {family.name for family in read_openmetrics(newer)}
    assert {"mynah_turns", "mynah_stage_seconds", "mynah_engine_state"} <= names
    assert "# HELP mynah_turns_total Turns that are over" in text


async def test_where_the_hub_is_open_to_the_network_a_viewer_may_look(tmp_path):
    async with running(tmp_path, http={"host": "0.0.0.0", "mdns": False}) as hub:
        assert (await scrape(hub))[0] == 401
        assert (await scrape(hub, token=hub.storage.issue_token("grafana", "viewer")))[0] == 200


async def test_no_words_of_a_conversation_are_told(tmp_path):
    async with running(tmp_path, stt=ScriptedSpeechToText("my secret")) as hub:
        session = await ask(hub)
        _, _, text = await scrape(hub)
    assert "lions" not in text.lower()
    assert session.id not in text


# ---------------------------------------------------------------- the dashboard


def queries():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    found = [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel["targets"]]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            found.append((variable["name"], variable["query"]["query"]))
    return found


@pytest.fixture
async def there(tmp_path):
    """What a hub tells after a turn: name → the labels that some sample of it has."""
    async with running(tmp_path) as hub:
        await ask(hub)
        found = await samples(hub)
        return {name: {label for labels in rows for label, _ in labels} for name, rows in found.items()}


async def test_every_query_of_the_dashboard_asks_for_what_there_is(there):
    assert len(queries()) > 20
    for title, query in queries():
        # A label of that name is no metric.
        names = re.findall(r"\b(mynah_\w+)\b(?!\s*(?:!?=|,|\)))", query) or re.findall(r"\((mynah_\w+),", query)
        names = [name for name in names if f"by ({name}" not in query]
        assert names, (title, query)
        assert [name for name in names if name not in there] == [], title
        labels = {label for group in re.findall(r"by \(([^)]*)\)", query) for label in re.split(r",\s*", group)}
        labels |= set(re.findall(r"(\w+)!?=\"", query))
        known = {"job"}.union(*(there[name] for name in names))
        assert labels <= known, (title, labels - known)


def test_every_legend_names_labels_that_its_query_keeps():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                grouped = re.findall(r"by \(([^)]*)\)", target["expr"])
                assert not grouped or label in re.split(r",\s*", grouped[-1]), panel["title"]


async def test_everything_that_is_told_but_for_the_version_is_on_the_dashboard(there):
    asked = " ".join(query for _, query in queries())
    parts = ("_count", "_sum", "_created", "_bucket")
    told = {re.sub(f"({'|'.join(parts)})$", "", name) for name in there if name.startswith("mynah_")}
    left_out = {name for name in told if name not in asked}
    assert left_out == {"mynah_engine_calls_total"}


def test_panels_have_ids_of_their_own_and_do_not_overlap():
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
