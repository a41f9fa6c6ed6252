"""What a trace shows of a run, and what it does not."""

from __future__ import annotations

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
