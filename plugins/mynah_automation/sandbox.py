"""Jinja2 within bounds: a template reaches nothing of Python, and ends soon, with a result of bounded size.

Whatever a template makes is measured where it is made: lists and mappings, texts put together, what is printed, every
step of a loop and every call. So nothing large exists at any moment, and what takes time is counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from datetime import time as time_of_day
from functools import wraps
from typing import Any, Final

from jinja2 import nodes, pass_context
from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace

from mynah import MynahError, State

SOURCE_CHARS: Final = 8_000
TEXT_CHARS: Final = 32_768
ENTRIES: Final = 10_000
WORK: Final = 2_000_000
"""What one rendering may cost: characters made or read, and for each step of a loop the length of the template."""

SECONDS: Final = 1.0
BITS: Final = 1_024

TEXT_METHODS: Final = frozenset(
    """capitalize count endswith find index isalpha isdigit isnumeric lower lstrip removeprefix removesuffix replace
    rfind rstrip split splitlines startswith strip title upper""".split()  # noqa: SIM905  # read by people
)
LIST_METHODS: Final = frozenset(("index", "count"))
MAPPING_METHODS: Final = frozenset(("get", "items", "keys", "values"))
FILTERS: Final = frozenset(
    """abs capitalize d default dictsort first groupby items last length count list lower map max min reject rejectattr
    reverse select selectattr sort string title trim truncate unique upper urlencode wordcount""".split()  # noqa: SIM905  # the same
)
TEMPORAL: Final = (date, time_of_day, timedelta, tzinfo)


OF_STATES: Final[Mapping[str, Callable[[State], Any]]] = {
    "domain": lambda state: state.entity_id.partition(".")[0],
    "object_id": lambda state: state.entity_id.partition(".")[2],
    "name": lambda state: state.attributes.get("friendly_name") or state.entity_id.partition(".")[2].replace("_", " "),
    "last_changed": lambda state: datetime.fromtimestamp(state.last_changed, UTC),
    "last_updated": lambda state: datetime.fromtimestamp(state.last_updated, UTC),
}


class TooMuch(Exception):
    """A template makes or does more than it may."""


class Budget:
    """What one rendering has left."""

    __slots__ = ("_deadline", "_left", "step")

    def __init__(self, step: int = 1) -> None:
        self.step = step
        self._left = WORK
        self._deadline = time.perf_counter() + SECONDS

    def spend(self, amount: int) -> None:
        """Take `amount` and a step. Raises `TooMuch` where nothing is left."""
        self._left -= amount + 1
        if self._left < 0:
            raise TooMuch("the template does too much; is there a loop in a loop?")
        if time.perf_counter() > self._deadline:
            raise TooMuch(f"the template took more than {SECONDS:g} s")


def measured(value: Any, budget: Budget) -> Any:
    """Return `value` after counting what is in it. Raises `TooMuch` where that is too much."""
    if isinstance(value, str):
        if len(value) > TEXT_CHARS:
            raise TooMuch(f"a text of more than {TEXT_CHARS:,} characters")
        budget.spend(len(value))
    elif isinstance(value, int):
        if value.bit_length() > BITS:
            raise TooMuch("a number that large")
    elif isinstance(value, Mapping | list | tuple | set | frozenset):
        _count(value, budget, 0, 0)
    return value


def _count(value: Any, budget: Budget, entries: int, depth: int) -> int:
    if isinstance(value, str):
        budget.spend(len(value))
        return entries
    if not isinstance(value, Mapping | list | tuple | set | frozenset):
        return entries
    if depth > 20:
        raise TooMuch("lists nested that deep")
    budget.spend(len(value))
    for each in (*value, *value.values()) if isinstance(value, Mapping) else value:
        entries = _count(each, budget, entries + 1, depth + 1)
        if entries > ENTRIES:
            raise TooMuch(f"a list of more than {ENTRIES:,} entries")
    return entries


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox with its limits; `budget` is that of the rendering under way."""

    intercepted_binops = frozenset(("*", "**", "+", "%"))

    def __init__(self) -> None:
        self.budget = Budget()
        super().__init__(finalize=self._print, cache_size=0)
        self.filters = {name: self.guarded(each) for name, each in self.filters.items() if name in FILTERS}
        self.filters["counted__"] = self._count_steps
        self.filters["measured__"] = pass_context(lambda context, value: measured(value, self.budget))
        self.filters["joined__"] = pass_context(lambda context, parts: self._join(parts))
        for name in ("lipsum", "cycler", "joiner"):
            self.globals.pop(name, None)
        self.globals["range"] = self._range

    # ------------------------------------------------------------ making templates

    def compiled(self, source: str) -> Any:
        """Return the template. Raises jinja2's `TemplateSyntaxError`, `TooMuch`, `RecursionError`."""
        if len(source) > SOURCE_CHARS:
            raise TooMuch(f"a template has at most {SOURCE_CHARS:,} characters")
        self.budget = Budget()
        tree = self.parse(source)
        for loop in tree.find_all(nodes.For):
            loop.iter = _filtered(loop.iter, "counted__")
        for block in tree.find_all((nodes.AssignBlock, nodes.FilterBlock)):
            vars(block)["filter"] = _filtered(vars(block)["filter"], "measured__")
        _replace(tree)
        return self.from_string(tree)

    def guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function` so that what it is given and what it gives are measured."""
        skipped = 1 if hasattr(function, "jinja_pass_arg") else 0  # jinja2's own context

        @wraps(function)
        def guard(*args: Any, **kwargs: Any) -> Any:
            for value in (*args[skipped:], *kwargs.values()):
                measured(value, self.budget)
            result = function(*args, **kwargs)
            return result if isinstance(result, Iterator) else measured(result, self.budget)

        return guard

    # ------------------------------------------------------------ what templates do

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an attribute; those of a state are as Home Assistant has them."""
        if isinstance(obj, State) and attribute in OF_STATES:
            return OF_STATES[attribute](obj)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an entry; of a state an attribute, as filters ask for it."""
        return self.getattr(obj, argument) if isinstance(obj, State) else super().getitem(obj, argument)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # as jinja2 has it
        """Call something that may be called."""
        budget = __self.budget
        budget.spend(budget.step)
        for value in (*args, *kwargs.values()):
            measured(value, budget)
        text = getattr(__obj, "__self__", None)
        if isinstance(text, str) and getattr(__obj, "__name__", "") == "replace":
            return __self.replaced(text, *args)
        return measured(super().call(__context, __obj, *args, **kwargs), budget)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Calculate, unless the result would be too large."""
        if operator == "%" and isinstance(left, str):
            raise TooMuch("texts are not formatted by %; put them together by ~")
        if operator == "**":
            if not all(isinstance(each, int | float) for each in (left, right)):
                raise TooMuch("** is for numbers")
            if isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > BITS:
                raise TooMuch("a number that large")
        if operator == "*":
            for one, other in ((left, right), (right, left)):
                if isinstance(one, str | list | tuple) and isinstance(other, int) and len(one) * other > ENTRIES:
                    raise TooMuch("a text or list repeated that often")
        if operator == "+" and all(isinstance(each, str | list | tuple) for each in (left, right)):
            self.budget.spend(len(left) + len(right))
        return measured(super().call_binop(context, operator, left, right), self.budget)

    def wrap_str_format(self, value: Any) -> None:
        """Have `format` be no exception: a width in it makes a text of any length."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may have this attribute: what is not known to be harmless is not."""
        if attr.startswith("_"):
            return False
        if isinstance(obj, str):
            return attr in TEXT_METHODS
        if isinstance(obj, Mapping):
            return attr in MAPPING_METHODS
        if isinstance(obj, list | tuple):
            return attr in LIST_METHODS
        plain = (State, *TEMPORAL, LoopContext, Namespace, Macro, Cycler, Joiner)
        return isinstance(obj, plain) or bool(getattr(obj, "for_templates", False))

    def is_safe_callable(self, obj: Any) -> bool:
        """Whether a template may call this; nothing that is a class but `dict` and `namespace`."""
        if isinstance(obj, type):
            return obj in (dict, Namespace)
        return super().is_safe_callable(obj)

    def replaced(self, text: str, old: Any, new: Any = "", count: Any = -1) -> str:
        """Return `text` with `old` replaced, unless it would become too long."""
        old, new = str(old), str(new)
        measured(text, self.budget)
        found = text.count(old)
        if len(text) + found * max(len(new) - len(old), 0) > TEXT_CHARS:
            raise TooMuch(f"a text of more than {TEXT_CHARS:,} characters")
        return text.replace(old, new, int(count))

    def joined(self, parts: Iterable[Any], between: Any = "", attribute: Any = None) -> str:
        """Return `parts` as one text."""
        texts: list[str] = []
        for part in parts:
            value = self.getitem(part, attribute) if attribute is not None else part
            texts += [str(between)] * bool(texts) + [str(measured(value, self.budget))]
        return self._join(texts)

    def _join(self, parts: Iterable[Any]) -> str:
        texts = [str(measured(part, self.budget)) for part in parts]
        if sum(map(len, texts)) > TEXT_CHARS:
            raise TooMuch(f"a text of more than {TEXT_CHARS:,} characters")
        return "".join(texts)

    @staticmethod
    def _range(*args: Any) -> range:
        found = range(*args)
        if len(found) > ENTRIES:
            raise TooMuch(f"a range of more than {ENTRIES:,}")
        return found

    def _print(self, value: Any) -> Any:
        measured(value, self.budget)
        text = str(value)
        self.budget.spend(len(text))
        return text

    @pass_context
    def _count_steps(self, context: Any, values: Iterable[Any]) -> Any:
        if isinstance(values, Undefined):
            return values
        return self._steps(values)

    def _steps(self, values: Iterable[Any]) -> list[Any]:
        # A list, as `loop.length` and `loop.last` need to know how many there are.
        steps = list(measured(values, self.budget))
        for _ in steps:
            self.budget.spend(self.budget.step)
        return steps


def _filtered(node: Any, name: str) -> Any:
    return nodes.Filter(node, name, [], [], None, None)


def _replace(node: nodes.Node) -> None:
    """Have what is put together measured: `~`, and lists and mappings that are written out."""
    for name, value in node.iter_fields():
        if isinstance(value, list):
            for index, each in enumerate(value):
                if isinstance(each, nodes.Node):
                    _replace(each)
                    value[index] = _measuring(each)
        elif isinstance(value, nodes.Node):
            _replace(value)
            setattr(node, name, _measuring(value))


def _measuring(node: nodes.Node) -> Any:
    if isinstance(node, nodes.Concat):
        return _filtered(nodes.List(node.nodes), "joined__")
    literal = isinstance(node, nodes.List | nodes.Dict) or (isinstance(node, nodes.Tuple) and node.ctx == "load")
    return _filtered(node, "measured__") if literal else node


def template_error(error: BaseException) -> MynahError:
    """Return a template's failure in words for people."""
    if isinstance(error, RecursionError):
        return MynahError("the template calls itself without end")
    text = (str(error) or type(error).__name__).replace("'dict object' has no attribute", "there is no")
    return MynahError(text if isinstance(error, TooMuch) or "\n" not in text else text.splitlines()[0])
