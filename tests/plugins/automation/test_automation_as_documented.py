"""What Home Assistant's documentation promises of automations, by eight more of them.

Written from https://www.home-assistant.io/docs/automation/ (triggers, conditions, modes, templating), /docs/scripts/
(wait, repeat, choose) and /docs/blueprint/; the automations are this project's own.
"""

from __future__ import annotations


def test_time_at_several_times_with_ids_and_a_choice_by_id(act):
    """`at` takes a list; `trigger.id`, `idx` and `alias` tell which trigger fired; `trigger.now` is a datetime."""
    config = """
automations:
  - id: "1700000000001"
    alias: Open and close
    description: ""
    triggers:
      - trigger: time
        at: ["09:00:00", "09:30"]
        id: open
        alias: In the morning
      - trigger: time
        at: "18:00:00"
    conditions: []
    actions:
      - choose:
          - conditions: {condition: trigger, id: open}
            sequence:
              - note: "{{ trigger.id }} {{ trigger.idx }} {{ trigger.alias }} {{ trigger.now.strftime('%H:%M') }}"
        default:
          - note: "{{ trigger.id }} {{ trigger.idx }} {{ trigger.platform }}"
    mode: single
"""

    async def scenario(stage):
        await stage.sleep(hours=12)

    assert act(config, scenario).times == [
        "Mon 09:00:00 open 0 In the morning 09:00",
        "Mon 09:30:00 open 0 In the morning 09:30",
        "Mon 18:00:00 1 1 time",
    ]


def test_sunrise_with_an_offset_as_trigger_and_condition(act):
    """After sunset holds until midnight only; before sunrise from midnight on: the night is either of them."""
    config = """
automation: {latitude: 52.52, longitude: 13.405}
automations:
  - alias: Before the first light
    triggers: {trigger: sun, event: sunrise, offset: "-00:30:00"}
    actions: {note: "{{ trigger.event }} {{ trigger.offset }}"}
  - alias: By night
    triggers: {trigger: time_pattern, hours: "/2"}
    conditions:
      - or:
          - {condition: sun, after: sunset, after_offset: "-01:00:00"}
          - {condition: sun, before: sunrise}
    actions: {note: night}
"""

    async def scenario(stage):
        await stage.sleep(days=1)

    notes = act(config, scenario).notes
    assert [f"{at:%H}" for at, text in notes if text == "night"] == ["22", "00", "02", "04"]
    ((at, text),) = [(at, text) for at, text in notes if text != "night"]
    assert "04:14" < f"{at:%H:%M}" < "04:22"  # the sun rises at 4:48
    assert text == "sunrise -0:30:00" or text == "sunrise -1 day, 23:30:00"


def test_state_for_with_not_from_and_a_template(act):
    """`for` may be a template; `not_from` leaves out where it comes from; `trigger.for` is a duration."""
    config = """
input_number: {minutes: {min: 0, max: 60, initial: 3}}
automations:
  - alias: Left open
    triggers:
      - trigger: state
        entity_id: binary_sensor.gate
        not_from: [unknown, unavailable]
        to: "on"
        for: {minutes: "{{ states('input_number.minutes') | int }}"}
    actions: {note: "{{ trigger.to_state.attributes.friendly_name }} {{ trigger.for }}"}
"""

    async def scenario(stage):
        stage.set("binary_sensor.gate", "unavailable")
        stage.set("binary_sensor.gate", "on", friendly_name="Gate")
        await stage.sleep(minutes=10)
        stage.set("binary_sensor.gate", "off", friendly_name="Gate")
        stage.set("binary_sensor.gate", "on", friendly_name="Gate")
        await stage.sleep(minutes=10)

    assert act(config, scenario).times == ["Mon 08:13:00 Gate 0:03:00"]


