"""The hub: what it starts in which order, how it keeps it alive, and how it stops."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import json
from contextlib import aclosing, asynccontextmanager

import pytest

from mynah.components import RESTART_S
from mynah.config.check import load_config
from mynah.conversation.persona import personas
from mynah.errors import EngineError, InputError, LimitError, MynahError
from mynah.events import (
    ComponentFailed,
    ComponentReady,
    Event,
    HubStarted,
    HubStopping,
    SessionClosed,
    SessionOpened,
)
from mynah.hub import MynahHub
from mynah.outputs import LAST, SpeechChunk, TurnFinished
from mynah.plugins import LoadedPlugin, Plugins
from mynah.session_protocol import OutletOptions, SessionOptions
from mynah.specs import ComponentSpec, EngineSpec, PersonaSpec, RouteSpec
from mynah.storage import Storage
from mynah.testing.engines import (
    ScriptedDetector,
    ScriptedLanguageModel,
    ScriptedTextToSpeech,
    ScriptedVoiceActivity,
    scripted,
)
from mynah.testing.hubs import scripted_engines
from mynah.testing.virtual_time import run_in_virtual_time
from mynah.timeline import now


def virtual(test):
    """Run an async test in virtual time."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        run_in_virtual_time(test(*args, **kwargs))

    return run


@pytest.fixture
def build(tmp_path):
    """Build a hub of specs, not yet running."""

    def build_hub(*specs, config=None, failed=(), **options):
        file = tmp_path / "config.yaml"
        file.write_text(json.dumps(config or {}))
        plugins = Plugins((LoadedPlugin("test", "this test", tuple(specs)), *failed))
        checked = load_config(file, plugins.specs)
        known = personas(plugins.personas, checked.values["personas"], folder=tmp_path)
        return MynahHub(checked, plugins, known, **options)

    return build_hub


def component(name, log=None, *, after=(), **more):
    """A component that is ready at once and notes in `log` when it starts and stops."""
    log = [] if log is None else log

    async def run(hub, config, ready):
        log.append(f"{name} starts")
        ready()
        try:
            await asyncio.Event().wait()
        finally:
            log.append(f"{name} stops")

    return ComponentSpec(name=name, run=run, after=after, **more)


def moody(name, *outcomes, starts=None):
    """A component that follows `outcomes`: an exception, or seconds after which it ends by itself."""
    left = iter(outcomes)

    async def run(hub, config, ready):
        if starts is not None:
            starts.append(now())
        outcome = next(left, None)
        if isinstance(outcome, BaseException):
            raise outcome
        ready()
        await asyncio.sleep(1e9 if outcome is None else outcome)

    return ComponentSpec(name=name, run=run)


def pauses(times):
    return [round(later - earlier, 2) for earlier, later in itertools.pairwise(times)]


@contextlib.contextmanager
def listening(hub, kind):
    """Collect the events of one kind, complete after the block."""
    found = []
    with hub.bus.subscribe(kind, name="test") as subscription:
        yield found

    async def collect():
        found.extend([event async for event in subscription])

    with contextlib.suppress(StopIteration):
        collect().send(None)  # a subscription that has ended gives all it has without waiting


# ---------------------------------------------------------------- starting and stopping


@virtual
async def test_components_start_after_those_they_name_and_stop_in_reverse(build):
    log = []
    hub = build(
        component("api", log, after=("server", "not_installed")),
        component("server", log, after=("base",)),
        component("base", log),
        component("zoo", log),
    )
    async with hub.running():
        assert log == ["base starts", "zoo starts", "server starts", "api starts"]
        log.clear()
    assert log == ["api stops", "server stops", "zoo stops", "base stops"]


@virtual
async def test_a_component_starts_only_when_the_one_before_is_ready(build):
    log = []

    async def run(hub, config, ready):
        await asyncio.sleep(3)
        log.append("base is ready")
        ready()
        await asyncio.Event().wait()

    hub = build(ComponentSpec(name="base", run=run), component("api", log, after=("base",)))
    async with hub.running():
        assert log == ["base is ready", "api starts"]


