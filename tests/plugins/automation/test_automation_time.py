"""Clocks that are put back or forward, leap days, jumps, and restarts in the middle of something."""

from __future__ import annotations

from datetime import datetime
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

import pytest

from mynah_automation.clock import next_pattern, next_time

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 6, 1, 8, 0, tzinfo=BERLIN)

DAILY = """
automations:
  - alias: Daily
    triggers: [{{trigger: time, at: "{at}"}}]
    actions: [{{note: "{{{{ now().isoformat() }}}}"}}]
"""
HALF_HOURLY = """
automations:
  - alias: Pattern
    triggers: [{trigger: time_pattern, minutes: 30}]
    actions: [{note: "{{ now().isoformat()[:22] }}"}]
"""


def moments(act, config, start, hours):
    async def scenario(stage):
        await stage.sleep(hours=hours)

    return [at.isoformat(timespec="minutes") for at, _ in act(config, scenario, start=start).notes]


def test_a_time_that_spring_leaves_out_comes_as_much_later(act):
    start = datetime(2026, 3, 28, 12, 0, tzinfo=BERLIN)  # on the 29th 02:00 becomes 03:00
    assert moments(act, DAILY.format(at="02:30"), start, 48) == ["2026-03-29T03:30+02:00", "2026-03-30T02:30+02:00"]


def test_a_time_that_comes_twice_in_autumn_counts_once(act):
    start = datetime(2026, 10, 24, 12, 0, tzinfo=BERLIN)  # on the 25th 03:00 becomes 02:00
    assert moments(act, DAILY.format(at="02:30"), start, 48) == ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]


def test_an_ordinary_time_is_kept_across_the_change(act):
    start = datetime(2026, 3, 28, 12, 0, tzinfo=BERLIN)
    assert moments(act, DAILY.format(at="08:00"), start, 48) == ["2026-03-29T08:00+02:00", "2026-03-30T08:00+02:00"]


def test_a_pattern_counts_the_hour_that_comes_twice_twice(act):
    start = datetime(2026, 10, 25, 1, 0, tzinfo=BERLIN)
    assert moments(act, HALF_HOURLY, start, 4) == [
        "2026-10-25T01:30+02:00",
        "2026-10-25T02:30+02:00",
        "2026-10-25T02:30+01:00",
        "2026-10-25T03:30+01:00",
    ]


def test_a_leap_day_is_a_day(act):
    start = datetime(2028, 2, 28, 7, 0, tzinfo=BERLIN)
    assert [each[:10] for each in moments(act, DAILY.format(at="08:00"), start, 72)] == [
        "2028-02-28",
        "2028-02-29",
        "2028-03-01",
    ]


def test_the_next_time_is_found_over_the_end_of_a_leap_february():
    now = datetime(2028, 2, 29, 23, 0, tzinfo=BERLIN)
    assert next_time(now, time_of_day(8), ("thu",)) == datetime(2028, 3, 2, 8, 0, tzinfo=BERLIN)
    assert next_pattern(now, {0}, {0}, {0}) == datetime(2028, 3, 1, 0, 0, tzinfo=BERLIN)


def test_a_time_that_the_clock_jumps_over_fires_as_soon_as_that_is_seen(act):
    async def scenario(stage):
        await stage.sleep(minutes=1)
        stage.set_clock(datetime(2026, 6, 1, 12, 0, tzinfo=BERLIN))
        await stage.sleep(seconds=11)
        assert len(stage.notes) == 1
        await stage.sleep(hours=22)

    found = act(DAILY.format(at="09:00"), scenario)
    assert [at.isoformat()[:13] for at, _ in found.notes] == ["2026-06-01T12", "2026-06-02T09"]


def test_a_clock_that_is_put_back_a_little_brings_no_time_twice(act):
    async def scenario(stage):
        await stage.sleep(hours=1, minutes=1)  # it fired at 09:00
        stage.set_clock(datetime(2026, 6, 1, 8, 30, tzinfo=BERLIN))
        await stage.sleep(hours=2)
        assert len(stage.notes) == 1
        await stage.sleep(hours=23)

    assert len(act(DAILY.format(at="09:00"), scenario).notes) == 2


