"""What a trace shows of a run, and what it does not."""

from __future__ import annotations

import json

SCRIPTS = """
scripts:
  greet:
    sequence:
      - variables: {answer: {letters: "{{ who|length }}"}}
      - {stop: Done., response_variable: answer}
automations:
  - alias: Calls
    triggers: {trigger: event, event_type: go}
    actions:
      - if: "{{ trigger.event.data.who == 'Ada' }}"
        then: [{script.greet: {who: Ada}}]
"""


def test_a_step_shows_what_its_action_gave_and_where_it_stands(act):
    async def scenario(stage):
        await stage.fire("go", who="Ada")
        (trace,) = stage.traces("calls")
        assert [(step["kind"], step["place"], step.get("result")) for step in trace["steps"]] == [
            ("action", "actions/0", {"holds": True}),
            ("condition", "actions/0/if", {"holds": True, "result": True}),
            ("action", "actions/0/then/0", {"outcome": "stopped", "gave": {"letters": 3}}),
        ]

    act(SCRIPTS, scenario)


def test_what_fired_a_run_stands_by_itself_and_not_among_the_variables(act):
    async def scenario(stage):
        await stage.fire("go", who="Bob")
        (trace,) = stage.traces("calls")
        assert trace["trigger"]["event"]["data"] == {"who": "Bob"}
        assert list(trace["variables"]) == ["this"]

    act(SCRIPTS, scenario)


SECRETS = """
automations:
  - alias: Door
    variables: {pin: !secret door_pin, url: "https://lock/?key={{ pin }}"}
    triggers: {trigger: event, event_type: go}
    conditions: "{{ pin|int > 0 }}"
    actions:
      - variables: {number: "{{ pin|int }}", told: {key: "{{ pin }}"}}
      - note: "{{ url }}"
      - say: {text: hello, where: "speaker_{{ pin }}"}
"""


def test_a_secret_is_seen_nowhere_in_a_trace_nor_in_the_list(act, tmp_path):
    async def scenario(stage):
        (tmp_path / "secrets.yaml").write_text("door_pin: '48151623'\n", encoding="utf-8")
        (tmp_path / "config.yaml").write_text(SECRETS, encoding="utf-8")
        stage.hub.reload()
        await stage.settle()
        await stage.fire("go")
        assert stage.texts == ["https://lock/?key=48151623"]
        (trace,) = stage.traces("door")
        assert trace["variables"]["pin"] == trace["variables"]["number"] == "•••"
        assert trace["variables"]["url"] == "https://lock/?key=•••"
        assert "speaker_•••" in trace["message"]
        shown = json.dumps([trace, stage.part.find("door").describe()])
        assert "48151623" not in shown

    act("automations: []", scenario)