def test_components_that_wait_for_each_other_are_refused_before_anything_is_made(build, tmp_path):
    with pytest.raises(MynahError, match="components wait for each other: a, b"):
        build(component("a", after=("b",)), component("b", after=("a",)), component("c"))
    with pytest.raises(MynahError, match="components wait for each other: own"):
        build(component("own", after=("own",)))
    assert not (tmp_path / "data").exists()


@virtual
async def test_start_and_stop_are_published(build):
    hub = build(component("bell"))
    with listening(hub, Event) as events:
        async with hub.running():
            pass
    assert [type(event) for event in events] == [ComponentReady, HubStarted, HubStopping]
    assert events[0].component == "bell"


@virtual
async def test_a_component_is_given_the_hub_and_its_own_section(build):
    import voluptuous as vol

    seen = []

    async def run(hub, config, ready):
        seen.append((hub, dict(config)))
        ready()
        await asyncio.Event().wait()

    schema = {vol.Optional("port", default=8000): int, vol.Optional("loud", default=False): bool}
    hub = build(ComponentSpec(name="bell", run=run, schema=schema), config={"bell": {"port": 1}})
    async with hub.running():
        assert seen == [(hub, {"port": 1, "loud": False})]
        assert hub.config["bell"] == {"port": 1, "loud": False}


@virtual
async def test_a_hub_without_components_starts_none(build):
    log = []
    async with build(component("bell", log), with_components=False).running() as hub:
        assert hub.health()["components"] == {}
    assert log == []


@virtual
async def test_everything_is_stopped_when_the_body_fails(build):
    log = []

    async def fail():
        async with build(component("bell", log)).running():
            raise RuntimeError("the body")

    with pytest.raises(RuntimeError, match="the body"):
        await fail()
    assert log == ["bell starts", "bell stops"]


@virtual
async def test_everything_is_stopped_when_the_start_is_cancelled(build):
    log = []

    async def slow(hub, config, ready):
        await asyncio.sleep(5)

    async def start():
        async with build(component("bell", log), ComponentSpec(name="slow", run=slow)).running():
            log.append("never")

    task = asyncio.ensure_future(start())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert log == ["bell starts", "bell stops"]


@virtual
async def test_a_hub_can_run_again_in_the_same_folder(build):
    for _ in range(2):
        async with build(component("bell")).running() as hub:
            hub.storage.issue_token("hall", "speaker")


@virtual
async def test_no_task_is_left_when_the_hub_has_stopped(build):
    before = asyncio.all_tasks()
    async with build(component("bell"), *scripted_engines()).running() as hub:
        hub.open_session(SessionOptions()).submit("what do lions eat")
        await asyncio.sleep(1)
    await asyncio.sleep(0.1)
    assert asyncio.all_tasks() == before


@virtual
async def test_a_component_that_will_not_stop_does_not_hold_up_the_hub(build, caplog):
    log = []

    async def run(hub, config, ready):
        ready()
        for _ in range(20):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(1)

    began = None
    async with build(ComponentSpec(name="stubborn", run=run), component("bell", log)).running():
        began = now()
    assert now() - began < 6
    assert "component stubborn did not stop within 5 s" in caplog.text
    assert "bell stops" in log
    await asyncio.sleep(60)


@virtual
async def test_a_component_that_fails_while_it_stops_does_not_keep_the_others_from_stopping(build, caplog):
    log = []

    async def run(hub, config, ready):
        ready()
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("the socket was closed already")

    async with build(component("a", log), ComponentSpec(name="b", run=run), component("c", log)).running():
        pass
    assert log[-2:] == ["c stops", "a stops"]
    assert "component b failed while stopping" in caplog.text
    await asyncio.sleep(60)
    assert len(log) == 4


# ---------------------------------------------------------------- supervision


@virtual
async def test_a_component_that_fails_is_started_again_after_growing_pauses(build):
    starts = []
    hub = build(moody("bell", *[MynahError("port 80 is taken")] * 7, starts=starts))
    with listening(hub, ComponentFailed) as failed:
        async with hub.running():
            await asyncio.sleep(200)
    assert pauses(starts) == [*RESTART_S, RESTART_S[-1], RESTART_S[-1]]
    assert [(event.component, event.error) for event in failed] == [("bell", "port 80 is taken")] * 7
    assert [event.retry_s for event in failed[:3]] == [0.5, 2.0, 5.0]


