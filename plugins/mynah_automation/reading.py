"""From YAML to triggers, conditions and actions: each is checked by the schema of its spec, and told by its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import voluptuous as vol

from mynah import ActionSpec, ConditionSpec, MynahError, Nested, Problem, TriggerSpec, checked
from mynah_automation.elements import Action, Actions, Condition, Conditions, Template, Trigger, Triggers
from mynah_automation.names import Names, suggestion
from mynah_automation.templates import Templates, has_template, is_template, truth

Path = tuple[str | int, ...]
S = TypeVar("S", TriggerSpec, ConditionSpec, ActionSpec)
Spec = TriggerSpec | ConditionSpec | ActionSpec
TRIGGER_KEYS: Final = ("trigger", "platform", "id", "alias", "enabled", "variables")
CONDITION_KEYS: Final = ("condition", "alias", "enabled")
ACTION_KEYS: Final = ("alias", "enabled", "continue_on_error", "response_variable")
COMMON: Final = {
    vol.Optional("alias"): str,
    vol.Optional("enabled", default=True): bool,
    vol.Optional("continue_on_error", default=False): bool,
    vol.Optional("response_variable", default=""): str,
    vol.Optional("id", default=""): vol.Coerce(str),
    vol.Optional("variables", default=dict): dict,
}
DEEPEST: Final = 20
OF_KEYS: Final = ("unknown key", "is missing", "may be given", "belong together")
"""How complaints about keys end: whatever the templates give, the keys are as they stand in the file."""


class Reader:
    """Reads parts of automations by the specs that plugins declare; what is wrong is noted in `problems`."""

    def __init__(self, specs: Sequence[object], templates: Templates, names: Names) -> None:
        self.problems: list[Problem] = []
        self._names = names
        self.templates = templates
        self._triggers = {spec.name: spec for spec in specs if isinstance(spec, TriggerSpec)}
        self._conditions = {spec.name: spec for spec in specs if isinstance(spec, ConditionSpec)}
        self._actions = {spec.name: spec for spec in specs if isinstance(spec, ActionSpec)}
        self._root: Path = ()
        self._given: Mapping[str, Any] = {}

    def at(self, root: Path) -> Reader:
        """Have places in traces begin after `root`; return self."""
        self._root = root
        return self

    def know(self, given: Mapping[str, Any]) -> None:
        """Have what is read know these variables where its templates are rendered once."""
        self._given = given

    # ------------------------------------------------------------ the three kinds

    def triggers(self, raw: Any, where: Path, given: Mapping[str, Any] | None = None) -> Triggers:
        """Read one trigger or a list of them; `given` are the variables of their templates, where those are known."""
        found: list[Trigger | None] = []
        for each, path in self._each(raw, where):
            if isinstance(each, Mapping) and each.keys() == {"triggers"}:  # a list in a list, as blueprints give it
                found += self.triggers(each["triggers"], (*path, "triggers"), given).items
            else:
                found.append(self._trigger(each, path, given))
        return Triggers(tuple(each for each in found if each))

    def conditions(self, raw: Any, where: Path) -> Conditions:
        """Read one condition or a list of them."""
        found = (self._condition(each, path) for each, path in self._each(raw, where))
        return Conditions(tuple(each for each in found if each))

    def actions(self, raw: Any, where: Path) -> Actions:
        """Read one action or a list of them."""
        found = (self._action(each, path) for each, path in self._each(raw, where))
        return Actions(tuple(each for each in found if each))

    def _each(self, raw: Any, where: Path) -> Iterator[tuple[Any, Path]]:
        if len(where) - len(self._root) > 3 * DEEPEST:
            self._complain(where, "nested too deep")
        elif isinstance(raw, list):
            for index, each in enumerate(raw):
                yield each, (*where, index)
        elif raw is not None:
            yield raw, where

    def _trigger(self, raw: Any, where: Path, given: Mapping[str, Any] | None) -> Trigger | None:
        if not isinstance(raw, Mapping):
            self._complain(where, "expected a trigger such as {trigger: time, at: '11:30'}")
            return None
        name = raw.get("trigger", raw.get("platform"))
        spec = self._named(self._triggers, name, where, "trigger")
        common = self._common(raw, ("id", "alias", "enabled", "variables"), where)
        if spec is None or common is None or not common["enabled"]:
            return None
        own = {key: value for key, value in raw.items() if key not in TRIGGER_KEYS}
        if has_template(own.get("for")):  # it is rendered when it counts
            own["for"] = self._read_nested("template", own["for"], (*where, "for"))
        self._check_templates(common["variables"], (*where, "variables"))
        config, dynamic = self._fits(spec, own, where, given)
        if config is None:
            return None
        return Trigger(spec, config, self._place(where), common["id"], common.get("alias", ""), common["variables"],
                       dynamic)  # fmt: skip

    def _condition(self, raw: Any, where: Path) -> Condition | None:
        if is_template(raw):
            raw = {"condition": "template", "value_template": raw}
        if not isinstance(raw, Mapping):
            self._complain(where, "expected a condition such as {condition: state, entity_id: …, state: …}")
            return None
        if is_template(raw.get("condition")):
            rest = {key: value for key, value in raw.items() if key != "condition"}
            raw = {"condition": "template", "value_template": raw["condition"], **rest}
        if "condition" not in raw:
            for name in ("and", "or", "not"):
                if name in raw:
                    rest = {key: value for key, value in raw.items() if key != name}
                    raw = {"condition": name, "conditions": raw[name], **rest}
                    break
        spec = self._named(self._conditions, raw.get("condition"), where, "condition")
        common = self._common(raw, ("alias", "enabled"), where)
        if spec is None or common is None or not common["enabled"]:
            return None
        own = {key: value for key, value in raw.items() if key not in CONDITION_KEYS}
        config, dynamic = self._fits(spec, own, where)
        if config is None:
            return None
        return Condition(spec, config, self._place(where), dynamic, common.get("alias", ""))

    def _action(self, raw: Any, where: Path) -> Action | None:
        if is_template(raw) or (isinstance(raw, Mapping) and raw.keys() & {"condition", "and", "or", "not"}):
            condition = Conditions(tuple(each for each in (self._condition(raw, where),) if each))
            alias = raw.get("alias", "") if isinstance(raw, Mapping) else ""
            return Action(self._actions["condition"], {"condition": condition}, self._place(where), alias=str(alias))
        if not isinstance(raw, Mapping):
            self._complain(where, "expected an action such as {say: {where: …, text: …}}")
            return None
        name, own, path = self._named_action(raw, where)
        spec = self._named(self._actions, name, where, "action")
        common = self._common(raw, ACTION_KEYS, where)
        if spec is None or common is None or not common["enabled"] or own is None:
            return None
        data, dynamic = self._fits(spec, own, path)
        if data is None:
            return None
        return Action(spec, data, self._place(where), dynamic, common.get("alias", ""), common["continue_on_error"],
                      common["response_variable"])  # fmt: skip

    def _named_action(self, raw: Mapping[str, Any], where: Path) -> tuple[Any, dict[str, Any] | None, Path]:
        """Return the action's name, its data, and where they stand."""
        rest = {key: value for key, value in raw.items() if key not in ACTION_KEYS}
        for form in ("action", "service"):
            if form in rest:
                return self._of_script(rest[form], self._long(rest, form, where), (*where, "data"))
        name = next((key for key in rest if key in self._actions), next(iter(rest), None))
        if name is not None and _is_script(name) and name not in self._actions:
            return self._of_script(name, dict(rest[name] or {}), (*where, name))
        if name == "stop" and "response_variable" in raw:  # here it names what is given, not what is taken
            rest["response_variable"] = raw["response_variable"]
        spec = self._actions.get(str(name))
        if spec is None:
            return name, None, where
        if any(str(key) == spec.name for key in spec.schema):
            return name, rest, where
        value = rest.pop(spec.name)
        for key in rest:
            self._complain((*where, key), "unknown key", f"what {spec.name} takes stands below it")
        if isinstance(value, Mapping):
            return name, dict(value), (*where, spec.name)
        if value is None or value == "":
            return name, {}, (*where, spec.name)
        if not spec.short:
            self._complain((*where, spec.name), f"expected a mapping of what {spec.name} takes")
            return name, None, where
        return name, {spec.short: value}, (*where, spec.name)

    def _of_script(self, name: Any, data: dict[str, Any] | None, path: Path) -> tuple[Any, dict[str, Any] | None, Path]:
        """Return a call of `script.NAME` as one of `script`."""
        if not _is_script(name) or name in self._actions or data is None:
            return name, data, path
        return "script", {"name": name.partition(".")[2], "variables": data}, path

    def _long(self, rest: dict[str, Any], form: str, where: Path) -> dict[str, Any] | None:
        parts: dict[str, Any] = {}
        for key, value in rest.items():
            if key in (form, "metadata"):  # what Home Assistant's editor keeps of its own
                continue
            if key == "entity_id":
                parts[key] = value
            elif key not in ("data", "data_template", "target"):
                self._complain((*where, key), "unknown key", "known are data, target")
            elif value is not None and not isinstance(value, Mapping):
                self._complain((*where, key), "expected a mapping")
            else:
                parts.update(value or {})
        return parts

    # ------------------------------------------------------------ what they share

    def _named(self, known: Mapping[str, S], name: Any, where: Path, kind: str) -> S | None:
        if isinstance(name, str) and name in known:
            return known[name]
        if name is None:
            self._complain(where, f"{kind!r} is missing", f"known are {', '.join(sorted(known))}")
            return None
        domain = name.partition(".")[0] if isinstance(name, str) and "." in name else ""
        if domain and not any(each.startswith(f"{domain}.") for each in known):
            self._complain(where, f"no {kind} named {name!r}", "Home Assistant's own are asked for over MQTT")
            return None
        self._complain(where, f"no {kind} named {str(name)!r}", suggestion(name, known))
        return None

    def _common(self, raw: Mapping[str, Any], keys: Sequence[str], where: Path) -> dict[str, Any] | None:
        schema = {key: value for key, value in COMMON.items() if str(key) in keys}
        given = {key: raw[key] for key in keys if key in raw}
        if is_template(given.get("enabled")):
            try:
                given["enabled"] = truth(self.templates.render(given["enabled"], self._given))
            except MynahError as error:
                self._complain((*where, "enabled"), str(error))
                return None
        value, problems = checked(schema, given, where)
        self.problems += problems
        return value  # type: ignore[no-any-return]  # what `checked` makes of a mapping

    def _fits(
        self, spec: Spec, data: dict[str, Any], where: Path, given: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any] | None, bool]:
        """Return `data` as the schema has it with its nested parts read, or as it is where it holds templates.

        Where the variables of templates are `given`, these are rendered first.
        """
        before = len(self.problems)
        nested = self._nested(spec.schema, data, where)
        self._check_templates(nested, where)
        if given is not None:
            nested = {key: self._now(each, given, (*where, key)) for key, each in nested.items()}
        value, problems = checked(spec.schema, nested, where)
        dynamic = has_template(nested)
        if dynamic:
            problems = [each for each in problems if not self._excused(each, nested, where)]
        self.problems += problems
        if len(self.problems) > before:
            return None, False
        self.problems += self._names.check(spec, nested, where)
        return (nested if dynamic else value), dynamic

    def _now(self, value: Any, given: Mapping[str, Any], where: Path) -> Any:
        """Return `value` with the templates in it rendered."""
        if not has_template(value) or any(not problem.warning for problem in self.problems):
            return value
        try:
            return self.templates.render(value, given)
        except MynahError as error:
            self._complain(where, str(error))
            return value

    @staticmethod
    def _excused(problem: Problem, data: Any, where: Path) -> bool:
        """Whether what a problem is about is a template, so that nobody knows yet what it will be."""
        if problem.message.endswith(OF_KEYS):
            return False
        for step in problem.where[len(where) :]:
            try:
                data = data[step]
            except (LookupError, TypeError):
                return False
        return has_template(data)

    def _nested(self, schema: Any, value: Any, where: Path) -> Any:
        if isinstance(schema, Nested):
            return self._read_nested(schema.kind, value, where)
        if isinstance(schema, vol.Schema):
            return self._nested(schema.schema, value, where)
        if isinstance(schema, Mapping) and isinstance(value, Mapping):
            inner = {str(key): each for key, each in schema.items()}
            other = schema.get(vol.Extra)
            return {key: self._nested(inner.get(key, other), each, (*where, key)) for key, each in value.items()}
        if isinstance(schema, list) and schema and isinstance(schema[0], Mapping | Nested) and value is not None:
            items = value if isinstance(value, list) else [value]
            return [self._nested(schema[0], each, (*where, index)) for index, each in enumerate(items)]
        return value

    def _read_nested(self, kind: str, value: Any, where: Path) -> Any:
        if value is None or kind == "template":
            self._check_templates(value, where)
            return Template(value) if isinstance(value, str) or has_template(value) else value
        read: Any = {"triggers": self.triggers, "conditions": self.conditions, "actions": self.actions}[kind]
        return read(value, where)

    def _check_templates(self, value: Any, where: Path) -> None:
        if isinstance(value, Mapping):
            for key, each in value.items():
                self._check_templates(each, (*where, key))
        elif isinstance(value, list):
            for index, each in enumerate(value):
                self._check_templates(each, (*where, index))
        elif is_template(value) and (wrong := self.templates.check(value)):
            self._complain(where, f"the template cannot be read: {wrong}")

    def _complain(self, where: Path, message: str, hint: str = "") -> None:
        self.problems.append(Problem(message, where=where, hint=hint))

    def _place(self, where: Path) -> str:
        return "/".join(str(step) for step in where[len(self._root) :])


def _is_script(name: Any) -> bool:
    return isinstance(name, str) and name.startswith("script.")
