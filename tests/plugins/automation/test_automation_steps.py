"""Steps within steps: what a stop, a condition, a wait or a failure means where it stands in another one."""

from __future__ import annotations

import pytest


def texts(act, actions: str, *fired: tuple[str, float], more: str = "") -> list[str]:
    """Return what was noted after each of some events and the seconds that followed it."""
    config = f"""
automations:
  - alias: Steps
{more}
    triggers: {{trigger: event, event_type: go}}
    actions:
{actions}
"""

    async def scenario(stage):
        for name, seconds in fired or (("go", 60.0),):
            await stage.fire(name)
            await stage.sleep(seconds=seconds)

    return act(config, scenario).texts


def test_restart_ends_what_is_waited_for_and_begins_anew(act):
    found = texts(
        act,
        """
      - note: waits
      - wait_for_trigger: {trigger: event, event_type: come}
        timeout: 30
      - note: "{{ wait.completed }} {{ wait.remaining|round }}"
""",
        ("go", 10),
        ("go", 20),
        ("come", 60),
        more="    mode: restart",
    )
    assert found == ["waits", "waits", "True 10"]


def test_each_of_parallel_steps_may_be_a_choice(act):
    found = texts(
        act,
        """
      - parallel:
          - if: "{{ 1 > 2 }}"
            then: [{note: no}]
            else: [{delay: 2}, {note: slow}]
          - choose:
              conditions: "{{ 2 > 1 }}"
              sequence: [{note: fast}]
          - sequence: [{delay: 1}, {note: "{{ 'middle' }}"}]
      - note: after
""",
    )
    assert found == ["fast", "middle", "slow", "after"]


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ("- sequence: [{condition: '{{ false }}'}, {note: no}]\n      - note: on", ["on"]),
        ("- if: '{{ true }}'\n        then: ['{{ false }}', {note: no}]\n      - note: on", ["on"]),
        ("- repeat: {count: 2, sequence: [{note: x}, '{{ repeat.last }}', {note: y}]}\n      - note: on",
         ["x", "x", "y", "on"]),
        ("- '{{ false }}'\n      - note: no", []),
        ("- sequence: [{stop: enough}, {note: no}]\n      - note: no", []),
        ("- repeat: {count: 3, sequence: [{note: x}, {if: '{{ repeat.index == 2 }}', then: [{stop: enough}]}]}\n"
         "      - note: no", ["x", "x"]),
        ("- choose: [{conditions: [], sequence: [{note: x}]}]\n        default: [{note: no}]", ["x"]),
        ("- repeat: {while: '{{ repeat.index <= 2 }}', sequence: [{note: x}]}\n      - note: on", ["x", "x", "on"]),
        ("- repeat: {until: '{{ repeat.index == 2 }}', sequence: [{note: x}]}\n      - note: on", ["x", "x", "on"]),
        ("- repeat: {for_each: '{{ [1, 2] }}', sequence: [{note: '{{ repeat.item }}{{ repeat.first }}'}]}",
         ["1True", "2False"]),
        ("- repeat:\n          for_each: [a, b]\n          sequence:\n"
         "            - variables: {outer: '{{ repeat.item }}'}\n"
         "            - repeat: {count: 2, sequence: [{note: '{{ outer }}{{ repeat.index }}'}]}\n"
         "            - note: '{{ repeat.item }}'", ["a1", "a2", "a", "b1", "b2", "b"]),
        ("- if: '{{ true }}'\n        then: [{variables: {seen: inside}}]\n      - note: '{{ seen }}'", ["inside"]),
    ],
)  # fmt: skip
def test_what_ends_where(act, actions, expected):
    assert texts(act, f"      {actions}") == expected


def test_a_stop_that_is_an_error_is_one_in_parallel_and_in_a_script(act):
    config = """
scripts:
  fails: {sequence: [{stop: no hay, error: true}]}
  ends: {sequence: [{stop: nothing to do}]}
automations:
  - alias: Parallel
    triggers: {trigger: event, event_type: go}
    actions: [{parallel: [{stop: no water, error: true}, {note: beside}]}, {note: no}]
  - alias: Script
    triggers: {trigger: event, event_type: go}
    actions: [{script.ends: null}, {note: goes on}, {script.fails: null}, {note: no}]
"""

    async def scenario(stage):
        await stage.fire("go")
        await stage.sleep(seconds=1)
        ends = {
            name: (stage.traces(name)[0]["outcome"], stage.traces(name)[0]["message"])
            for name in ("Parallel", "Script")
        }
        assert ends == {"Parallel": ("failed", "no water"), "Script": ("failed", "script.fails failed: no hay")}

    assert sorted(act(config, scenario).texts) == ["beside", "goes on"]


def test_a_response_is_known_to_the_steps_after_it_and_only_where_there_is_one(act):
    config = """
scripts:
  sum:
    sequence:
      - variables: {answer: {total: "{{ a + b }}"}}
      - {stop: done, response_variable: answer}
automations:
  - alias: Asks
    triggers: {trigger: event, event_type: go}
    actions:
      - action: script.sum
        data: {a: 2, b: 3}
        response_variable: sum
      - note: "{{ sum.total + 1 }}"
      - script.sum: {a: "{{ sum.total }}", b: 5}
        response_variable: sum
      - note: "{{ sum.total }}"
"""

    async def scenario(stage):
        await stage.fire("go")
        await stage.sleep(seconds=1)

    assert act(config, scenario).texts == ["6", "10"]


def test_what_parallel_steps_set_is_known_after_them_and_what_they_waited_for_is_their_own(act):
    found = texts(
        act,
        """
      - variables: {one: before, two: before}
      - parallel:
          - sequence: [{delay: 1}, {variables: {one: "{{ two }} it", three: new}}]
          - sequence: [{variables: {two: after}}, {wait_template: "{{ true }}"}]
      - note: "{{ one }}, {{ two }}, {{ three }}, {{ wait is defined }}"
""",
    )
    assert found == ["before it, after, new, False"]