@virtual
async def test_the_siblings_of_a_component_that_fails_notice_nothing(build):
    log = []
    hub = build(component("a", log), moody("bell", 1, 1, 1), component("c", log))
    async with hub.running():
        await asyncio.sleep(60)
        assert log == ["a starts", "c starts"]
        assert hub.health()["components"]["bell"] == {"state": "ready", "error": ""}


@virtual
async def test_a_component_that_ends_by_itself_is_started_again(build):
    hub = build(moody("bell", 0.1))
    with listening(hub, ComponentFailed) as failed, listening(hub, ComponentReady) as ready:
        async with hub.running():
            await asyncio.sleep(10)
    assert [(event.component, event.error, event.retry_s) for event in failed] == [("bell", "ended by itself", 0.5)]
    assert len(ready) == 2


@virtual
async def test_pauses_begin_anew_after_a_component_ran_for_long(build):
    starts = []
    async with build(moody("bell", 0, 0, 1000, 0, starts=starts)).running():
        await asyncio.sleep(3000)
    assert pauses(starts) == [0.5, 2.0, 1000.5, 2.0]


@virtual
async def test_a_defect_of_a_component_is_logged_with_its_traceback_and_a_known_trouble_without(build, caplog):
    async with build(moody("bell", MynahError("port 80 is taken"))).running():
        assert "component bell failed: port 80 is taken" in caplog.text
        assert "Traceback" not in caplog.text
    async with build(moody("bell", ZeroDivisionError("oh"))).running() as hub:
        assert "Traceback" in caplog.text
        assert hub.health()["components"]["bell"]["error"] == "ZeroDivisionError: oh"


@virtual
async def test_a_component_that_fails_inside_a_task_group_is_reported_by_its_own_error(build):
    hub = build(moody("bell", ExceptionGroup("unhandled errors in a TaskGroup", [MynahError("port 80 is taken")])))
    async with hub.running():
        assert hub.health()["components"]["bell"]["error"] == "port 80 is taken"


@virtual
async def test_a_component_that_lets_a_cancellation_out_by_mistake_is_started_again(build):
    starts = []
    async with build(moody("bell", asyncio.CancelledError(), starts=starts)).running() as hub:
        assert hub.health()["components"]["bell"]["state"] == "failed"
        await asyncio.sleep(1)
        assert hub.health()["components"]["bell"]["state"] == "ready"
    assert pauses(starts) == [0.5]


@virtual
async def test_a_component_that_is_never_ready_holds_up_the_start_for_a_while_only(build, caplog):
    log = []

    async def run(hub, config, ready):
        await asyncio.sleep(100)
        ready()
        await asyncio.Event().wait()

    began = now()
    async with build(ComponentSpec(name="a_slow", run=run), component("bell", log)).running() as hub:
        assert now() - began == pytest.approx(10, abs=0.5)
        assert "component a_slow is not ready after 10 s; going on without it" in caplog.text
        assert log == ["bell starts"]
        assert hub.health()["status"] == "degraded"
        assert "a_slow starting" in hub.health()["troubles"]
        await asyncio.sleep(100)
        assert hub.health()["components"]["a_slow"]["state"] == "ready"


@virtual
async def test_a_component_that_fails_at_once_does_not_hold_up_the_start(build):
    log = []
    began = now()
    async with build(moody("a_broken", *[MynahError("no")] * 100), component("bell", log)).running():
        assert now() - began < 1
        assert log == ["bell starts"]


# ---------------------------------------------------------------- health


@virtual
async def test_the_hub_says_that_it_is_starting_healthy_and_stopping(build):
    seen = []

    async def run(hub, config, ready):
        seen.append(hub.health()["status"])
        ready()
        try:
            await asyncio.Event().wait()
        finally:
            seen.append(hub.health()["status"])

    async with build(ComponentSpec(name="bell", run=run), *scripted_engines()).running() as hub:
        await hub.engines_settled(5)
        health = hub.health()
        assert (health["status"], health["ready"], health["troubles"]) == ("healthy", True, [])
    assert seen == ["starting", "stopping"]


