"""Templates as Home Assistant has them, rendered within the limits of `sandbox`."""

from __future__ import annotations

import json
import random
import re
from ast import literal_eval
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from jinja2 import TemplateError
from jinja2.runtime import StrictUndefined, Undefined

from mynah import MynahError, State
from mynah_automation.conversions import (
    MISSING,
    as_float,
    as_int,
    as_timedelta,
    formatted,
    iif,
    is_number,
    rounded,
    slugify,
)
from mynah_automation.sandbox import ENTRIES, Budget, Sandbox, TooMuch, template_error

KEPT: Final = 2_000
JINJA_ASKS: Final = ("jinja_pass_arg", "unsafe_callable", "alters_data")
NUMBER: Final = re.compile(r"[+-]?(?:\d{1,15}|\d{0,15}\.\d{1,15})(?:[eE][+-]?\d{1,3})?\Z")
FAILURES: Final = (TemplateError, TooMuch, RecursionError, ArithmeticError, TypeError, ValueError, LookupError,
                   AttributeError, SyntaxError, MemoryError)  # fmt: skip
"""What a template may fail with; the words are for whoever wrote it."""


def is_template(value: Any) -> bool:
    """Return whether `value` is text that is to be rendered."""
    return isinstance(value, str) and ("{{" in value or "{%" in value or "{#" in value)


def has_template(value: Any) -> bool:
    """Return whether there is a template anywhere in `value`."""
    if isinstance(value, Mapping):
        return any(has_template(each) for each in value.values())
    if isinstance(value, list | tuple):
        return any(has_template(each) for each in value)
    return is_template(value)


def truth(value: Any) -> bool:
    """Return whether a template's result counts as true, as conditions take it."""
    if isinstance(value, str):
        return value.strip().lower() in ("true", "yes", "on", "enable", "1")
    return bool(value)


def as_native(text: str) -> Any:
    """Return what a text reads like: a number, true or false, None, a list or a mapping; else the text."""
    text = text.strip()
    if NUMBER.match(text) and not re.match(r"[+-]?0\d", text):
        return float(text) if re.search(r"[.eE]", text) else int(text)
    if text in ("True", "False", "None"):
        return {"True": True, "False": False, "None": None}[text]
    if text[:1] + text[-1:] in ("[]", "{}", "()"):
        try:
            return literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return text
    return text


class StatesOf:
    """`states('sensor.x')`, `states.sensor.x.state`, `states.sensor`: what templates read entities by."""

    for_templates = True

    def __init__(
        self, read: Callable[[str], State | None], every: Callable[[str], Iterable[State]], prefix: str = ""
    ) -> None:
        self._read = read
        self._every = every
        self._prefix = prefix

    def __iter__(self) -> Iterator[State]:
        """Go through every state, or those of a domain, by entity."""
        return iter(self._every(self._prefix))

    def __call__(self, entity_id: str, rounded: bool = False, with_unit: bool = False) -> str:
        """Return an entity's state; `unknown` where there is no such entity. `rounded` has no meaning here."""
        found = self._read(str(entity_id))
        if found is None:
            return "unknown"
        unit = found.attributes.get("unit_of_measurement") if with_unit else None
        return f"{found.state} {unit}" if unit else found.state

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in JINJA_ASKS:
            raise AttributeError(name)
        if "." in name:
            return self._read(name) or Undefined(name=name)
        if not self._prefix:
            return StatesOf(self._read, self._every, f"{name}.")
        return self._read(self._prefix + name) or Undefined(name=self._prefix + name)

    def __getitem__(self, name: Any) -> Any:
        return self.__getattr__(str(name))