def test_a_clock_that_was_a_year_ahead_does_not_keep_a_time_from_coming(act):
    async def scenario(stage):
        await stage.sleep(minutes=1)
        stage.set_clock(MONDAY)
        await stage.sleep(hours=1, minutes=1)

    start = datetime(2027, 6, 1, 8, 59, 30, tzinfo=BERLIN)
    found = act(DAILY.format(at="09:00"), scenario, start=start)
    assert [at.year for at, _ in found.notes] == [2027, 2026]


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_jump_changes_nothing_of_for_delay_and_timers(act, hours):
    config = """
input_boolean: {door: {}}
timer: {egg: {duration: 60}}
automations:
  - alias: Held
    triggers: [{trigger: state, entity_id: input_boolean.door, to: "on", for: 60}]
    actions: [{note: for}]
  - alias: Delayed
    triggers: [{trigger: event, event_type: go}]
    actions: [{timer.start: timer.egg}, {delay: 61}, {note: delay}]
  - alias: Timed
    triggers: [{trigger: event, event_type: timer.finished}]
    actions: [{note: timer}]
"""

    async def scenario(stage):
        stage.set("input_boolean.door", "on")
        await stage.fire("go")
        stage.set_clock(datetime(2026, 6, 1, 12 + hours, 0, tzinfo=BERLIN))
        await stage.sleep(seconds=59)
        assert stage.texts == []
        await stage.sleep(seconds=5)

    assert sorted(act(config, scenario).texts) == ["delay", "for", "timer"]


# ---------------------------------------------------------------- restarts

KEPT = """
input_boolean: {open: {}, fixed: {initial: true}}
input_number: {level: {min: 0, max: 10}}
input_text: {word: {}}
counter: {visitors: {}, today: {restore: false}}
automations:
  - {alias: Sleepy, triggers: [{trigger: event, event_type: go}], actions: [{note: sleepy}]}
  - alias: Change
    triggers: [{trigger: event, event_type: change}]
    actions:
      - input_boolean.turn_on: input_boolean.open
      - input_boolean.turn_off: input_boolean.fixed
      - input_number.set_value: {entity_id: input_number.level, value: 7}
      - input_text.set_value: {entity_id: input_text.word, value: savanna}
      - counter.increment: [counter.visitors, counter.today]
      - automation.turn_off: automation.sleepy
"""


def test_helpers_and_what_was_turned_off_are_as_they_were_after_a_restart(act):
    async def first(stage):
        await stage.fire("change")

    async def second(stage):
        entities = ("input_boolean.open", "input_boolean.fixed", "input_number.level", "input_text.word",
                    "counter.visitors", "counter.today", "automation.sleepy")  # fmt: skip
        assert [stage.state(each) for each in entities] == ["on", "on", "7.0", "savanna", "1", "0", "off"]
        await stage.fire("go")
        assert stage.notes == []

    act(KEPT, first)
    act(KEPT, second, start=datetime(2026, 6, 1, 9, 0, tzinfo=BERLIN))


def test_since_when_a_helper_is_so_is_kept_too(act):
    config = """
input_boolean: {open: {}}
automations:
  - alias: Long open
    triggers: [{trigger: event, event_type: go}]
    conditions: [{condition: state, entity_id: input_boolean.open, state: "on", for: "00:30:00"}]
    actions: [{note: long}]
"""

    async def first(stage):
        stage.set("input_boolean.open", "on")
        await stage.settle()

    async def second(stage):
        await stage.fire("go")

    act(config, first)
    assert act(config, second, start=datetime(2026, 6, 1, 8, 20, tzinfo=BERLIN)).texts == []
    assert act(config, second, start=datetime(2026, 6, 1, 8, 40, tzinfo=BERLIN)).texts == ["long"]