@virtual
async def test_health_names_what_is_wrong(build):
    specs = (
        moody("bell", *[MynahError("port 80 is taken")] * 100),
        scripted("stt", None, open_s=60),
        scripted("llm", None, fault="no model"),
        scripted("tts", ScriptedTextToSpeech()),
        PersonaSpec(name="sparrow", title="A sparrow"),
    )
    failed = LoadedPlugin("parrot", "parrot.py", error="SyntaxError: invalid syntax")
    async with build(*specs, failed=[failed]).running() as hub:
        await asyncio.sleep(0.1)
        health = hub.health()
        assert (health["status"], health["ready"]) == ("degraded", True)
        assert health["troubles"] == ["bell failed", "stt loading", "llm unavailable"]
        assert health["components"] == {"bell": {"state": "failed", "error": "port 80 is taken"}}
        assert health["plugins"] == {"failed": {"parrot": "SyntaxError: invalid syntax"}}
        assert {(e["kind"], e["name"], e["state"], e["error"]) for e in health["engines"]} == {
            ("stt", "scripted_stt", "opening", ""),
            ("llm", "scripted_llm", "failed", "no model"),
            ("tts", "scripted_tts", "ready", ""),
        }


@virtual
async def test_a_hub_whose_first_engine_is_missing_is_healthy_with_the_second(build):
    specs = (*scripted_engines(), scripted("llm", None, name="a_cloud", fault="no network"))
    async with build(*specs).running() as hub:
        await hub.engines_settled(5)
        assert hub.health()["status"] == "healthy"
        assert [e["state"] for e in hub.engines() if e["kind"] == "llm"] == ["failed", "ready"]


@virtual
async def test_health_is_plain_data(build):
    async with build(component("bell"), *scripted_engines()).running() as hub:
        hub.open_session(SessionOptions())
        await asyncio.sleep(60)
        health = json.loads(json.dumps(hub.health()))
    assert health["sessions"] == 1
    assert 60 <= health["uptime_s"] < 75
    assert health["version"]


@virtual
async def test_failures_at_work_are_counted(build):
    async with build(*scripted_engines(llm=ScriptedLanguageModel(fault="raise"))).running() as hub:
        await hub.engines_settled(5)
        hub.open_session(SessionOptions()).submit("what do lions eat")
        await asyncio.sleep(1)
        (known,) = [e for e in hub.engines() if e["kind"] == "llm"]
        assert (known["state"], known["calls"], known["failures"]) == ("ready", 1, 1)
        assert known["last_error"] == "the script says so"


@virtual
async def test_an_engine_that_rests_is_a_trouble_until_it_works_again(build):
    model = ScriptedLanguageModel(fault="raise")
    config = {"engines": {"llm": [{"engine": "scripted_llm", "failures": 2, "retry_after": 30}]}}
    async with build(*scripted_engines(llm=model), config=config).running() as hub:
        await hub.engines_settled(5)
        session = hub.open_session(SessionOptions())
        for _ in range(2):
            session.submit("what do lions eat")
            await asyncio.sleep(1)
        (known,) = [e for e in hub.engines() if e["kind"] == "llm"]
        assert (known["state"], round(known["rests_s"])) == ("resting", 29)
        assert (hub.health()["status"], hub.health()["troubles"]) == ("degraded", ["llm resting"])
        model.fault = ""
        session.submit("what do lions eat")  # nobody else can answer, so it is tried all the same
        await asyncio.sleep(1)
        assert hub.health()["status"] == "healthy"


# ---------------------------------------------------------------- engines


@virtual
async def test_an_engine_has_a_folder_of_its_own_in_the_data_folder(build, tmp_path):
    seen = []

    @asynccontextmanager
    async def open_engine(config, folder):
        seen.append((folder, folder.is_dir(), config))
        yield ScriptedVoiceActivity()

    spec = EngineSpec(name="ears", kind="vad", open=open_engine, schema={"model": str})
    config = {"engines": {"vad": [{"engine": "ears", "model": "big"}]}}
    async with build(spec, config=config).running() as hub:
        await hub.engines_settled(5)
        assert hub.folder == tmp_path / "data"
    assert seen == [(tmp_path / "data" / "engines" / "ears", True, {"model": "big"})]