class Templates:
    """Renders templates, on states read by `read` at the time that `now` tells; `strict`: what is undefined is wrong.

    `every` gives all states. What was read by the last rendering is in `read_entities` (`light.*` where it was all of
    a domain, `*` where all) and `read_time`.
    """

    def __init__(
        self,
        read: Callable[[str], State | None],
        now: Callable[[], datetime],
        every: Callable[[], Collection[State]] = tuple,
        *,
        strict: bool = False,
    ) -> None:
        self.read_entities: set[str] = set()
        self.read_time = False
        self._read = read
        self._now = now
        self._every = every
        self._states = StatesOf(self._look, self._look_at_all)
        self._sandbox = Sandbox()
        if strict:
            self._sandbox.undefined = StrictUndefined
        self._compiled: OrderedDict[str, Any] = OrderedDict()
        self._sandbox.globals.update(self._functions())
        self._sandbox.filters.update({name: self._sandbox.guarded(each) for name, each in self._filters().items()})
        self._sandbox.filters["join"] = self._sandbox.joined
        self._sandbox.filters["replace"] = self._sandbox.replaced
        functions = self._functions()
        self._sandbox.tests.update({name: functions[name] for name in ("is_state", "is_state_attr", "has_value")})
        self._sandbox.tests.update({"contains": lambda whole, part: part in whole, "is_number": is_number,
                                    "list": lambda value: isinstance(value, list)})  # fmt: skip

    def check(self, source: str) -> str:
        """Return what is wrong with a template, "" where it can be read."""
        try:
            self._template(source)
        except TemplateError as error:
            line = getattr(error, "lineno", 0)
            return f"{error}" + (f" (line {line} of the template)" if line > 1 else "")
        except FAILURES as error:
            return str(template_error(error))
        return ""

    def render(self, source: Any, variables: Mapping[str, Any]) -> Any:
        """Return what a template gives, as native data; lists and mappings are rendered within. Raises `MynahError`."""
        if isinstance(source, Mapping):
            return {key: self.render(value, variables) for key, value in source.items()}
        if isinstance(source, list | tuple):
            return [self.render(value, variables) for value in source]
        return as_native(self.text(source, variables)) if is_template(source) else source

    def text(self, source: str, variables: Mapping[str, Any]) -> str:
        """Return what a template gives, as text. Raises `MynahError`."""
        self.read_entities, self.read_time = set(), False
        try:
            template = self._template(source)
            self._sandbox.budget = Budget(len(source))
            return "".join(template.root_render_func(template.new_context(dict(variables)))).strip()
        except FAILURES as error:
            shown = source if len(source) <= 60 else source[:59] + "…"
            raise MynahError(f"the template {shown!r}: {template_error(error)}") from None

    def _template(self, source: str) -> Any:
        found = self._compiled.get(source)
        if found is None:
            found = self._compiled[source] = self._sandbox.compiled(source)
            if len(self._compiled) > KEPT:
                self._compiled.popitem(last=False)
        return found

    # ------------------------------------------------------------ what templates know

    def _look(self, entity_id: str) -> State | None:
        self.read_entities.add(entity_id)
        return self._read(entity_id)

    def _look_at_all(self, prefix: str) -> list[State]:
        self.read_entities.add(f"{prefix}*")
        every = self._every()
        self._sandbox.budget.spend(len(every))
        return [state for state in every if state.entity_id.startswith(prefix)]

    def _expand(self, *entities: Any) -> list[State]:
        found: list[State] = []
        for each in entities:
            if isinstance(each, State):
                found.append(each)
            elif isinstance(each, str):
                found += filter(None, [self._look(each)])
            else:
                found += self._expand(*each)
            if len(found) > ENTRIES:
                raise TooMuch(f"a list of more than {ENTRIES:,} entries")
        return found

    def _time(self) -> datetime:
        self.read_time = True
        return self._now()

    def _functions(self) -> dict[str, Any]:
        def is_state(entity_id: str, value: Any) -> bool:
            found = self._look(str(entity_id))
            return found is not None and (found.state in value if isinstance(value, list) else found.state == value)

        def state_attr(entity_id: str, name: str) -> Any:
            found = self._look(str(entity_id))
            return found.attributes.get(name) if found else None

        def has_value(entity_id: str) -> bool:
            found = self._look(str(entity_id))
            return found is not None and found.state not in ("unknown", "unavailable")

        def today_at(text: str = "0:00") -> datetime:
            hour, minute, *second = (int(part) for part in str(text).split(":"))
            return self._time().replace(hour=hour, minute=minute, second=second[0] if second else 0, microsecond=0)

        return {
            "states": self._states,
            "expand": self._expand,
            "is_state": is_state,
            "state_attr": state_attr,
            "is_state_attr": lambda entity_id, name, value: state_attr(entity_id, name) == value,
            "has_value": has_value,
            "now": self._time,
            "utcnow": lambda: self._time().astimezone(UTC),
            "today_at": today_at,
            "as_timestamp": self._as_timestamp,
            "as_datetime": self._as_datetime,
            "timedelta": lambda **parts: timedelta(**parts),
            "as_timedelta": as_timedelta,
            "slugify": slugify,
            "float": as_float,
            "int": as_int,
            "bool": truth,
            "min": lambda *values: min(*values),
            "max": lambda *values: max(*values),
            "iif": iif,
            "is_number": is_number,
        }

    def _filters(self) -> dict[str, Any]:
        return {
            "float": as_float,
            "int": as_int,
            "bool": truth,
            "round": rounded,
            "sum": lambda values, start=0: sum((as_float(value) for value in values), start),
            "average": lambda values: sum(map(as_float, values)) / len(values),
            "iif": iif,
            "add": lambda value, other: as_float(value) + other,
            "multiply": lambda value, other: as_float(value) * other,
            "is_number": is_number,
            "to_json": lambda value: json.dumps(value, ensure_ascii=False, default=str),
            "tojson": lambda value: json.dumps(value, ensure_ascii=False, default=str),
            "from_json": json.loads,
            "as_timestamp": self._as_timestamp,
            "as_datetime": self._as_datetime,
            "as_local": lambda value: self._as_datetime(value).astimezone(self._now().tzinfo),
            "timestamp_custom": lambda value, form="%Y-%m-%d %H:%M:%S", local=True: self._shown(value, form, local),
            "timestamp_local": lambda value: self._as_datetime(value).astimezone(self._now().tzinfo).isoformat(),
            **{name: self._functions()[name] for name in ("has_value", "is_state", "state_attr", "is_state_attr")},
            "states": self._states.__call__,
            "expand": self._expand,
            "as_timedelta": as_timedelta,
            "slugify": slugify,
            "format": formatted,
            "random": lambda values: random.choice(list(values)),  # which words are said is no secret
        }

    def _shown(self, value: Any, form: str, local: bool) -> str:
        if len(form) > 100:
            raise ValueError("a format has at most 100 characters")
        return self._as_datetime(value).astimezone(self._now().tzinfo if local else UTC).strftime(form)

    def _as_datetime(self, value: Any) -> datetime:
        if isinstance(value, datetime):
            return value
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, self._now().tzinfo)
        found = datetime.fromisoformat(str(value))
        return found if found.tzinfo else found.replace(tzinfo=self._now().tzinfo)

    def _as_timestamp(self, value: Any, default: Any = MISSING) -> Any:
        try:
            return self._as_datetime(value).timestamp()
        except (ValueError, OverflowError, OSError):
            if default is MISSING:
                raise
            return default
