"""Eight automations in the style of Home Assistant's documentation behave as it says.

What each shows stands at https://www.home-assistant.io/docs/automation/ (triggers, conditions, modes, using blueprints)
and https://www.home-assistant.io/docs/scripts/ (choose, repeat, wait). The automations are this project's own.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")


def test_time_on_working_days_only(act):
    """The time trigger fires once a day; the time condition takes a list of weekdays."""
    config = """
automations:
  - alias: Wake up
    description: Opens the aviary on working days
    triggers:
      - trigger: time
        at: "06:30:00"
    conditions:
      - condition: time
        weekday: [mon, tue, wed, thu, fri]
    actions:
      - action: note
        data: {text: "{{ trigger.platform }}"}
"""

    async def scenario(stage):
        await stage.sleep(days=7)

    assert [at[:3] for at in act(config, scenario).times] == ["Tue", "Wed", "Thu", "Fri", "Mon"]


def test_sun_with_an_offset_and_a_state(act):
    """Sunset with an offset; both conditions must hold."""
    config = """
automation: {latitude: 52.52, longitude: 13.405}
input_boolean: {somebody_there: {}}
automations:
  - alias: Light before dark
    triggers:
      - trigger: sun
        event: sunset
        offset: "-01:00:00"
    conditions:
      - condition: state
        entity_id: input_boolean.somebody_there
        state: "on"
      - condition: time
        after: "16:00"
        before: "23:00"
    actions:
      - note: light
"""

    async def scenario(stage):
        await stage.sleep(days=1)  # nobody is there on the first evening
        stage.set("input_boolean.somebody_there", "on")
        await stage.sleep(days=1)

    ((at, _),) = act(config, scenario).notes
    assert at.date() == datetime(2026, 6, 2).date()
    assert "20:18" < f"{at:%H:%M}" < "20:24"  # the sun sets at 21:21


def test_state_for_is_cancelled_by_a_change_away(act):
    """`for` must pass without the state changing; each entity has a time of its own."""
    config = """
input_boolean: {motion: {}, door: {}}
automations:
  - alias: Forgotten
    triggers:
      - trigger: state
        entity_id: [input_boolean.motion, input_boolean.door]
        from: "on"
        to: "off"
        for: {minutes: 5}
    actions:
      - note: "{{ trigger.entity_id }} {{ trigger.to_state.state }} {{ trigger.for }}"
"""

    async def scenario(stage):
        for entity in ("motion", "door"):
            stage.set(f"input_boolean.{entity}", "on")
            stage.set(f"input_boolean.{entity}", "off")
            await stage.sleep(minutes=2)
        stage.set("input_boolean.motion", "on")  # four minutes after it went off
        await stage.sleep(minutes=2)
        stage.set("input_boolean.motion", "off", battery=5)
        stage.set("input_boolean.motion", "off", battery=4)  # an attribute does not begin it anew
        await stage.sleep(minutes=6)

    assert act(config, scenario).times == [
        "Mon 08:07:00 input_boolean.door off 0:05:00",
        "Mon 08:11:00 input_boolean.motion off 0:05:00",
    ]


def test_for_with_from_alone_runs_on_until_the_state_comes_back(act):
    """`from` without `to`: what counts for `for` is that the state has not returned, whatever else it becomes."""
    config = """
automations:
  - alias: Not off
    triggers: [{trigger: state, entity_id: media_player.kitchen, from: "off", for: "00:30:00"}]
    actions: [{note: "{{ trigger.to_state.state }}"}]
"""

    async def scenario(stage):
        for state, minutes in (("off", 1), ("playing", 20), ("paused", 20), ("off", 1), ("playing", 20), ("off", 60)):
            stage.set("media_player.kitchen", state)
            await stage.sleep(minutes=minutes)

    assert act(config, scenario).times == ["Mon 08:31:00 playing"]


def test_a_template_on_all_of_a_domain_follows_all_of_it_and_what_comes_later(act):
    """`states.light` is every light there is, and the template is rendered anew when one changes or turns up."""
    config = """
automations:
  - alias: Two lights
    triggers: [{trigger: template, value_template: "{{ states.light|selectattr('state', 'eq', 'on')|list|count > 1 }}"}]
    actions: [{note: "{{ trigger.entity_id }}"}]
"""

    async def scenario(stage):
        for entity, state in (("light.a", "on"), ("sensor.b", "on"), ("light.b", "off"), ("light.b", "on")):
            stage.set(entity, state)
            await stage.settle()

    assert act(config, scenario).texts == ["light.b"]


def test_choose_does_the_first_that_fits_or_the_default(act):
    """Only one sequence runs, even where more would fit; the default where none does."""
    config = """