@virtual
async def test_the_hub_is_ready_before_its_engines(build):
    async with build(component("bell"), scripted("llm", ScriptedLanguageModel(), open_s=100)).running() as hub:
        assert hub.health()["ready"]
        assert hub.engines()[0]["state"] == "opening"
        began = now()
        await hub.engines_settled(5)
        assert now() - began == pytest.approx(5, abs=0.1)
        await hub.engines_settled(500)
        assert hub.engines()[0]["state"] == "ready"


class WarmedDetector(ScriptedDetector):
    """A detector maker that notes for whom it was warmed up."""

    def __init__(self, error=None):
        self.warmed = []
        self.error = error

    def detector(self):
        return self

    async def warm_up(self, grounding, hints):
        self.warmed.append(grounding.persona)
        if self.error:
            raise self.error


TWO = (PersonaSpec(name="owl", title="An owl"), PersonaSpec(name="crow", title="A crow", language="de"))


# The codecs are loaded in a thread first, which takes real time.


OWLS_SPEAKER = {"speakers": {"tree": {"persona": "owl"}}}


async def until_warmed(engine, warmed):
    async with asyncio.timeout(20):
        while engine.warmed != warmed:  # noqa: ASYNC110  # a list, which nobody signals
            await asyncio.sleep(0.001)


async def test_an_engine_is_warmed_up_for_the_default_persona_once(build):
    engine = WarmedDetector()
    async with build(scripted("vad", engine), *TWO).running() as hub:
        await hub.warm(30)
        await asyncio.sleep(0.01)
        assert engine.warmed == ["crow"]


async def test_an_engine_is_warmed_up_for_the_personas_of_known_speakers(build):
    engine = WarmedDetector()
    async with build(scripted("vad", engine), *TWO, config=OWLS_SPEAKER).running() as hub:
        await hub.warm(30)
        assert engine.warmed == ["crow", "owl"]


async def test_an_engine_is_warmed_up_for_another_persona_once_a_session_with_it_opens(build):
    engine = WarmedDetector()
    async with build(scripted("vad", engine), *TWO).running() as hub:
        await hub.warm(30)
        for persona in ("crow", "owl", "owl"):
            hub.open_session(SessionOptions(persona=persona))
        await until_warmed(engine, ["crow", "owl"])
        await asyncio.sleep(0.01)
        assert engine.warmed == ["crow", "owl"]


async def test_a_persona_whose_session_opened_before_the_engines_is_not_forgotten(build):
    engine = WarmedDetector()
    async with build(scripted("vad", engine), *TWO).running() as hub:
        hub.open_session(SessionOptions(persona="owl"))
        await hub.warm(30)
        assert engine.warmed == ["crow", "owl"]


async def test_warming_up_can_be_switched_off(build):
    engine = WarmedDetector()
    async with build(scripted("vad", engine), *TWO, config={"latency": {"warm_up": False}}).running() as hub:
        await hub.warm(30)
        await asyncio.sleep(0.01)
        assert engine.warmed == []


@pytest.mark.parametrize("error", [EngineError("no dictionary"), KeyError("a defect")])
async def test_an_engine_that_cannot_be_warmed_up_keeps_no_other_from_it(build, error, caplog):
    broken, fine = WarmedDetector(error), WarmedDetector()
    specs = (scripted("vad", broken, name="a_broken"), scripted("vad", fine, name="fine"), *TWO)
    async with build(*specs, config=OWLS_SPEAKER).running() as hub:
        async with asyncio.timeout(20):
            await hub.warm(1000)
        assert (broken.warmed, fine.warmed) == (["crow", "owl"], ["crow", "owl"])
    assert "a_broken could not make ready for crow" in caplog.text


async def test_an_engine_that_opens_late_or_again_is_warmed_up_then(build, monkeypatch):
    monkeypatch.setattr("mynah.warming.OPEN_WITHIN_S", 0.1)
    monkeypatch.setattr("mynah.components.READY_WITHIN_S", 0.01)
    monkeypatch.setattr("mynah.engines.open_engine.REOPEN_S", (0.01,))
    engine, allowed, breaks = WarmedDetector(), asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def open_engine(config, folder):
        await allowed.wait()
        async with asyncio.TaskGroup() as group:
            group.create_task(break_down())
            yield engine

    async def break_down():
        await breaks.wait()
        breaks.clear()
        raise EngineError("the worker died")

    spec = EngineSpec(name="ears", kind="vad", open=open_engine, embedded=True)
    async with build(spec, *TWO, config=OWLS_SPEAKER).running() as hub:
        await hub.warm(20)
        assert engine.warmed == []
        allowed.set()
        await until_warmed(engine, ["crow", "owl"])
        breaks.set()
        await until_warmed(engine, ["crow", "owl"] * 2)


