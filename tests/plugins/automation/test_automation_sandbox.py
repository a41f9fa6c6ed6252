"""Templates: what they give, and what they cannot do."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from mynah import MynahError, State
from mynah_automation.templates import Templates

STATES = {
    "sensor.pond": State("sensor.pond", "21.5", {"unit": "C", "unit_of_measurement": "°C"}),
    "sensor.lake": State("sensor.lake", "17"),
    "input_boolean.open": State("input_boolean.open", "on"),
}


@pytest.fixture
def templates():
    return Templates(STATES.get, lambda: datetime(2026, 11, 28, 12, 30, tzinfo=UTC), STATES.values)


@pytest.mark.parametrize(
    ("template", "result"),
    [
        ("{{ states('sensor.pond') }}", 21.5),
        ("{{ states.sensor.pond.state }}", 21.5),
        ("{{ states('sensor.nowhere') }}", "unknown"),
        ("{{ states('sensor.pond')|float + 1 }}", 22.5),
        ("{{ states('sensor.nowhere')|float(0) }}", 0.0),
        ("{{ state_attr('sensor.pond', 'unit') }}", "C"),
        ("{{ is_state('input_boolean.open', 'on') }}", True),
        ("{{ has_value('sensor.nowhere') }}", False),
        ("{{ [1, 2, 3]|join(', ') }}", "1, 2, 3"),
        ("{{ [3, 1, 2]|sort }}", [1, 2, 3]),
        ("{{ {'a': 1} }}", {"a": 1}),
        ("{{ 'a' ~ 1 ~ 'b' }}", "a1b"),
        ("{{ ('a', 'b')|map('upper')|list }}", ["A", "B"]),
        ("{% for n in range(3) %}{{ loop.index }}{{ ',' if not loop.last }}{% endfor %}", "1,2,3"),
        ("{% set ns = namespace(n=1) %}{% for i in [1, 2] %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", 4),
        ("{{ now().strftime('%H:%M') }}", "12:30"),
        ("{{ now() > today_at('10:00') }}", True),
        ("{{ (now() + timedelta(hours=1)).hour }}", 13),
        ("{{ 3.14159|round(2) }}", 3.14),
        ("{{ 2.5|round(0, 'floor') }}", 2),
        ("{{ iif(1 > 2, 'yes', 'no') }}", "no"),
        ("{{ nothing|default('none') }}", "none"),
        ("{{ 'x-y'.split('-')[1] }}", "y"),
        ("{{ 'x-y'|replace('-', '+') }}", "x+y"),
        ("{{ states.sensor|map(attribute='state')|map('float')|max }}", 21.5),
        ("{{ states|selectattr('state', 'eq', 'on')|map(attribute='name')|list }}", ["open"]),
        ("{{ states.light|list|count }}", 0),
        ("{% for each in states.sensor %}{{ each.object_id }} {% endfor %}", "pond lake"),
        (
            "{{ expand('sensor.lake', ['sensor.nowhere', states.sensor.pond])|map(attribute='object_id')|list }}",
            ["lake", "pond"],
        ),
        ("{{ states['sensor.lake'].state }}", 17),
        ("{{ ['input_boolean.open', 'sensor.lake']|select('is_state', 'on')|list }}", ["input_boolean.open"]),
        ("{{ ['sensor.lake', 'sensor.pond']|map('state_attr', 'unit')|list }}", [None, "C"]),
        ("{{ states('sensor.pond', with_unit=True) }}", "21.5 °C"),
        ("{{ 'Lion House'|slugify }}", "lion_house"),
        ("{{ '%.1f m'|format(3.14159) }}", "3.1 m"),
        ("{{ ['so']|random }}", "so"),
        ("{{ as_timedelta('00:10:00').total_seconds() }}", 600.0),
        ("{{ 'a b&c'|urlencode }}", "a%20b%26c"),
        ("0815", "0815"),
        ("{{ '0815' }}", "0815"),
        ("{{ '[1' }}", "[1"),
    ],
)
def test_a_template_gives_what_it_reads_like(templates, template, result):
    assert templates.render(template, {}) == result


REACHING = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''|attr('__class__') }}",
    "{{ states.__init__.__globals__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ dict.mro() }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ [].append(1) }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{{ (1,)|map('attr', '__class__')|list }}",
    "{{ joiner() }}",
    "{{ now().__reduce__() }}",
    "{{ trigger.pop('x') }}",
    "{{ open('/etc/passwd') }}",
    "{{ range.__self__() }}",
]
LOOPING = [
    "{% for i in range(10000) %}{% for j in range(10000) %}{% endfor %}{% endfor %}",
    "{% for i in range(9999) %}{% for j in range(9999) %}{{ j }}{% endfor %}{% endfor %}",
    "{{ range(10**9)|list }}",
    "{{ 10 ** 1000000000 }}",
    "{{ 'a' * 10**9 }}",
    "{{ [0] * 10**9 }}",
    "{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(90) }}",
    "{% set x = 'aaaaaaaa' %}" + "{% set x = x ~ x %}" * 40 + "{{ x }}",
    "{% set x = 'aaaaaaaa' %}" + "{% set x = x + x %}" * 40 + "{{ x|length }}",
    "{% set x = 'aaaaaaaa' %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 40 + "{{ x|length }}",
    "{% set x = [1] %}" + "{% set x = [x, x] %}" * 30 + "{{ x == x }}",
    "{% set x = 9 %}" + "{% set x = x * x %}" * 40 + "{{ x }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ 'aaaa'.replace('a', 'b' * 9999).replace('b', 'c' * 9999) }}",
    "{{ ('a' * 9999)|list|join('b' * 9999) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ 'a'|center(10**9) }}",
    "{{ '%1000000000d'|format(1) }}",
    "{{ '%*d'|format(10**9, 1) }}",
    "{% for i in range(9999) %}{% for j in range(9999) %}{{ states|list|length }}{% endfor %}{% endfor %}",
    "{{ expand(" + "states," * 900 + ")|list|length * 10**400 }}",
]


@pytest.mark.parametrize("template", REACHING)
def test_a_template_cannot_reach_pythons_insides(templates, template):
    given = {"trigger": {"x": 1}}
    with pytest.raises(MynahError, match="the template"):
        templates.render(template, given)
    assert given == {"trigger": {"x": 1}}


@pytest.mark.parametrize(
    "template",
    ["{{ ''.__class__ }}", "{{ states._read }}", "{{ now.__self__ }}", "{{ 'a'.format }}", "{{ states._every }}"],
)
def test_what_a_template_may_not_have_is_not_there(templates, template):
    assert templates.render(template, {}) == ""


@pytest.mark.parametrize("template", LOOPING, ids=range(len(LOOPING)))
def test_a_template_ends_soon_and_says_why(templates, template):
    began = time.process_time()
    with pytest.raises(MynahError, match="the template"):
        templates.render(template, {})
    assert time.process_time() - began < 5


def test_a_template_that_is_cut_off_does_not_hinder_the_next(templates):
    with pytest.raises(MynahError):
        templates.render(LOOPING[0], {})
    assert templates.render("{{ 1 + 1 }}", {}) == 2


UNREADABLE = ["{{ (", "{{ 1 +", "{% for %}", "{{ x|nothing }}", "{% if x %}", "{{ 'a }}", "x" * 9000 + "{{ 1 }}"]


@pytest.mark.parametrize("template", UNREADABLE)
def test_a_template_that_cannot_be_read_is_told(templates, template):
    assert templates.check(template) != ""


def test_what_a_template_reads_is_known(templates):
    templates.render("{{ states('sensor.pond') }} {{ is_state('input_boolean.open', 'on') }} {{ now() }}", {})
    assert templates.read_entities == {"sensor.pond", "input_boolean.open"}
    assert templates.read_time


def test_all_states_of_a_large_house_again_and_again_are_too_much():
    house = [State(f"sensor.s{number}", "1") for number in range(10_000)]
    templates = Templates(lambda entity_id: None, lambda: datetime.now(UTC), lambda: house)
    assert templates.render("{{ states.sensor|list|length }}", {}) == 10_000
    began = time.process_time()
    for template in (
        "{{ expand(" + "states," * 900 + ") }}",
        "{% for i in range(9999) %}{{ states|list|length }}{% endfor %}",
    ):
        with pytest.raises(MynahError, match=r"a list of more than|the template does too much|took more than"):
            templates.render(template, {})
    assert time.process_time() - began < 5