def test_a_delay_ends_with_the_hub_and_its_automation_can_run_again(act):
    config = """
automations:
  - alias: Slow
    triggers: [{trigger: event, event_type: go}]
    actions: [{note: begin}, {delay: 600}, {note: end}]
"""
    live = []

    async def first(stage):
        await stage.fire("go")
        await stage.sleep(minutes=1)
        live.append(stage.part.find("Slow"))

    async def second(stage):
        await stage.sleep(minutes=20)
        assert stage.texts == []
        await stage.fire("go")
        await stage.sleep(minutes=11)

    assert act(config, first).texts == ["begin"]
    assert (live[0].traces[-1].outcome, live[0].traces[-1].message) == ("cancelled", "the hub stopped")
    assert act(config, second).texts == ["begin", "end"]


def test_for_begins_anew_with_the_next_change_after_a_restart(act):
    config = """
input_boolean: {door: {}}
automations:
  - alias: Held
    triggers: [{trigger: state, entity_id: input_boolean.door, to: "on", for: 600}]
    actions: [{note: held}]
"""

    async def first(stage):
        stage.set("input_boolean.door", "on")
        await stage.sleep(minutes=5)

    async def second(stage):
        assert stage.state("input_boolean.door") == "on"
        await stage.sleep(hours=1)
        assert stage.texts == []
        stage.set("input_boolean.door", "off")
        stage.set("input_boolean.door", "on")
        await stage.sleep(minutes=11)

    act(config, first)
    assert act(config, second).texts == ["held"]


TIMER = """
timer: {{egg: {{duration: 600, restore: {restore}}}}}
automations:
  - alias: Timed
    triggers: [{{trigger: event, event_type: timer.finished, event_data: {{entity_id: timer.egg}}}}]
    actions: [{{note: done}}]
  - {{alias: Go, triggers: [{{trigger: event, event_type: go}}], actions: [{{timer.start: timer.egg}}]}}
  - {{alias: Pause, triggers: [{{trigger: event, event_type: wait}}], actions: [{{timer.pause: timer.egg}}]}}
"""


async def start_timer(stage):
    await stage.fire("go")
    await stage.sleep(minutes=5)


async def five_minutes(stage):
    await stage.sleep(minutes=4)
    assert stage.texts == []
    await stage.sleep(minutes=2)


def test_a_timer_that_is_restored_goes_on_as_if_there_had_been_no_restart(act):
    act(TIMER.format(restore="true"), start_timer)
    found = act(TIMER.format(restore="true"), five_minutes, start=datetime(2026, 6, 1, 8, 5, 1, tzinfo=BERLIN))
    assert found.times == ["Mon 08:10:00 done"]


def test_a_timer_whose_time_passed_while_the_hub_was_away_finishes_at_the_start(act):
    async def scenario(stage):
        await stage.sleep(seconds=1)
        assert stage.state("timer.egg") == "idle"

    act(TIMER.format(restore="true"), start_timer)
    found = act(TIMER.format(restore="true"), scenario, start=datetime(2026, 6, 1, 12, 0, tzinfo=BERLIN))
    assert found.texts == ["done"]


def test_a_timer_that_is_not_restored_is_idle_after_a_restart(act):
    async def scenario(stage):
        assert stage.state("timer.egg") == "idle"
        await stage.sleep(minutes=20)

    act(TIMER.format(restore="false"), start_timer)
    assert act(TIMER.format(restore="false"), scenario).texts == []


def test_a_paused_timer_stays_paused_over_a_restart_and_goes_on_with_what_was_left(act):
    async def first(stage):
        await start_timer(stage)
        await stage.fire("wait")

    async def second(stage):
        assert stage.state("timer.egg") == "paused"
        await stage.sleep(hours=1)
        await stage.fire("go")
        await five_minutes(stage)

    act(TIMER.format(restore="true"), first)
    assert act(TIMER.format(restore="true"), second).texts == ["done"]