# ---------------------------------------------------------------- draining


async def read(session, outputs, times, **options):
    async with aclosing(session.outputs(OutletOptions(**options))) as stream:
        async for output in stream:
            outputs.append(output)
            times.append(now())


async def speaking(hub):
    """Open a session that speaks four seconds of audio to a loudspeaker; return what came out and when."""
    await hub.engines_settled(5)
    session, outputs, times = hub.open_session(SessionOptions()), [], []
    reader = asyncio.ensure_future(read(session, outputs, times, buffer_ms=200))
    await asyncio.sleep(0)
    session.submit("what do lions eat")
    while not any(isinstance(output, SpeechChunk) for output in outputs):  # noqa: ASYNC110  # virtual time
        await asyncio.sleep(0.01)
    return reader, outputs


VOICE = ScriptedTextToSpeech(ms_per_word=1334, pieces=40)


@virtual
async def test_a_reply_that_is_being_spoken_may_finish_before_the_hub_stops(build):
    hub = build(*scripted_engines(tts=VOICE), config={"shutdown": {"grace": 30}})
    with listening(hub, SessionClosed) as closed:
        async with hub.running():
            reader, outputs = await speaking(hub)
            began = now()
        took = now() - began
    await asyncio.wait({reader}, timeout=1)
    assert any(isinstance(output, TurnFinished) for output in outputs)
    assert sum(o.audio.ms for o in outputs if isinstance(o, SpeechChunk)) == pytest.approx(4000, abs=30)
    assert 3 < took < 6
    assert [event.reason for event in closed] == ["the hub stopped"]


@virtual
async def test_a_reply_that_takes_longer_than_the_grace_is_cut(build):
    hub = build(*scripted_engines(tts=VOICE), config={"shutdown": {"grace": 1}})
    async with hub.running():
        reader, outputs = await speaking(hub)
        began = now()
    assert 0.9 < now() - began < 2
    await asyncio.wait({reader}, timeout=1)
    assert reader.done()
    assert sum(o.audio.ms for o in outputs if isinstance(o, SpeechChunk)) < 2000


@virtual
async def test_a_hub_with_nothing_to_say_stops_at_once(build):
    async with build(component("bell"), *scripted_engines(), config={"shutdown": {"grace": 100}}).running() as hub:
        hub.open_session(SessionOptions())
        await hub.engines_settled(5)
        began = now()
    assert now() - began < 0.5


@virtual
async def test_a_hub_that_stops_takes_no_new_sessions(build):
    hub = build(*scripted_engines(tts=VOICE), config={"shutdown": {"grace": 30}})
    refused = []

    async def try_to_open():
        await asyncio.sleep(1)
        try:
            hub.open_session(SessionOptions())
        except LimitError as error:
            refused.append(str(error))

    async with hub.running():
        reader, _ = await speaking(hub)
        knock = asyncio.ensure_future(try_to_open())
    await asyncio.wait({reader, knock}, timeout=1)
    assert refused == ["the hub is stopping; try again in a moment"]


@virtual
async def test_components_stop_after_the_replies(build):
    log = []
    hub = build(component("bell", log), *scripted_engines(tts=VOICE), config={"shutdown": {"grace": 30}})
    with listening(hub, HubStopping) as stopping:
        async with hub.running():
            reader, outputs = await speaking(hub)
            log.append("told to stop")
            while_it_stops = asyncio.ensure_future(asyncio.sleep(2))
            while_it_stops.add_done_callback(lambda _: log.append("still speaking"))
    await asyncio.wait({reader}, timeout=1)
    assert log == ["bell starts", "told to stop", "still speaking", "bell stops"]
    assert isinstance(next(o for o in outputs if isinstance(o, LAST)), TurnFinished)
    assert len(stopping) == 1


