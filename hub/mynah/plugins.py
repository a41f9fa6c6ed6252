"""The loader: finds plugins, loads each by itself, and collects what they declare.

A plugin that does not import, has a misspelt hook, declares what cannot be used or takes a name that is taken is
reported in `Plugins.problems` with its reason; the others run.
"""

from __future__ import annotations

import importlib.util
import inspect
import logging
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import Distribution, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pluggy

from mynah import hookspecs
from mynah.automation import ActionSpec, ConditionSpec, IntentSpec, TriggerSpec
from mynah.config.schema import CORE_NAMES
from mynah.errors import PluginError
from mynah.specs import (
    ENGINE_KINDS,
    BenchmarkSpec,
    CommandSpec,
    ComponentSpec,
    EngineSpec,
    PersonaSpec,
    RouteSpec,
    Spec,
    ToolSpec,
)

log = logging.getLogger(__name__)
GROUP = "mynah.plugins"
HOOKS: Final[dict[str, type[Any]]] = {
    "mynah_components": ComponentSpec,
    "mynah_engines": EngineSpec,
    "mynah_personas": PersonaSpec,
    "mynah_routes": RouteSpec,
    "mynah_commands": CommandSpec,
    "mynah_tools": ToolSpec,
    "mynah_triggers": TriggerSpec,
    "mynah_conditions": ConditionSpec,
    "mynah_actions": ActionSpec,
    "mynah_intents": IntentSpec,
    "mynah_benchmarks": BenchmarkSpec,
}
"""Each hook and what it gives."""

Source = tuple[str, Callable[[], ModuleType]]


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """One plugin and what it declares; `error` says why it cannot be used."""

    name: str
    origin: str
    specs: tuple[Spec, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Plugins:
    """Every plugin that was found, sorted by name."""

    loaded: tuple[LoadedPlugin, ...] = ()
    disabled: tuple[str, ...] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        """Every plugin that was found, disabled ones too."""
        return tuple(sorted({*(plugin.name for plugin in self.loaded), *self.disabled}))

    @property
    def specs(self) -> tuple[Spec, ...]:
        """Everything that was declared, in the order of the plugins' names."""
        return tuple(spec for plugin in self.loaded for spec in plugin.specs)

    @property
    def problems(self) -> tuple[LoadedPlugin, ...]:
        """The plugins that cannot be used."""
        return tuple(plugin for plugin in self.loaded if plugin.error)

    @property
    def engines(self) -> tuple[EngineSpec, ...]:
        """Every engine that can be configured."""
        return tuple(spec for spec in self.specs if isinstance(spec, EngineSpec))

    @property
    def components(self) -> tuple[ComponentSpec, ...]:
        """Every component."""
        return tuple(spec for spec in self.specs if isinstance(spec, ComponentSpec))

    def renewing(self, personas: Collection[str]) -> tuple[ComponentSpec, ...]:
        """Return the components that renew what these personas know."""
        return tuple(
            spec
            for plugin in self.loaded
            if any(isinstance(spec, PersonaSpec) and spec.renewable and spec.name in personas for spec in plugin.specs)
            for spec in plugin.specs
            if isinstance(spec, ComponentSpec)
        )

    @property
    def personas(self) -> tuple[PersonaSpec, ...]:
        """Every persona that plugins bring."""
        return tuple(spec for spec in self.specs if isinstance(spec, PersonaSpec))

    @property
    def routes(self) -> tuple[RouteSpec, ...]:
        """Every HTTP route."""
        return tuple(spec for spec in self.specs if isinstance(spec, RouteSpec))

    @property
    def commands(self) -> tuple[CommandSpec, ...]:
        """Every command that plugins add."""
        return tuple(spec for spec in self.specs if isinstance(spec, CommandSpec))

    @property
    def tools(self) -> tuple[ToolSpec, ...]:
        """What language models may do."""
        return tuple(spec for spec in self.specs if isinstance(spec, ToolSpec))

    @property
    def intents(self) -> tuple[IntentSpec, ...]:
        """Who may answer before a language model is asked."""
        return tuple(spec for spec in self.specs if isinstance(spec, IntentSpec))

    @property
    def benchmarks(self) -> tuple[BenchmarkSpec, ...]:
        """The scenarios that plugins add to `mynah bench`."""
        return tuple(spec for spec in self.specs if isinstance(spec, BenchmarkSpec))


def load_plugins(disabled: Iterable[str] = (), folder: Path | None = None) -> Plugins:
    """Load every installed plugin but those `disabled`, and each `*.py` file in `folder`."""
    off = frozenset(disabled)
    found: dict[str, list[Source]] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, []).append((f"{point.value} ({_distribution(point.dist)})", point.load))
    for file in sorted(folder.glob("*.py")) if folder else ():
        found.setdefault(file.stem, []).append((str(file), lambda file=file: _import_file(file)))  # type: ignore[misc]  # bound
    loaded = [plugin for name in sorted(found.keys() - off) for plugin in _load_all(name, found[name])]
    return Plugins(tuple(_without_conflicts(loaded)), tuple(sorted(off & found.keys())))