def test_state_with_nothing_asked_fires_on_attributes_and_with_null_on_states_alone(act):
    """Without from and to every change fires; `to:` with nothing leaves attributes out."""
    config = """
automations:
  - alias: All
    triggers: {trigger: state, entity_id: sensor.weather}
    actions: {note: all}
  - alias: States
    triggers: {trigger: state, entity_id: sensor.weather, to: null}
    actions: {note: "{{ trigger.from_state.state }} to {{ trigger.to_state.state }}"}
"""

    async def scenario(stage):
        stage.set("sensor.weather", "sunny", wind=1)
        await stage.settle()
        stage.set("sensor.weather", "sunny", wind=2)
        await stage.settle()
        stage.set("sensor.weather", "rain", wind=2)
        await stage.settle()

    texts = act(config, scenario).texts
    assert texts.count("all") == 3
    assert [text for text in texts if text != "all"][-1] == "sunny to rain"
    assert not any(text == "sunny to sunny" for text in texts)


def test_choose_without_a_default_goes_on_and_conditions_may_be_short(act):
    """Where nothing fits the next step comes; a condition may be a template, or a list under `and`, `or`, `not`."""
    config = """
input_boolean: {rain: {}}
automations:
  - alias: Chooses
    mode: queued
    triggers: {trigger: event, event_type: go}
    actions:
      - choose:
          - alias: Few
            conditions: "{{ trigger.event.data.n < 3 }}"
            sequence: {note: few}
          - conditions:
              - "{{ trigger.event.data.n < 9 }}"
              - not: [{condition: state, entity_id: input_boolean.rain, state: "on"}]
            sequence: {note: dry}
      - note: on
      - "{{ trigger.event.data.n == 1 }}"
      - note: one
      - condition: "{{ false }}"
      - note: never
"""

    async def scenario(stage):
        for n in (1, 5, 10):
            await stage.fire("go", n=n)
        stage.set("input_boolean.rain", "on")
        await stage.fire("go", n=5)

    assert act(config, scenario).texts == ["few", "on", "one", "dry", "on", "on", "on"]


def test_repeat_tells_first_last_index_and_item(act):
    """`repeat.first`, `index`, `last`; counts and lists may be templates; `until` is asked after, `while` before."""
    config = """
counter: {n: {}}
automations:
  - alias: Repeats
    variables: {animals: [lion, tiger]}
    triggers: {trigger: event, event_type: go}
    actions:
      - repeat:
          count: "{{ animals | length }}"
          sequence: {note: "{{ repeat.index }} {{ repeat.first }} {{ repeat.last }}"}
      - repeat:
          for_each: "{{ animals }}"
          sequence: {note: "{{ repeat.item }}"}
      - repeat:
          for_each: [{name: Leo, food: meat}]
          sequence: {note: "{{ repeat.item.name }} eats {{ repeat.item.food }}"}
      - repeat:
          while: "{{ repeat.index <= 2 }}"
          sequence: {note: "while {{ repeat.index }}"}
      - repeat:
          until:
            - condition: template
              value_template: "{{ repeat.index == 2 }}"
          sequence:
            - delay: {minutes: 1}
            - repeat: {count: 1, sequence: {note: inner}}
            - note: "until {{ repeat.index }}"
"""

    async def scenario(stage):
        await stage.fire("go")
        await stage.sleep(minutes=5)

    assert act(config, scenario).texts == [
        *("1 True False", "2 False True", "lion", "tiger", "Leo eats meat", "while 1", "while 2"),
        *("inner", "until 1", "inner", "until 2"),
    ]