# ---------------------------------------------------------------- sessions


@virtual
async def test_no_more_sessions_are_open_than_configured(build):
    async with build(*scripted_engines(), config={"sessions": {"max": 2}}).running() as hub:
        first = hub.open_session(SessionOptions())
        hub.open_session(SessionOptions())
        with pytest.raises(LimitError, match="2 sessions are open already; close one or raise 'sessions: max:'"):
            hub.open_session(SessionOptions())
        hub.close_session(first.id)
        hub.open_session(SessionOptions())
        assert len(hub.sessions()) == 2


@virtual
async def test_sessions_are_found_by_their_ids_and_closed(build):
    hub = build(*scripted_engines())
    with listening(hub, SessionOpened) as opened, listening(hub, SessionClosed) as closed:
        async with hub.running():
            session = hub.open_session(SessionOptions())
            assert hub.session(session.id) is session
            assert [each["id"] for each in hub.sessions()] == [session.id]
            hub.close_session(session.id, "enough")
            await asyncio.sleep(0.1)
            assert session.closed
            assert hub.sessions() == []
            for call in (hub.session, hub.close_session):
                with pytest.raises(InputError, match="no session"):
                    call(session.id)
    assert [(event.session_id, event.persona, event.language) for event in opened] == [(session.id, "sparrow", "en")]
    assert [(event.session_id, event.reason) for event in closed] == [(session.id, "enough")]


@virtual
async def test_a_session_that_is_idle_for_too_long_is_closed(build):
    hub = build(*scripted_engines(), config={"sessions": {"idle_timeout": 100}})
    with listening(hub, SessionClosed) as closed:
        async with hub.running():
            session = hub.open_session(SessionOptions())
            await asyncio.sleep(90)
            session.submit("what do lions eat")
            await asyncio.sleep(90)
            assert not session.closed
            await asyncio.sleep(15)
            assert session.closed
    assert [event.reason for event in closed] == ["idle for 100 s"]


@virtual
async def test_a_session_that_is_too_old_is_closed_however_busy(build):
    hub = build(*scripted_engines(), config={"sessions": {"max_age": 100}})
    with listening(hub, SessionClosed) as closed:
        async with hub.running():
            session, young = hub.open_session(SessionOptions()), hub.open_session(SessionOptions())
            session.opened_at -= 100
            session.submit("what do lions eat")
            await asyncio.sleep(1.5)
            assert (session.closed, young.closed) == (True, False)
    assert closed[0].reason == "older than 100 s"


@virtual
async def test_a_session_whose_client_has_gone_is_kept_for_the_grace_time(build):
    hub = build(*scripted_engines(), config={"sessions": {"resume_grace": 30}})
    with listening(hub, SessionClosed) as closed:
        async with hub.running():
            session = hub.open_session(SessionOptions())
            for _ in range(2):  # it goes, and comes back in time
                reader = asyncio.ensure_future(read(session, [], []))
                await asyncio.sleep(100)
                assert not session.closed
                reader.cancel()
                await asyncio.sleep(25)
                assert not session.closed
            await asyncio.sleep(7)
            assert session.closed
    assert closed[0].reason == "its client did not come back within 30 s"


@virtual
async def test_a_session_that_nobody_ever_attached_to_is_not_closed_by_the_grace_time(build):
    async with build(*scripted_engines(), config={"sessions": {"resume_grace": 1}}).running() as hub:
        session = hub.open_session(SessionOptions())
        await asyncio.sleep(100)
        assert not session.closed


SPEAKERS = {
    "speakers": {
        "lion_house": {
            "name": "Lion house",
            "area": "savanna",
            "persona": "crow",
            "language": "fr",
            "context": {"exhibit": "lion", "floor": "1"},
        },
        "hall": {},
    },
    "persona": "owl",
}


@virtual
async def test_a_speakers_persona_language_and_context_become_the_sessions(build):
    async with build(*TWO, config=SPEAKERS).running() as hub:
        told = hub.open_session(SessionOptions(speaker="lion_house")).describe()
        assert (told["persona"], told["language"], told["speaker"]) == ("crow", "fr", "lion_house")
        assert told["context"] == {"exhibit": "lion", "floor": "1"}


