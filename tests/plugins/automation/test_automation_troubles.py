"""What goes wrong while automations run: it is told in the trace and the log, and the others run on."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress

import pytest

from mynah import ActionSpec, ConditionSpec, OutletOptions, SessionOptions
from mynah.testing import scripted_engines

OTHER = """
  - {alias: Other, mode: parallel, triggers: [{trigger: event, event_type: go}], actions: [{note: other}]}
"""


def outcome(act, config, scenario=None, *specs):
    """Run a config whose first automation is Bad beside another one; return Bad's last trace and the stage."""
    kept = {}

    async def both(stage):
        await stage.fire("go")
        if scenario is not None:
            await scenario(stage)
        await stage.sleep(seconds=2)
        kept["trace"] = stage.traces("Bad")[-1]

    stage = act(config + OTHER, both, *specs)
    assert "other" in stage.texts
    return kept["trace"], stage


BAD = """
automations:
  - alias: Bad
    triggers: [{{trigger: event, event_type: go}}]
    actions:
      - {action}
      - note: not reached
"""


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (
            "{say: {text: Hello, where: lion_hose}}",
            "no speaker, area or group named 'lion_hose'; known speakers are none",
        ),
        ("{volume: {percent: 5, where: all}}", "no speaker of 'all' is connected"),
        ("{say: {text: '{{ trigger.nothing.at_all }}', where: all}}", "at_all }}': there is no 'nothing'"),
        ("{note: '{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}'}", "does too much"),
        ("""{note: "{{ ''.__class__.__mro__[1].__subclasses__() }}"}""", "access to attribute '__class__'"),
        ("{counter.increment: counter.nothing}", "there is no counter.nothing; known are none"),
        ("{counter.increment: input_boolean.x}", "counter.increment is for entities such as counter.name"),
        ("{delay: '{{ states.x }}'}", "delay: delay: expected a duration"),
        ("{mqtt.publish: {topic: a}}", "MQTT is not set up"),
        ("{say: Hello}", "it is not said where; add 'where: SPEAKER'"),
        ("{script: \"{{ 'nothing' }}\"}", "there is no automation or script 'script.nothing'"),
    ],
)
def test_an_action_that_cannot_be_done_ends_its_run_with_its_reason(act, action, message, caplog):
    trace, stage = outcome(act, BAD.format(action=action))
    assert trace["outcome"] == "failed"
    assert message in trace["message"]
    assert message in trace["steps"][-1]["error"] or message in trace["message"]
    assert "not reached" not in stage.texts
    assert "automation.bad: " in caplog.text


def test_with_continue_on_error_the_run_goes_on(act):
    trace, stage = outcome(act, BAD.format(action="{say: {text: Hi, where: nowhere}, continue_on_error: true}"))
    assert trace["outcome"] == "finished"
    assert "nowhere" in trace["steps"][0]["error"]
    assert "not reached" in stage.texts


def test_a_plugins_defect_ends_the_run_alone(act, caplog):
    async def broken(run, data):
        raise ZeroDivisionError

    def fails(run, config):
        raise ZeroDivisionError

    config = BAD.format(action="{if: [{condition: fails}], then: [{note: x}], else: [{broken: null}]}")
    specs = (ActionSpec(name="broken", run=broken), ConditionSpec(name="fails", holds=fails))
    trace, _ = outcome(act, config, None, *specs)
    assert trace["message"] == "broken failed: ZeroDivisionError: "
    assert trace["steps"][1]["error"].startswith("ZeroDivisionError")


@pytest.mark.parametrize("mode", ["parallel", "queued", "restart"])
def test_an_automation_that_triggers_itself_is_stopped(act, mode):
    config = f"""
counter: {{loops: {{}}}}
automations:
  - alias: Bad
    mode: {mode}
    max: 1000
    triggers: [{{trigger: event, event_type: [go, again]}}]
    actions: [{{counter.increment: counter.loops}}, {{event: again}}]
"""
    trace, _ = outcome(act, config)
    assert trace["outcome"] == "failed"
    assert trace["message"] == "it triggers itself, 10 times within 1 s"


def test_two_automations_that_trigger_each_other_through_states_are_stopped(act):
    config = """
input_boolean: {lamp: {}}
automations:
  - alias: Bad
    mode: parallel
    triggers: [{trigger: state, entity_id: input_boolean.lamp, to: "on"}, {trigger: event, event_type: go}]
    actions: [{input_boolean.turn_off: input_boolean.lamp}, {input_boolean.turn_on: input_boolean.lamp}]
"""
    trace, _ = outcome(act, config)
    assert "triggers itself" in trace["message"]


