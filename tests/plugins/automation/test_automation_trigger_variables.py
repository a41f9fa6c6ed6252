"""Templates in what triggers wait for, and the variables that they are made of."""

from __future__ import annotations

import pytest

from mynah import ComponentSpec


def test_variables_are_made_of_those_before_them_and_stay_as_they_were_at_the_start(act):
    config = """
automations:
  - alias: Gate
    trigger_variables: {gate: north, event: "{{ gate }}_opened"}
    triggers: {trigger: event, event_type: "{{ event }}"}
    actions: {note: "{{ gate }}"}
"""

    async def scenario(stage):
        await stage.fire("north_opened")
        await stage.fire("south_opened")

    assert act(config, scenario).texts == ["north"]


def test_a_triggers_own_variables_go_before_the_automations_and_those_before_trigger_variables(act):
    config = """
automations:
  - alias: Which
    trigger_variables: {one: of all, two: of all, three: of all}
    variables: {one: of the automation, two: of the automation}
    triggers: {trigger: event, event_type: go, variables: {one: of the trigger}}
    actions: {note: "{{ one }}, {{ two }}, {{ three }}"}
"""

    async def scenario(stage):
        await stage.fire("go")

    assert act(config, scenario).texts == ["of the trigger, of the automation, of all"]


def test_they_know_the_automation_itself(act):
    config = """
automations:
  - alias: North gate
    id: x7
    trigger_variables: {place: "{{ this.object_id }}", name: "{{ this.attributes.friendly_name }}"}
    triggers:
      - {trigger: event, event_type: "{{ place }}_opened"}
      - {trigger: event, event_type: "{{ this.attributes.id }}", id: direct}
      - trigger: template
        value_template: "{{ states('sensor.gate') == this.name }}"
    actions: {note: "{{ trigger.id }} {{ name }} {{ this.name }}"}
"""

    async def scenario(stage):
        await stage.fire("north_gate_opened")
        await stage.fire("north_gate")
        stage.set("sensor.gate", "North gate")
        await stage.settle()

    assert act(config, scenario).texts == [f"{id} North gate North gate" for id in ("0", "direct", "2")]


def test_data_of_events_bounds_and_times_may_be_templates(act):
    config = """
automations:
  - alias: Many
    trigger_variables: {least: 10, hour: 9}
    triggers:
      - {trigger: event, event_type: came, event_data: {gate: "{{ 'north' }}", people: "{{ least * 2 }}"}}
      - {trigger: numeric_state, entity_id: sensor.people, above: "{{ least }}"}
      - {trigger: time, at: "0{{ hour }}:15"}
    actions: {note: "{{ trigger.platform }}"}
"""

    async def scenario(stage):
        await stage.fire("came", gate="north", people=10)
        await stage.fire("came", gate="north", people=20)
        stage.set("sensor.people", "10")
        stage.set("sensor.people", "11")
        await stage.sleep(hours=2)

    assert act(config, scenario).times == [
        "Mon 08:00:00 event",
        "Mon 08:00:00 numeric_state",
        "Mon 09:15:00 time",
    ]


@pytest.mark.parametrize(
    "trigger",
    [
        "{trigger: state, entity_id: sensor.people, to: '20', for: '{{ minutes * 60 }}'}",
        "{trigger: numeric_state, entity_id: sensor.people, above: 15, for: {minutes: '{{ minutes }}'}}",
        "{trigger: template, for: '{{ minutes * 60 }}',"
        " value_template: \"{{ states('sensor.people')|int(0) > least }}\"}",
        "{trigger: numeric_state, entity_id: sensor.people, above: 15, for: '00:02:00',"
        ' value_template: "{{ state.state|int + least - least }}"}',
    ],
)
def test_what_is_rendered_later_knows_them_too(act, trigger):
    config = f"""
automations:
  - alias: Later
    trigger_variables: {{minutes: 2, least: 15}}
    triggers: {trigger}
    actions: {{note: "{{{{ trigger.for }}}}"}}
"""

    async def scenario(stage):
        stage.set("sensor.people", "20")
        await stage.sleep(minutes=5)

    assert act(config, scenario).times == ["Mon 08:02:00 0:02:00"]


