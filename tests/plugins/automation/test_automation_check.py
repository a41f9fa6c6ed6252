"""Wrong names and shapes, unreadable templates and sentences: found by `mynah check-config`, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mynah.cli.main import main
from mynah.storage import SpeakerRow, Storage

BEGINNING = """automations:
  - alias: Feeding
    triggers:
      - trigger: time
        at: "11:30"
    actions:
"""


def problems(capsys, folder: Path, text: str) -> str:
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    assert main(["check-config", str(file)]) == 1
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("- sya: Hello", "config.yaml:7: automations → 0 → actions → 0: no action named 'sya'; did you mean 'say'?"),
        ("- {say: {txt: Hello}}", "'text' is missing"),
        (
            "- {say: {text: Hello, were: x}}",
            "config.yaml:7: automations → 0 → actions → 0 → say → were: unknown key",
        ),
        (
            "- action: say\n        data: {text: 5}",
            "automations → 0 → actions → 0 → data → text: expected",
        ),
        ("- delay: soon", "actions → 0 → delay: expected a duration: seconds, 'HH:MM:SS', or a mapping"),
        ("- say: {text: '{{ now( }}', where: hall}", "actions → 0 → say → text: the template cannot be read: "),
        ("- say: {text: '{{ x|lowr }}', where: hall}", "No filter named 'lowr'"),
        (
            "- if: '{{ 1 }}'\n        then: [{nope: 1}]",
            "config.yaml:8: automations → 0 → actions → 0 → then → 0: no",
        ),
        ("- repeat: {count: -1, sequence: []}", "repeat → count: expected a whole number from 0 to 10000, got -1"),
        ("- condition: sate\n        entity_id: a.b", "no condition named 'sate'; did you mean 'state'?"),
        ("- choose:\n          - conditions: '{{ ) }}'\n            sequence: []", "config.yaml:8:"),
        ("- {say: {txt: '{{ 1 }}', where: hall}}", "'text' is missing"),
        ("- {say: {text: '{{ 1 }}', were: '{{ 2 }}'}}", "→ say → were: unknown key"),
        ("- {http: {url: 'http://a.b/', json: '{{ 1 }}', body: '{{ 2 }}'}}", "only one of 'json', 'body' may be given"),
        (
            "- script.nothing:",
            "automations → 0 → actions → 0 → script.nothing: there is no script 'nothing'; known are none",
        ),
        ("- {script: {name: nothing}}", "there is no script 'nothing'"),
        (
            "- action: light.turn_on\n        target: {entity_id: light.x}",
            "automations → 0 → actions → 0: no action named 'light.turn_on'; Home Assistant's own are",
        ),
        ("- 5", "expected an action such as"),
        ("- ask: {question: Well, answers: [{id: yes, sentences: 'yes [maybe'}]}", "the sentence cannot be read"),
        ("- parallel: [{delay: x}]", "parallel → 0 → delay"),
        ("- wait_for_trigger: [{trigger: stat}]", "no trigger named 'stat'; did you mean 'state'?"),
    ],
)
def test_a_wrong_action_is_told_with_its_line(capsys, tmp_path, action, message):
    assert message in problems(capsys, tmp_path, f"{BEGINNING}      {action}\n")


@pytest.mark.parametrize(
    ("trigger", "message"),
    [
        (
            "{trigger: tme, at: '11:30'}",
            "config.yaml:4: automations → 0 → triggers → 0: no trigger named 'tme'; did",
        ),
        ("{trigger: time, at: '25:00'}", "expected a time of day in quotes, such as '11:30'"),
        ("{trigger: time}", "'at' is missing"),
        ("{trigger: state, entity_id: lion}", "an entity is written like speaker.lion_house"),
        ("{trigger: state, entity_id: a.b, too: x}", "triggers → 0 → too: unknown key; did you mean 'to'?"),
        ("{trigger: time_pattern, minutes: 60}", "expected a number below 60, '/5' for every fifth, or '*'"),
        ("{trigger: sun, event: noon}", "expected one of sunrise, sunset, got 'noon'"),
        ("{trigger: webhook, webhook_id: x}", "a webhook's id has 8 to 64 letters"),
        ("{trigger: conversation, command: 'turn (it up'}", "the sentence cannot be read"),
        ("{at: '11:30'}", "'trigger' is missing"),
        (
            "{trigger: event, event_type: '{{ x }}'}",
            "triggers → 0 → event_type: the template '{{ x }}': 'x' is undefined",
        ),
        ("{trigger: state, entity_id: a.b, for: '{{ x'}", "triggers → 0 → for: the template cannot be read"),
    ],
)
def test_a_wrong_trigger_is_told_with_its_line(capsys, tmp_path, trigger, message):
    text = f"automations:\n  - alias: Feeding\n    triggers:\n      - {trigger}\n    actions: []\n"
    assert message in problems(capsys, tmp_path, text)


@pytest.mark.parametrize(
    ("variables", "trigger", "message"),
    [
        (
            "{a: '{{ b }}'}",
            "{trigger: time, at: '11:30'}",
            "config.yaml:3: automations → 0 → trigger_variables → a: the",
        ),
        (
            "{a: '{{ states(\"sensor.x\") }}'}",
            "{trigger: time, at: '11:30'}",
            "neither states nor the time are known here, as this is read once",
        ),
        ("{a: '{{ now() }}'}", "{trigger: time, at: '11:30'}", "neither states nor the time are known here"),
        ("{a: '25:00'}", "{trigger: time, at: '{{ a }}'}", "triggers → 0 → at: expected a time of day in quotes"),
        (
            "{}",
            "{trigger: event, event_type: go, event_data: {x: '{{ a }}'}}",
            "triggers → 0 → event_data: the template",
        ),
    ],
)
def test_what_triggers_are_made_of_is_told_before_the_start(capsys, tmp_path, variables, trigger, message):
    parts = f"    trigger_variables: {variables}\n    triggers: [{trigger}]\n    actions: []\n"
    assert message in problems(capsys, tmp_path, f"automations:\n  - alias: Feeding\n{parts}")


HOUSE = """input_boolean: {lamp: {}}
counter: {visitors: {}}
scripts: {greet: {sequence: []}}
automation: {calendars: {feedings: f.ics}}
"""


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("automation.turn_on: automation.feding", "there is no automation.feding; did you mean 'automation.feeding'?"),
        ("{action: automation.toggle, target: {entity_id: automation.x}}", "config.yaml:11: automations → 0 → actions"),
        (
            "automation.trigger: [automation.feeding, automation.x]",
            "there is no automation.x; did you mean 'automation.feeding'?",
        ),
        (
            "automation.turn_off: script.greet",
            "automation.turn_off is for entities such as automation.name, not for script",
        ),
        ("script.turn_on: script.gret", "there is no script.gret; did you mean 'script.greet'?"),
        ("script.gret:", "there is no script 'gret'; did you mean 'greet'?"),
        (
            "input_boolean.toggle: input_boolean.lmp",
            "there is no input_boolean.lmp; did you mean 'input_boolean.lamp'?",
        ),
        (
            "counter.reset: input_boolean.lamp",
            "counter.reset is for entities such as counter.name, not for input_boolean.l",
        ),
        (
            "{condition: state, entity_id: counter.visitor, state: '1'}",
            "entity_id: there is no counter.visitor; did you",
        ),
        (
            "{condition: numeric_state, entity_id: sensor.x, above: counter.visitor}",
            "above: there is no counter.visitor",
        ),
        ("wait_for_trigger: {trigger: state, entity_id: input_boolean.lmp}", "there is no input_boolean.lmp"),
        ("wait_for_trigger: {trigger: calendar, entity_id: calendar.feeding}", "did you mean 'calendar.feedings'?"),
    ],
)
def test_a_name_that_nothing_can_have_is_told_with_its_line_and_one_that_is_meant(capsys, tmp_path, action, message):
    text = f"{HOUSE}{BEGINNING}      - {action}\n"
    told = problems(capsys, tmp_path, text)
    assert message in told
    assert told.startswith("config.yaml:11: automations → 0 → actions → 0")


@pytest.mark.parametrize(
    "action",
    [
        "automation.turn_on: automation.feeding",
        "automation.turn_on: '{{ which }}'",
        "script.turn_off: [script.greet]",
        "{condition: state, entity_id: [sensor.x, speaker.not_here_yet, light.kitchen], state: 'on'}",
        "{condition: state, entity_id: counter.ha_visitors, state: '1'}",
        "{condition: state, entity_id: timer.ha_egg, state: idle}",
    ],
)
def test_what_may_come_to_be_there_is_not_complained_about(capsys, tmp_path, action):
    house = HOUSE.replace("{calendars:", "{statestream: homeassistant_states, calendars:")
    (tmp_path / "config.yaml").write_text(f"{house}{BEGINNING}      - {action}\n", encoding="utf-8")
    assert main(["check-config", str(tmp_path / "config.yaml")]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "part", "line"),
    [
        ("{}", "triggers: {trigger: sun, event: sunset}", 4),
        ("{latitude: 52.5}", "conditions: {condition: sun, after: sunset}", 4),
        ("{}", "variables: {}\n    actions: [{if: {condition: sun, after: sunset}, then: []}]", 5),
    ],
)
def test_the_sun_where_nobody_knows_where_the_house_stands_is_told_with_its_line(capsys, tmp_path, place, part, line):
    actions = "" if "actions" in part else "    actions: []\n"
    text = f"automation: {place}\nautomations:\n  - alias: Dusk\n    {part}\n{actions}"
    told = problems(capsys, tmp_path, text)
    assert told.startswith(f"config.yaml:{line}: automations → 0")
    assert "nobody knows where the house stands, and so when the sun rises; set 'latitude' and 'longitude'" in told


def test_every_mistake_is_told_at_once_in_the_order_of_the_lines(capsys, tmp_path):
    text = f"{BEGINNING}      - nope: 1\n      - say: {{}}\n  - alias: Feeding\n    mode: sometimes\n    actions: []\n"
    lines = problems(capsys, tmp_path, text).splitlines()
    assert [line.split(":")[1] for line in lines[:3]] == ["7", "8", "10"]
    assert "expected one of single, restart, queued, parallel" in lines[2]


def test_two_automations_of_one_name_are_told(capsys, tmp_path):
    text = f"{BEGINNING}      - delay: 1\n  - alias: feeding\n    actions: []\n"
    assert "config.yaml:8: automations → 1: an automation of that name stands at automations → 0 already" in problems(
        capsys, tmp_path, text
    )


def test_bad_yaml_is_told_with_its_line(capsys, tmp_path):
    assert "config.yaml:7" in problems(capsys, tmp_path, f"{BEGINNING}      - say: 'Hello\n")


def test_automations_under_the_key_of_their_settings_are_told_where_they_belong(capsys, tmp_path):
    told = problems(capsys, tmp_path, "automation:\n  - alias: Feeding\n    actions: []\n")
    assert "config.yaml:1: automation: what is a list stands under 'automations:'" in told


def test_a_mistake_in_a_file_of_its_own_is_told_with_that_file(capsys, tmp_path):
    (tmp_path / "house.yaml").write_text("- alias: One\n  actions:\n    - nope: 1\n", encoding="utf-8")
    assert "house.yaml:3: automations → 0 → actions → 0: no action" in problems(
        capsys, tmp_path, "automations: !include house.yaml\n"
    )


def test_a_helpers_wrong_options_are_told(capsys, tmp_path):
    text = "counter:\n  visitors: {step: 0}\ntimer:\n  egg: {duration: long}\nscripts:\n  go: {sequence: [{dely: 1}]}\n"
    told = problems(capsys, tmp_path, text)
    assert "config.yaml:2: counter → visitors → step: expected a whole number of at least 1, got 0" in told
    assert "config.yaml:4: timer → egg → duration: expected a duration" in told
    assert "config.yaml:6: scripts → go → sequence → 0: no action named 'dely'; did you mean 'delay'?" in told


BLUEPRINT = """blueprint:
  name: Feeding time
  domain: automation
  input:
    at: {selector: {time: {}}}
    level: {default: 5, selector: {number: {min: 1, max: 10}}}