automations:
  - alias: Which
    mode: queued
    triggers: [{trigger: event, event_type: button}]
    actions:
      - choose:
          - alias: Several conditions
            conditions:
              - condition: template
                value_template: "{{ trigger.event.data.n > 1 }}"
              - "{{ trigger.event.data.n < 5 }}"
            sequence:
              - note: middle
          - conditions: "{{ trigger.event.data.n > 1 }}"
            sequence:
              - note: high
          - conditions:
              - or:
                  - "{{ trigger.event.data.n == 0 }}"
                  - "{{ trigger.event.data.n == -1 }}"
            sequence: []
        default:
          - note: low
      - note: after
"""

    async def scenario(stage):
        for n in (3, 7, 1, 0):
            await stage.fire("button", n=n)

    assert act(config, scenario).texts == ["middle", "after", "high", "after", "low", "after", "after"]


def test_repeat_counts_from_one_and_a_condition_ends_its_round_alone(act):
    """`repeat.index` begins with 1; a condition inside ends the iteration, and not the loop."""
    config = """
automations:
  - alias: Rounds
    triggers: [{trigger: event, event_type: go}]
    actions:
      - repeat:
          count: 4
          sequence:
            - condition: template
              value_template: "{{ repeat.index != 2 }}"
            - note: "{{ repeat.index }} {{ repeat.first }} {{ repeat.last }}"
      - repeat:
          for_each: [{name: lion}, {name: tiger}]
          sequence:
            - note: "{{ repeat.item.name }}"
      - note: "{{ repeat is defined }}"
"""

    async def scenario(stage):
        await stage.fire("go")

    assert act(config, scenario).texts == ["1 True False", "3 False False", "4 False True", "lion", "tiger", "False"]


def test_wait_for_trigger_tells_what_came_and_how_much_time_was_left(act):
    """`wait.trigger` is none after a time-out; with continue_on_timeout false the run ends there."""
    config = """
automations:
  - alias: Wait
    triggers: [{trigger: event, event_type: go}]
    actions:
      - wait_for_trigger:
          - trigger: event
            event_type: answer
        timeout: "00:01:00"
      - if: "{{ wait.trigger is none }}"
        then: [{note: nobody}]
        else: [{note: "{{ wait.trigger.event.data.who }} {{ wait.remaining|round }}"}]
      - wait_for_trigger: [{trigger: event, event_type: more}]
        timeout: 10
        continue_on_timeout: false
      - note: never
"""

    async def scenario(stage):
        await stage.fire("go")
        await stage.sleep(seconds=20)
        await stage.fire("answer", who="Ada")
        await stage.sleep(minutes=2)
        await stage.fire("go")
        await stage.sleep(minutes=5)
        assert stage.traces("Wait")[-1]["outcome"] == "stopped"

    assert act(config, scenario).texts == ["Ada 40", "nobody"]


def test_queued_runs_come_in_order_and_not_more_than_max(act):
    """Runs are queued in order; with `max` of them under way the next trigger is passed over."""
    config = """
automations:
  - alias: Doorbell
    mode: queued
    max: 3
    max_exceeded: silent
    triggers: [{trigger: event, event_type: ring}]
    actions: [{note: "ring {{ trigger.event.data.n }}"}, {delay: 10}]
"""

    async def scenario(stage):
        for n in range(1, 6):
            await stage.fire("ring", n=n)
            await stage.sleep(seconds=1)
        await stage.sleep(minutes=1)

    assert act(config, scenario).times == [
        "Mon 08:00:00 ring 1",
        "Mon 08:00:10 ring 2",
        "Mon 08:00:20 ring 3",
    ]


def test_a_blueprint_is_filled_in_where_it_is_used(act, tmp_path):
    """One blueprint, two automations, each with its own inputs, and a default where none is given."""
    (tmp_path / "blueprints").mkdir()
    (tmp_path / "blueprints" / "motion.yaml").write_text(
        """
blueprint:
  name: Motion
  description: Greets who comes
  domain: automation
  input:
    sensor:
      name: Sensor
      selector: {entity: {domain: input_boolean}}
    greeting:
      name: Greeting
      default: Hello
      selector: {text: {}}
mode: restart
max_exceeded: silent
triggers:
  - {trigger: state, entity_id: !input sensor, from: "off", to: "on"}
variables: {greeting: !input greeting}
actions:
  - note: "{{ greeting }} from {{ trigger.to_state.entity_id }}"
""",
        encoding="utf-8",
    )
    config = """
input_boolean: {hall: {}, yard: {}}
automations:
  - alias: Hall
    use_blueprint: {path: motion.yaml, input: {sensor: input_boolean.hall}}
  - alias: Yard
    use_blueprint: {path: motion.yaml, input: {sensor: input_boolean.yard, greeting: Welcome}}
"""

    async def scenario(stage):
        stage.set("input_boolean.hall", "on")
        stage.set("input_boolean.yard", "on")
        await stage.settle()

    assert act(config, scenario).texts == ["Hello from input_boolean.hall", "Welcome from input_boolean.yard"]
