"""Changes are taken over while the hub runs: only what differs is replaced."""

from __future__ import annotations

import io
import json
import logging

import pytest

from mynah import ConfigError, read_yaml
from mynah.logs import RedactingFormatter

BEFORE = """
input_boolean: {lamp: {}}
counter: {visitors: {}}
automations:
  - alias: Steady
    triggers: [{trigger: event, event_type: steady}]
    actions: [{note: begin}, {delay: 60}, {note: end}]
  - alias: Changing
    triggers: [{trigger: event, event_type: change}]
    actions: [{note: old}, {delay: 60}, {note: old end}]
  - alias: Going
    triggers: [{trigger: event, event_type: go}]
    actions: [{note: going}]
scripts:
  greet: {sequence: [{note: hello}]}
"""
AFTER = (
    BEFORE.replace("note: old", "note: new")
    .replace("Going", "Coming")
    .replace("event_type: go}", "event_type: come}")
    .replace("lamp: {}", "lamp: {}, fan: {}")
)


def write(stage, config):
    folder = stage.hub.config_folder
    (folder / "written.yaml").write_text(config, encoding="utf-8")
    values = read_yaml(folder / "written.yaml").data
    values.setdefault("automation", {})["time_zone"] = "Europe/Berlin"
    (folder / "config.yaml").write_text(json.dumps(values, indent=1), encoding="utf-8")


def test_what_changed_is_replaced_and_the_rest_runs_on(act):
    async def scenario(stage):
        await stage.fire("steady")
        await stage.fire("change")
        stage.set("counter.visitors", "7")
        steady = stage.part.find("Steady")
        write(stage, AFTER)
        assert stage.hub.reload().taken == ("automations", "input_boolean")
        await stage.settle()
        assert stage.part.find("Steady") is steady
        assert stage.state("counter.visitors") == "7"
        assert stage.state("input_boolean.fan") == "off"
        assert stage.state("automation.going") is None
        await stage.fire("go")
        await stage.fire("come")
        await stage.fire("change")
        await stage.sleep(minutes=2)

    texts = act(BEFORE, scenario).texts
    assert texts[:4] == ["begin", "old", "going", "new"]
    assert sorted(texts[4:]) == ["end", "new end"]


def test_an_automation_that_was_turned_off_stays_off_when_it_is_replaced(act):
    async def scenario(stage):
        stage.part.find("Changing").turn(False)
        write(stage, AFTER)
        stage.hub.reload()
        await stage.settle()
        assert stage.state("automation.changing") == "off"
        await stage.fire("change")

    assert act(BEFORE, scenario).texts == []


def test_a_broken_file_changes_nothing_and_is_told_with_its_lines(act):
    async def scenario(stage):
        write(stage, AFTER.replace("note: going", "nte: going"))
        with pytest.raises(ConfigError, match=r"config.yaml:\d+: automations → 2 → actions → 0: no action named 'nte'"):
            stage.hub.reload()
        await stage.settle()
        await stage.fire("change")
        assert stage.state("automation.going") == "on"

    assert act(BEFORE, scenario).texts == ["old"]


def test_what_is_removed_is_gone_with_its_helpers_and_timers(act):
    config = BEFORE + "timer: {egg: {duration: 10}}\n"

    async def scenario(stage):
        stage.part.helpers.start_timer("timer.egg", None)
        write(stage, "counter: {visitors: {}}\n")
        stage.hub.reload()
        await stage.settle()
        assert stage.state("timer.egg") is None
        assert stage.state("input_boolean.lamp") is None
        assert stage.part.live == {}
        await stage.sleep(minutes=1)

    act(config, scenario)


def test_a_secret_that_comes_with_a_reload_is_told_neither_by_traces_nor_by_the_log(act):
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(RedactingFormatter([], logging.Formatter()))
    config = """
automation: {time_zone: Europe/Berlin}
automations:
  - alias: Tell
    triggers: [{trigger: event, event_type: go}]
    actions: [{stop: !secret door, error: true}]
"""

    async def scenario(stage):
        folder = stage.hub.config_folder
        (folder / "secrets.yaml").write_text("door: open-sesame-4711\n", encoding="utf-8")
        (folder / "config.yaml").write_text(config, encoding="utf-8")
        stage.hub.reload()
        await stage.settle()
        await stage.fire("go")
        assert stage.traces("Tell")[0]["message"] == "•••"

    logging.getLogger().addHandler(handler)
    try:
        act(BEFORE, scenario)
    finally:
        logging.getLogger().removeHandler(handler)
    assert "automation.tell: «secret»" in written.getvalue()
    assert "4711" not in written.getvalue()


def test_what_may_be_a_mistake_is_told_with_its_line_and_taken_over(act, caplog):
    config = """
automation: {time_zone: Europe/Berlin}
speakers: {lion_house: {}}
automations:
  - alias: Tell
    triggers: [{trigger: event, event_type: go}]
    actions: [{say: {text: x, where: lion_hose}}]
"""

    async def scenario(stage):
        (stage.hub.config_folder / "config.yaml").write_text(config, encoding="utf-8")
        assert "automations" in stage.hub.reload().taken

    act(BEFORE, scenario)
    assert "config.yaml:7: warning: automations → 0 → actions → 0 → say → where: no speaker" in caplog.text
    assert "did you mean 'lion_house'?" in caplog.text