def test_wait_tells_what_ended_it_and_how_long_was_left(act):
    """`wait.trigger` and `wait.remaining`; with a time-out none and 0.0; `continue_on_timeout: false` ends the run."""
    config = """
automations:
  - alias: Waits
    triggers: {trigger: event, event_type: go}
    actions:
      - wait_for_trigger:
          - {trigger: event, event_type: visitor}
          - {trigger: state, entity_id: binary_sensor.door, to: "on", for: "00:00:10"}
        timeout: {minutes: "{{ 1 + 1 }}"}
      - note: "{{ wait.trigger.event.data.who }} {{ wait.remaining | int }} {{ wait.completed }}"
      - wait_for_trigger:
          - {trigger: state, entity_id: binary_sensor.door, to: "on", for: "00:00:10"}
        timeout: "00:01:00"
      - note: "{{ wait.trigger is none }} {{ wait.remaining }} {{ wait.completed }} {{ trigger.event.event_type }}"
      - wait_template: "{{ is_state('binary_sensor.door', 'on') }}"
      - note: "door {{ wait.completed }}"
      - wait_template: "{{ is_state('binary_sensor.door', 'off') }}"
        timeout: 30
        continue_on_timeout: false
      - note: never
"""

    async def scenario(stage):
        await stage.fire("go")
        await stage.sleep(seconds=30)
        await stage.fire("visitor", who="Ada")
        await stage.sleep(minutes=2)
        stage.set("binary_sensor.door", "on")
        await stage.sleep(minutes=2)
        (trace,) = stage.traces("automation.waits")
        assert trace["outcome"] == "stopped"

    assert act(config, scenario).times == [
        "Mon 08:00:30 Ada 90 True",
        "Mon 08:01:30 True 0.0 False go",
        "Mon 08:02:30 door True",
    ]


def test_queued_keeps_the_order_and_max_counts_the_one_that_runs(act, caplog):
    """All that came before ends first; `max` is of running and queued; conditions are asked when it is triggered."""
    config = """
input_boolean: {open: {initial: true}}
automations:
  - alias: One after another
    mode: queued
    max: 3
    triggers: {trigger: event, event_type: go}
    conditions: {condition: state, entity_id: input_boolean.open, state: "on"}
    actions:
      - delay: "00:01:00"
      - note: "{{ trigger.event.data.n }}"
"""

    async def scenario(stage):
        for n in (1, 2, 3, 4):
            await stage.fire("go", n=n)
        stage.set("input_boolean.open", "off")
        await stage.sleep(minutes=5)
        await stage.fire("go", n=5)
        await stage.sleep(minutes=5)

    assert act(config, scenario).times == ["Mon 08:01:00 1", "Mon 08:02:00 2", "Mon 08:03:00 3"]
    assert any("one_after_another" in record.getMessage().lower().replace(" ", "_") for record in caplog.records)


def test_a_blueprint_of_a_light_by_motion(act, tmp_path):
    """Inputs in triggers, waits and delays; sections; defaults; `restart` and `max_exceeded` stand in the blueprint."""
    (tmp_path / "blueprints" / "zoo").mkdir(parents=True)
    (tmp_path / "blueprints" / "zoo" / "motion.yaml").write_text(
        """
blueprint:
  name: Greet those who come
  description: Says hello when somebody moves.
  domain: automation
  author: The zoo
  homeassistant:
    min_version: 2024.6.0
  input:
    motion_entity:
      name: Motion sensor
      selector:
        entity:
          filter:
            - device_class: motion
              domain: binary_sensor
    more:
      name: More
      collapsed: true
      input:
        no_motion_wait:
          name: Wait time
          description: How long it stays.
          default: 120
          selector:
            number: {min: 0, max: 3600, unit_of_measurement: seconds}
        then:
          name: What to do
          default: []
          selector: {action: {}}
mode: restart
max_exceeded: silent
triggers:
  - trigger: state
    entity_id: !input motion_entity
    from: "off"
    to: "on"
actions:
  - alias: Say hello
    note: on
  - alias: Wait until nobody moves
    wait_for_trigger:
      trigger: state
      entity_id: !input motion_entity
      from: "on"
      to: "off"
  - delay: !input no_motion_wait
  - note: off
  - choose: []
    default: !input then
"""
    )
    config = """
automations:
  - id: motion_1
    alias: Hello
    use_blueprint:
      path: zoo/motion.yaml
      input:
        motion_entity: binary_sensor.hall
        then: [{note: then}]
"""

    async def scenario(stage):
        stage.set("binary_sensor.hall", "off")
        stage.set("binary_sensor.hall", "on")
        await stage.sleep(minutes=1)
        stage.set("binary_sensor.hall", "off")
        await stage.sleep(minutes=1)
        stage.set("binary_sensor.hall", "on")
        await stage.sleep(minutes=1)
        stage.set("binary_sensor.hall", "off")
        await stage.sleep(minutes=5)

    times = [at.replace("True", "on").replace("False", "off") for at in act(config, scenario).times]
    assert times == ["Mon 08:00:00 on", "Mon 08:02:00 on", "Mon 08:05:00 off", "Mon 08:05:00 then"]