@cache
def _distribution(distribution: Distribution | None) -> str:
    """Return name and version; its metadata is read each time that one asks, and many plugins come from one."""
    return f"{distribution.name} {distribution.version}" if distribution else "unknown distribution"


def _import_file(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"mynah_folder_plugin_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickle look their module up by its name.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(spec.name, None)
        raise
    return module


def _load_all(name: str, sources: list[Source]) -> Iterator[LoadedPlugin]:
    """Load the plugin of that name; of several of one name the first is loaded, the others are refused."""
    (origin, load), *others = sorted(sources, key=lambda source: source[0])
    yield _load(name, origin, load)
    for other, _ in others:
        yield LoadedPlugin(name, other, error=f"{origin} is a plugin named {name!r} as well; rename or remove one")


def _load(name: str, origin: str, load: Callable[[], ModuleType]) -> LoadedPlugin:
    try:
        specs = tuple(_declared(name, load()))
    except PluginError as error:
        return LoadedPlugin(name, origin, error=str(error))
    except (Exception, SystemExit) as error:  # the loader's duty: one broken plugin must not stop the others
        log.debug("plugin %s failed to load", name, exc_info=True)
        return LoadedPlugin(name, origin, error=f"{type(error).__name__}: {error}")
    return LoadedPlugin(name, origin, tuple(sorted(specs, key=lambda spec: (type(spec).__name__, spec.name))))


def _declared(name: str, module: ModuleType) -> Iterator[Spec]:
    """Yield what the hooks of `module` give. Raises `PluginError` for what cannot be used."""
    # Each plugin has a manager of its own, so that what a broken one did is gone with it.
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module, name)
    manager.check_pending()
    taken: set[tuple[object, ...]] = set()
    for hook, kind in HOOKS.items():
        if inspect.isfunction(getattr(module, hook, None)) and not getattr(manager.hook, hook).get_hookimpls():
            raise PluginError(f"{hook} is not marked with @hookimpl, so that it would never be called")
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            for spec in _given(hook, implementation.function()):
                _check(hook, kind, spec)
                if _identity(spec) in taken:
                    raise PluginError(f"{_shown(spec)} is declared twice")
                taken.add(_identity(spec))
                yield spec


def _given(hook: str, given: Any) -> Iterable[Any]:
    if inspect.iscoroutine(given):
        given.close()
        raise PluginError(f"{hook} is a coroutine; hooks are plain functions, as nothing awaits them")
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise PluginError(f"{hook} returned {type(given).__name__}; it should return a list of specs, or yield them")
    return given


def _check(hook: str, kind: type[Any], spec: Any) -> None:
    if not isinstance(spec, kind):
        raise PluginError(f"{hook} gave {type(spec).__name__} where {kind.__name__} is expected")
    if not isinstance(spec.name, str) or not spec.name:
        raise PluginError(f"{hook} gave {kind.__name__} with the name {spec.name!r}; a name is text")
    if isinstance(spec, EngineSpec) and spec.kind not in ENGINE_KINDS:
        raise PluginError(f"engine {spec.name!r} is of kind {spec.kind!r}; known are {', '.join(ENGINE_KINDS)}")
    if isinstance(spec, ComponentSpec):
        for name in (spec.name, *spec.sections):
            if name in CORE_NAMES:
                raise PluginError(f"a component cannot be named {name!r}: the core has a section of that name")


def _without_conflicts(plugins: list[LoadedPlugin]) -> Iterator[LoadedPlugin]:
    """Refuse a plugin that declares a name which an earlier one has, naming both."""
    taken: dict[tuple[object, ...], LoadedPlugin] = {}
    for plugin in plugins:
        clash = next((spec for spec in plugin.specs if _identity(spec) in taken), None)
        if clash is None:
            taken.update((_identity(spec), plugin) for spec in plugin.specs)
            yield plugin
        else:
            first = taken[_identity(clash)].name
            error = f"{_shown(clash)} is declared by plugin {first!r} as well; disable one of them"
            yield LoadedPlugin(plugin.name, plugin.origin, error=error)


def _identity(spec: Spec) -> tuple[object, ...]:
    if isinstance(spec, EngineSpec):
        return ("engine", spec.kind, spec.name)
    if isinstance(spec, RouteSpec):
        return ("route", spec.method, spec.path)
    return (type(spec).__name__.removesuffix("Spec").lower(), spec.name)


def _shown(spec: Spec) -> str:
    return " ".join(str(part) for part in _identity(spec))