def test_an_automation_that_comes_of_itself_slowly_goes_on(act):
    config = """
automations:
  - alias: Heartbeat
    triggers: [{trigger: event, event_type: beat}]
    mode: queued
    actions: [{note: beat}, {delay: 10}, {event: beat}]
"""

    async def scenario(stage):
        await stage.fire("beat")
        await stage.sleep(minutes=10)

    assert len(act(config, scenario).notes) >= 55


def test_a_condition_whose_template_fails_does_not_hold_and_says_why(act):
    config = BAD.format(action="{note: x}").replace(
        "    actions:", "    conditions: ['{{ trigger.event.data.n|float > 1 }}']\n    actions:"
    )
    trace, stage = outcome(act, config)
    assert trace["outcome"] == "refused"
    assert "there is no 'n'" in trace["steps"][0]["error"]
    assert stage.texts == ["other"]


SPEAKERS = """
speakers: {lion_house: {}}
sessions: {idle_timeout: 604800}
"""


def with_speaker(scenario):
    """Return the scenario with a session at lion_house that listens."""

    async def run(stage):
        session = stage.hub.open_session(SessionOptions(speaker="lion_house"))

        async def listen():
            async with aclosing(session.outputs(OutletOptions(buffer_ms=500))) as outputs:
                async for _ in outputs:
                    pass

        task = asyncio.create_task(listen())
        await stage.sleep(seconds=1)
        await scenario(stage, session)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return run


def gone(act, action):
    async def scenario(stage, session):
        await stage.fire("started")
        await stage.sleep(seconds=0.1)
        stage.hub.close_session(session.id)
        await stage.sleep(minutes=1)

    config = SPEAKERS + BAD.format(action=action).replace("event_type: go", "event_type: started")
    return outcome(act, config, with_speaker(scenario), *scripted_engines())


def test_a_speaker_that_goes_away_while_an_announcement_is_waited_for_is_told(act):
    long = "This is a long announcement that takes a while. " * 5
    trace, _ = gone(act, f"{{announce: {{text: '{long}', where: lion_house, wait: true}}}}")
    assert trace["outcome"] == "failed"
    assert "nobody heard it to its end: lion_house: " in trace["message"]


def test_a_speaker_that_goes_away_while_an_answer_is_waited_for_is_told(act):
    trace, _ = gone(act, "{ask: {question: Who, where: lion_house, timeout: 600}}")
    assert trace["message"] == "the speaker went away before it had an answer"


def test_a_trigger_that_cannot_be_waited_for_is_told_and_the_others_live(act, caplog):
    config = """
automations:
  - {alias: Bad, triggers: [{trigger: mqtt, topic: a/b}], actions: [{note: x}]}
"""
    kept = {}

    async def scenario(stage):
        await stage.fire("go")
        kept["trouble"] = stage.part.find("Bad").describe()["trouble"]

    assert act(config + OTHER, scenario).texts == ["other"]
    assert kept["trouble"] == "MQTT is not set up; set 'mqtt: broker:'"
    assert "automation.bad cannot wait for its triggers: MQTT is not set up" in caplog.text


def test_what_a_mode_passes_over_is_told_unless_it_is_to_be_silent(act, caplog):
    caplog.set_level(logging.WARNING)
    config = BAD.format(action="{delay: 1}")

    async def again(stage):
        await stage.fire("go")
        await stage.fire("go")
        await stage.sleep(seconds=5)

    outcome(act, config, again)
    assert caplog.text.count("automation.bad: it still runs, and its mode is single") == 2
    caplog.clear()
    outcome(act, config.replace("    triggers", "    max_exceeded: silent\n    triggers"), again)
    assert "it still runs" not in caplog.text


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("{repeat: {while: '{{ true }}', sequence: []}}", "repeat went round 10,000 times; is there an end to it?"),
        (
            "{repeat: {count: 500, sequence: [{repeat: {count: 500, sequence: [{sequence: []}]}}]}}",
            "more than 100,000 steps; is there a repeat in a repeat?",
        ),
    ],
)
def test_a_repeat_without_an_end_is_ended(act, action, message):
    trace, stage = outcome(act, BAD.format(action=action))
    assert (trace["outcome"], trace["message"]) == ("failed", message)
    assert stage.texts == ["other"]
