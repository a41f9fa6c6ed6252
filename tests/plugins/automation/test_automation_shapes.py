"""What may be written how: each of these shapes of Home Assistant's is taken, and does the same."""

from __future__ import annotations

import pytest

SHAPES = {
    "the old words": """
  - alias: A
    trigger:
      - platform: event
        event_type: go
    condition: "{{ true }}"
    action:
      - service: note
        data: {text: done}
""",
    "as the editor writes it": """
  - id: "1700000000002"
    alias: A
    description: ""
    triggers:
      - trigger: event
        event_type: go
        event_data: {}
    conditions: []
    actions:
      - action: note
        metadata: {}
        data: {text: done}
        enabled: true
    mode: single
""",
    "old template data": """
  - alias: A
    triggers: {trigger: event, event_type: go}
    actions:
      - action: note
        data_template: {text: "{{ 'do' ~ 'ne' }}"}
""",
    "a list of event types, and a list of weekdays": """
  - alias: A
    triggers: [{trigger: event, event_type: [went, go]}]
    conditions: [{condition: time, weekday: mon}]
    actions: [{note: done}]
""",
    "a step that is off, and a trigger that is off": """
  - alias: A
    triggers: [{trigger: event, event_type: go}, {trigger: event, event_type: go, enabled: false}]
    conditions: [{condition: template, value_template: "{{ false }}", enabled: false}]
    actions: [{stop: no, enabled: false}, {alias: Last, note: done}]
""",
    "an `enabled` by template": """
  - alias: A
    triggers: [{trigger: event, event_type: go}]
    actions: [{stop: no, enabled: "{{ 1 == 2 }}"}, {note: done}]
""",
    "milliseconds, a template of seconds and parts by template": """
  - alias: A
    triggers: [{trigger: event, event_type: go}]
    actions:
      - delay: {milliseconds: 5}
      - delay: "{{ 1 }}"
      - delay: {seconds: "{{ 1 }}"}
      - delay: "00:00:{{ '01' }}"
      - note: done
""",
    "a step that fails, and goes on": """
  - alias: A
    triggers: [{trigger: event, event_type: go}]
    actions:
      - say: {text: x, where: nowhere}
        continue_on_error: true
      - note: done
""",
    "a condition with a list of states, `match` and an attribute": """
  - alias: A
    triggers: [{trigger: event, event_type: go}]
    conditions:
      - {condition: state, entity_id: [sensor.a, sensor.b], state: [one, two]}
      - {condition: state, entity_id: [sensor.a, sensor.b], state: one, match: any}
      - {condition: state, entity_id: sensor.a, attribute: size, state: 3}
      - {condition: numeric_state, entity_id: sensor.a, attribute: size, above: 2, below: 4}
      - {condition: numeric_state, entity_id: sensor.a, value_template: "{{ state.attributes.size * 2 }}", above: 5}
    actions: [{note: done}]
""",
    "variables of a trigger, and `this`": """
  - alias: A
    triggers: [{trigger: event, event_type: go, variables: {word: "do"}}]
    variables: {both: "{{ word }}ne"}
    conditions: ["{{ this.entity_id == 'automation.a' and this.state == 'on' }}"]
    actions: [{note: "{{ both }}"}]
""",
    "variables that are made of others": """
  - alias: A
    variables: {one: "{{ 1 }}", two: "{{ one + 1 }}"}
    triggers: [{trigger: event, event_type: go}]
    actions:
      - variables: {three: "{{ two + 1 }}", four: "{{ three + 1 }}", nothing: null, some: ["{{ four }}"]}
      - note: "{{ 'done' if four == 4 and some == [4] and nothing is none }}"
""",
    "the time since it last ran, and since a state changed": """
  - alias: A
    triggers: [{trigger: event, event_type: go}]
    conditions:
      - "{{ this.attributes.last_triggered is none or now() - this.attributes.last_triggered > timedelta(hours=1) }}"
      - "{{ (now() - states.sensor.a.last_changed).total_seconds() < 60 and states.sensor.a.name == 'a' }}"
    actions:
      - note: "{{ 'done' if (now() - state_attr('automation.a', 'last_triggered')).seconds < 5 }}"
      - event: go
""",
    "many triggers in a list": """
  - alias: A
    triggers:
      - triggers: [{trigger: event, event_type: other}, {trigger: event, event_type: go}]
    actions: [{note: done}]
""",
    "conditions in `if`, and one stop that is an error": """
  - alias: A
    triggers: [{trigger: event, event_type: go}]
    actions:
      - if: [{condition: state, entity_id: sensor.a, state: one}, "{{ true }}"]
        then: {note: done}
      - {stop: Enough, error: true}
      - note: never
""",
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_shape(act, shape):
    """What is written like this in Home Assistant acts here, once."""

    async def scenario(stage):
        stage.set("sensor.a", "one", size=3)
        stage.set("sensor.b", "two")
        await stage.fire("go")
        await stage.sleep(seconds=10)

    assert act(f"automations:{shape}", scenario).texts == ["done"]