def test_a_value_template_knows_what_its_trigger_waits_for(act):
    config = """
automations:
  - alias: Far above
    triggers:
      trigger: numeric_state
      entity_id: sensor.people
      above: 10
      value_template: "{{ state.state|int - trigger.above if trigger.entity_id == 'sensor.people' }}"
    actions: {note: "{{ trigger.to_state.state }}"}
"""

    async def scenario(stage):
        stage.set("sensor.people", "15")
        stage.set("sensor.people", "25")
        await stage.settle()

    assert act(config, scenario).texts == ["25"]


class Broker:
    """What the mqtt plugin offers: here only who follows what."""

    def __init__(self):
        self.following = {}

    def follow(self, topic, receive):
        self.following[topic] = receive
        return lambda: self.following.pop(topic)

    async def run(self, hub, config, ready):
        import asyncio

        hub.parts["mqtt"] = self
        ready()
        await asyncio.Event().wait()


def test_topics_and_payloads_may_be_templates(act):
    config = """
automations:
  - alias: Door
    trigger_variables: {place: lion_house, wanted: open}
    triggers:
      trigger: mqtt
      topic: "zoo/{{ place }}/door"
      payload: "{{ wanted }}"
      value_template: "{{ value_json[place] }}"
    actions: {note: "{{ trigger.topic }}"}
"""
    broker = Broker()

    async def scenario(stage):
        assert list(broker.following) == ["zoo/lion_house/door"]
        broker.following["zoo/lion_house/door"]("zoo/lion_house/door", '{"lion_house": "shut"}')
        broker.following["zoo/lion_house/door"]("zoo/lion_house/door", '{"lion_house": "open"}')
        await stage.settle()

    assert act(config, scenario, ComponentSpec(name="mqtt", run=broker.run)).texts == ["zoo/lion_house/door"]


def test_those_that_a_run_waits_for_know_its_variables_and_states(act):
    config = """
automations:
  - alias: Waits
    triggers: {trigger: event, event_type: go}
    actions:
      - variables: {gate: "{{ trigger.event.data.gate }}"}
      - wait_for_trigger:
          trigger: event
          event_type: "{{ gate }}_opened"
          event_data: {by: "{{ states('sensor.keeper') }}"}
      - note: "{{ wait.trigger.event.event_type }}"
"""

    async def scenario(stage):
        stage.set("sensor.keeper", "Ada")
        await stage.fire("go", gate="north")
        await stage.fire("north_opened", by="Bob")
        await stage.fire("south_opened", by="Ada")
        await stage.fire("north_opened", by="Ada")

    assert act(config, scenario).texts == ["north_opened"]


def test_what_a_run_would_wait_for_and_is_nothing_to_wait_for_ends_the_run(act):
    config = """
automations:
  - alias: Waits
    triggers: {trigger: event, event_type: go}
    actions:
      - wait_for_trigger: {trigger: time, at: "{{ trigger.event.data.at }}"}
"""

    async def scenario(stage):
        await stage.fire("go", at="soon")
        (trace,) = stage.traces("waits")
        assert trace["outcome"] == "failed"
        assert "time: at: expected a time of day in quotes" in trace["message"]

    act(config, scenario)


def test_whether_a_part_is_enabled_may_be_made_of_them(act):
    config = """
automations:
  - alias: Parts
    trigger_variables: {level: 40}
    triggers:
      - {trigger: event, event_type: go, enabled: "{{ level > 50 }}", id: "off"}
      - {trigger: event, event_type: go, enabled: "{{ level < 50 }}", id: "on"}
    conditions: [{condition: template, value_template: "{{ false }}", enabled: "{{ level > 50 }}"}]
    actions:
      - {note: no, enabled: "{{ level > 50 }}"}
      - {note: "{{ trigger.id }}", enabled: "{{ this.object_id == 'parts' }}"}
"""

    async def scenario(stage):
        await stage.fire("go")

    assert act(config, scenario).texts == ["on"]