def test_initial_state_counts_at_each_start_and_without_it_the_last_state(act, tmp_path):
    """With `initial_state` it begins so each time; without, it is as it was when the hub ended."""
    config = """
automations:
  - {alias: Set, initial_state: true, triggers: {trigger: event, event_type: go}, actions: {note: set}}
  - {alias: Kept, triggers: {trigger: event, event_type: go}, actions: {note: kept}}
  - {alias: Off, initial_state: false, triggers: {trigger: event, event_type: go}, actions: {note: "off"}}
"""

    async def first(stage):
        await stage.fire("go")
        for name in ("automation.set", "automation.kept"):
            stage.part.find(name).turn(False)
        stage.part.find("automation.off").turn(True)

    async def second(stage):
        await stage.fire("go")

    assert sorted(act(config, first, folder=tmp_path).texts) == ["kept", "set"]
    assert act(config, second, folder=tmp_path).texts == ["set"]


def test_one_of_parallel_actions_that_fails_leaves_the_others_running(act):
    """All of them run to their end; then the failure counts."""
    config = """
automations:
  - alias: A
    triggers: {trigger: event, event_type: go}
    actions:
      - parallel:
          - say: {text: Hello, where: nowhere}
          - sequence: [{delay: 1}, {note: done}]
      - note: never
"""

    async def scenario(stage):
        await stage.fire("go")
        await stage.sleep(seconds=3)
        assert stage.traces("a")[-1]["outcome"] == "failed"

    assert act(config, scenario).texts == ["done"]


def test_a_script_that_is_stopped_or_busy_lets_its_caller_go_on_and_one_that_fails_does_not(act):
    """What a script that is called does not do is no failure; what it fails at is one of the caller."""
    config = """
scripts:
  slow: {sequence: [{delay: 60}, {note: never}]}
  wrong: {sequence: [{say: {text: Hello, where: nowhere}}]}
automations:
  - alias: A
    triggers: {trigger: event, event_type: go}
    actions:
      - script.turn_on: script.slow
      - script.slow:
      - note: busy
  - alias: B
    triggers: {trigger: event, event_type: go_on}
    actions:
      - script.turn_off: script.slow
      - parallel: [script.slow: {}, sequence: [{delay: 1}, {script.turn_off: script.slow}]]
      - note: stopped
      - script.wrong:
      - note: never
"""

    async def scenario(stage):
        await stage.fire("go")
        await stage.fire("go_on")
        await stage.sleep(minutes=3)
        assert stage.traces("b")[-1]["message"].startswith("script.wrong failed: no speaker")

    assert act(config, scenario).texts == ["busy", "stopped"]


def test_as_many_rounds_as_a_count_may_have_are_gone(act):
    """The limit of rounds is of those that have no end of their own."""
    config = """
automations:
  - alias: A
    triggers: {trigger: event, event_type: go}
    actions:
      - repeat: {count: 10000, sequence: []}
      - note: done
"""

    async def scenario(stage):
        await stage.fire("go")
        await stage.sleep(seconds=1)

    assert act(config, scenario).texts == ["done"]