@virtual
async def test_what_a_session_asks_for_goes_before_what_the_speaker_has(build):
    async with build(*TWO, config=SPEAKERS).running() as hub:
        options = SessionOptions(speaker="lion_house", persona="owl", language="it", context={"exhibit": "owl"})
        told = hub.open_session(options).describe()
        assert (told["persona"], told["language"]) == ("owl", "it")
        assert told["context"] == {"exhibit": "owl", "floor": "1"}


@virtual
async def test_a_speaker_of_which_nothing_is_said_has_the_defaults(build):
    async with build(*TWO, config=SPEAKERS).running() as hub:
        told = hub.open_session(SessionOptions(speaker="hall")).describe()
        assert (told["persona"], told["language"], told["context"]) == ("owl", "en", {})


@virtual
async def test_the_default_persona_is_the_first_by_name_unless_configured(build):
    async with build(*TWO).running() as hub:
        assert hub.open_session(SessionOptions()).describe()["persona"] == "crow"
        assert hub.open_session(SessionOptions()).describe()["language"] == "de"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"persona": "emu"}, "no persona named 'emu'; known are crow, owl"),
        ({"speaker": "moon"}, "no speaker named 'moon'; known are lion_house, hall"),
    ],
)
@virtual
async def test_names_that_do_not_exist_open_no_session(build, options, message):
    async with build(*TWO, config=SPEAKERS).running() as hub:
        with pytest.raises(InputError) as caught:
            hub.open_session(SessionOptions(**options))
        assert str(caught.value) == message
        assert hub.sessions() == []


@virtual
async def test_without_any_persona_no_session_opens(build):
    async with build().running() as hub:
        with pytest.raises(InputError, match="no persona is configured"):
            hub.open_session(SessionOptions())


@virtual
async def test_speakers_are_listed_with_their_sessions(build):
    async with build(*TWO, config=SPEAKERS).running() as hub:
        session = hub.open_session(SessionOptions(speaker="lion_house"))
        lion_house, hall = hub.speakers()
        assert lion_house.pop("last_seen") > 0
        assert lion_house == {
            "id": "lion_house",
            "name": "Lion house",
            "area": "savanna",
            "persona": "crow",
            "context": {"exhibit": "lion", "floor": "1"},
            "session": session.id,
            "configured": True,
            "online": False,
            "formats": [],
            "firmware": "",
            "groups": [],
            "phase": "idle",
            "volume": None,
            "mute": False,
            "latest": None,
            "update": None,
            "commands": ["persona", "language", "voice", "context", "volume", "mute", "stop"],
        }
        assert (hall["name"], hall["area"], hall["session"]) == ("hall", None, None)
        hub.close_session(session.id)
        assert hub.speakers()[0]["session"] is None


# ---------------------------------------------------------------- what plugins may ask


@virtual
async def test_a_token_gives_its_role_and_to_a_speaker_its_name(build):
    async with build().running() as hub:
        tokens = {role: hub.storage.issue_token(f"my_{role}", role) for role in ("admin", "viewer", "speaker")}
        assert hub.access(tokens["admin"]) == ("admin", "")
        assert hub.access(tokens["viewer"]) == ("viewer", "")
        assert hub.access(tokens["speaker"]) == ("speaker", "my_speaker")
        assert hub.access("guessed") is None
        assert hub.access("\udcff") is None


@virtual
async def test_a_token_made_while_the_hub_runs_is_good_at_once(build, tmp_path):
    async with build().running() as hub:
        other = Storage(tmp_path / "data")
        assert hub.access(other.issue_token("hall", "speaker")) == ("speaker", "hall")
        other.close()


@virtual
async def test_routes_and_personas_of_all_plugins_are_known(build):
    route = RouteSpec(name="hello", method="GET", path="/hello", handle=None)
    async with build(route, *TWO).running() as hub:
        assert list(hub.routes) == [route]
        assert [persona.name for persona in hub.personas()] == ["crow", "owl"]


@virtual
async def test_a_data_folder_that_cannot_be_used_is_reported(build, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MynahError, match=r"the data folder .* cannot be used"):
        build(config={"data": "file/data"})
