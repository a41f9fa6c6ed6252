"""Times that entities tell: in the `time` trigger, and in the `time` condition."""

from __future__ import annotations

import pytest

ALARM = """
input_text: {{wake: {{initial: "{first}"}}}}
automations:
  - alias: Alarm
    triggers:
      - trigger: time
        at: {at}
    actions:
      - note: "{{{{ trigger.entity_id }}}}"
"""


def times(act, first, at="input_text.wake", hours=30, then=None):
    async def scenario(stage):
        if then is not None:
            await stage.sleep(minutes=10)
            stage.set("input_text.wake", then)
        await stage.sleep(hours=hours)

    return [told[:12] for told in act(ALARM.format(first=first, at=at), scenario).times]


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("08:30", ["Mon 08:30:00", "Tue 08:30:00"]),
        ("07:15:30", ["Tue 07:15:30"]),
        ("2026-06-02 09:00:00", ["Tue 09:00:00"]),
        ("2026-06-02T06:30:00+00:00", ["Tue 08:30:00"]),
        ("2026-06-02", ["Tue 00:00:00"]),
        ("2026-06-01 07:00:00", []),
        ("unknown", []),
        ("0001-01-01", []),
        ("9999-12-31 23:59:59", []),
        ("", []),
    ],
)
def test_a_time_of_day_comes_daily_a_moment_once_and_what_is_no_time_never(act, first, expected):
    assert times(act, first) == expected


def test_a_time_that_is_told_anew_takes_the_place_of_the_one_before(act):
    assert times(act, "08:30", then="08:45", hours=2) == ["Mon 08:45:00"]
    assert times(act, "unknown", then="08:20", hours=2) == ["Mon 08:20:00"]
    assert times(act, "08:30", then="unavailable", hours=2) == []


def test_an_entity_that_goes_takes_its_time_along_and_brings_one_when_it_comes(act):
    config = ALARM.format(first="x", at="sensor.next_alarm")

    async def scenario(stage):
        stage.set("sensor.next_alarm", "2026-06-01T06:30:00+00:00")
        await stage.sleep(minutes=10)
        stage.set("sensor.next_alarm", None)
        await stage.sleep(hours=1)
        assert stage.notes == []
        stage.set("sensor.next_alarm", "2026-06-01T08:30:00+00:00")
        await stage.sleep(hours=2)

    assert act(config, scenario).times == ["Mon 10:30:00 sensor.next_alarm"]


@pytest.mark.parametrize(
    ("offset", "expected"),
    [("-00:05:00", ["Mon 08:25:00", "Tue 08:25:00"]), (90, ["Mon 08:31:30", "Tue 08:31:30"])],
)
def test_an_offset_is_added(act, offset, expected):
    assert times(act, "08:30", f'{{entity_id: input_text.wake, offset: "{offset}"}}') == expected


def test_an_offset_is_added_to_a_moment_too(act):
    at = '{entity_id: input_text.wake, offset: "-00:10:00"}'
    assert times(act, "2026-06-01 09:00", at) == ["Mon 08:50:00"]


def test_all_forms_may_stand_in_one_list_and_weekdays_count_for_all(act):
    config = ALARM.format(
        first="08:30", at='["09:00", input_text.wake, {entity_id: input_text.wake, offset: 60}]\n        weekday: mon'
    )

    async def scenario(stage):
        await stage.sleep(days=2)

    assert act(config, scenario).times == [
        "Mon 08:30:00 input_text.wake",
        "Mon 08:31:00 input_text.wake",
        "Mon 09:00:00 None",
    ]


def test_nothing_comes_any_more_of_an_automation_that_is_off(act):
    async def scenario(stage):
        stage.part.find("Alarm").turn(False)
        stage.set("input_text.wake", "08:10")
        await stage.sleep(hours=2)

    assert act(ALARM.format(first="08:30", at="input_text.wake"), scenario).texts == []


@pytest.mark.parametrize(
    ("told", "bound", "holds"),
    [
        ("07:30", "after", True),
        ("08:30:00", "after", False),
        ("08:30", "before", True),
        ("2020-01-01 07:30:00", "after", True),  # the date does not matter
        ("2020-01-01T07:30:00+00:00", "after", False),  # it was 08:30 here
        ("unavailable", "after", False),
        ("unavailable", "before", False),
    ],
)
def test_a_condition_takes_the_time_of_day_that_an_entity_tells(act, told, bound, holds):
    config = f"""
automations:
  - alias: Early
    triggers: {{trigger: event, event_type: go}}
    conditions: {{condition: time, {bound}: sensor.quiet}}
    actions: {{note: done}}
"""

    async def scenario(stage):
        stage.set("sensor.quiet", told)
        await stage.fire("go")
        assert "sensor.quiet" in stage.traces("Early")[0]["steps"][0]["result"]

    assert act(config, scenario).texts == (["done"] if holds else [])