triggers:
  - {trigger: time, at: !input at}
actions:
  - delay: !input level
"""
USE = "automations:\n  - alias: Lions\n    use_blueprint:\n      path: {path}\n      input: {input}\n"


@pytest.mark.parametrize(
    ("blueprint", "path", "given", "message"),
    [
        (BLUEPRINT, "feeding.yaml", "{}", "config.yaml:5: automations → 0 → use_blueprint → input: the blueprint's"),
        (BLUEPRINT, "feeding.yaml", "{at: noon}", "a time is written like '11:30'"),
        (BLUEPRINT, "feeding.yaml", "{at: '11:30', level: 11}", "input → level: expected a number from 1 to 10"),
        (BLUEPRINT, "feeding.yaml", "{at: '11:30', what: 1}", "the blueprint has no such input; known are at, level"),
        (BLUEPRINT, "feading.yaml", "{}", "there is no blueprint 'feading.yaml'"),
        (BLUEPRINT, "../secret.yaml", "{}", "leaves its folder"),
        (BLUEPRINT.replace("delay", "dely"), "feeding.yaml", "{at: '11:30'}", "feeding.yaml:10: actions → 0: no"),
        (BLUEPRINT.replace("input level", "input x"), "feeding.yaml", "{at: '11:30'}", "feeding.yaml:10: actions → 0"),
        (BLUEPRINT.replace("automation", "script"), "feeding.yaml", "{}", "is for scripts"),
        ("actions: []\n", "feeding.yaml", "{}", "feeding.yaml:1: a blueprint begins with 'blueprint:'"),
    ],
)  # fmt: skip
def test_a_blueprint_that_does_not_fit_is_told_where_the_mistake_is(capsys, tmp_path, blueprint, path, given, message):
    (tmp_path / "blueprints").mkdir()
    (tmp_path / "blueprints" / "feeding.yaml").write_text(blueprint, encoding="utf-8")
    assert message in problems(capsys, tmp_path, USE.format(path=path, input=given))


PLACES = """data: kept
speakers: {lion_house: {area: savanna}, north-gate: {}}
groups: {cats: [lion_house]}
personas: {keeper: {title: the keeper}}
"""


def warnings(capsys, folder: Path, action: str) -> str:
    beginning = "automations:\n  - alias: A\n    triggers: {trigger: event, event_type: go}\n    actions:\n"
    text = f"{PLACES}{beginning}      - {action}\n"
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    assert main(["check-config", str(folder / "config.yaml")]) == 0
    told = capsys.readouterr()
    assert ("fine, but for 1 warning\n" if told.err else "fine\n") in told.out
    return told.err


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (
            "say: {text: x, where: lion_hose}",
            "→ say → where: no speaker, area or group named 'lion_hose' is configured or remembered;"
            " did you mean 'lion_house'?",
        ),
        ("silence: nowhere_near", "named 'nowhere_near' is configured or remembered; known are all, "),
        ("{if: '{{ true }}', then: [{announce: {text: x, where: savana}}]}", "then → 0 → announce → where: no speaker"),
        (
            "{condition: state, entity_id: speaker.lion_hose, state: idle}",
            "no speaker that is configured or remembered has the entity speaker.lion_hose;"
            " did you mean 'speaker.lion_house'?",
        ),
    ],
)
def test_a_place_that_may_yet_turn_up_is_a_warning_with_its_line_and_a_name_that_is_meant(
    capsys, tmp_path, action, message
):
    told = warnings(capsys, tmp_path, action)
    assert told.startswith("config.yaml:9: warning: automations → 0 → actions → 0")
    assert message in told


def test_places_that_are_configured_or_remembered_are_none(capsys, tmp_path):
    storage = Storage(tmp_path / "kept")
    storage.keep_speaker(SpeakerRow("giraffe_deck", "", "plain", (), 0.0))
    storage.close()
    places = ("lion_house", "speaker.north_gate", "cats", "savanna", "all", "'{{ trigger.speaker }}'",
              "giraffe_deck", "plain")  # fmt: skip
    actions = [f"say: {{text: x, where: {place}}}" for place in places]
    actions += ["{condition: state, entity_id: [speaker.north_gate, speaker.giraffe_deck], state: idle}"]
    actions += ["set_persona: {persona: keeper, where: lion_house}"]
    assert warnings(capsys, tmp_path, "\n      - ".join(actions)) == ""


def test_to_look_for_remembered_speakers_makes_no_data_folder(capsys, tmp_path):
    warnings(capsys, tmp_path, "say: {text: x, where: lion_house}")
    assert not (tmp_path / "kept").exists()


def test_a_template_of_a_trigger_is_rendered_beside_a_warning(capsys, tmp_path):
    told = problems(
        capsys,
        tmp_path,
        "automations:\n  - alias: A\n    trigger_variables: {a: '25:00'}\n    triggers:\n"
        "      - {trigger: state, entity_id: speaker.not_there}\n      - {trigger: time, at: '{{ a }}'}\n"
        "    actions: []\n",
    )
    assert "config.yaml:6: automations → 0 → triggers → 1 → at: expected a time of day in quotes" in told


def test_a_persona_that_nobody_knows_is_a_mistake(capsys, tmp_path):
    action = "      - set_persona: {persona: sparow, where: all}\n"
    told = problems(capsys, tmp_path, f"personas: {{sparrow: {{title: a sparrow}}}}\n{BEGINNING}{action}")
    assert "set_persona → persona: there is no persona 'sparow'; did you mean 'sparrow'?" in told


def test_what_would_never_or_always_hold_is_told(capsys, tmp_path):
    text = """automations:
  - alias: A
    triggers:
      - {trigger: numeric_state, entity_id: sensor.x}
      - {trigger: time_pattern}
    conditions:
      - {condition: numeric_state, entity_id: sensor.x}
      - {condition: time}
    actions:
      - {repeat: {sequence: []}}
      - {volume: {where: all}}
      - {condition: sun}
"""
    told = problems(capsys, tmp_path, text).splitlines()[:-2]
    assert [(line.split(":")[1], line.rpartition(": ")[2]) for line in told] == [
        ("4", "numeric_state needs one of 'above', 'below'"),
        ("5", "time_pattern needs one of 'hours', 'minutes', 'seconds'"),
        ("7", "numeric_state needs one of 'above', 'below'"),
        ("8", "time needs one of 'after', 'before', 'weekday'"),
        ("10", "repeat needs one of 'count', 'while', 'until', 'for_each'"),
        ("11", "volume needs one of 'percent', 'change'"),
        ("12", "sun needs one of 'after', 'before'"),
    ]
