"""The loader: finds plugins, loads each by itself, and collects what they declare.

A plugin that does not import, has a misspelt hook or takes a name that is taken is reported in `Plugins.problems` with
its reason; the others run.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

import pluggy

from mynah import hookspecs
from mynah.specs import CommandSpec, ComponentSpec, EngineSpec, PersonaSpec, RouteSpec, Spec

log = logging.getLogger(__name__)
GROUP = "mynah.plugins"
HOOKS = tuple(name for name in vars(hookspecs) if name.startswith("mynah_"))


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


def load_plugins(disabled: Iterable[str] = (), folder: Path | None = None) -> Plugins:
    """Load every installed plugin but those `disabled`, and each `*.py` file in `folder`."""
    off = frozenset(disabled)
    found: dict[str, tuple[str, Callable[[], ModuleType]]] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        found.setdefault(point.name, (f"{point.value} ({_distribution(point)})", point.load))
    for file in sorted(folder.glob("*.py")) if folder else ():
        found.setdefault(file.stem, (str(file), lambda file=file: _import_file(file)))  # type: ignore[misc]  # bound
    loaded = [_load(name, origin, load) for name, (origin, load) in sorted(found.items()) if name not in off]
    return Plugins(tuple(_without_conflicts(loaded)), tuple(sorted(off & found.keys())))


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "unknown distribution"


def _import_file(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"mynah_folder_plugin_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _load(name: str, origin: str, load: Callable[[], ModuleType]) -> LoadedPlugin:
    # Each plugin has a manager of its own, so that what a broken one did is gone with it.
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(load(), name)
        manager.check_pending()
        specs = tuple(spec for hook in HOOKS for given in getattr(manager.hook, hook)() for spec in given)
        for spec in specs:
            if not isinstance(spec, Spec):
                return LoadedPlugin(name, origin, error=f"a hook returned {type(spec).__name__}, which is no spec")
    except Exception as error:  # the loader's duty: one broken plugin must not stop the others
        log.debug("plugin %s failed to load", name, exc_info=True)
        return LoadedPlugin(name, origin, error=f"{type(error).__name__}: {error}")
    return LoadedPlugin(name, origin, tuple(sorted(specs, key=lambda spec: (type(spec).__name__, spec.name))))


def _without_conflicts(plugins: list[LoadedPlugin]) -> Iterable[LoadedPlugin]:
    """Refuse a plugin that declares a name which an earlier one has, naming both."""
    taken: dict[tuple[object, ...], LoadedPlugin] = {}
    for plugin in plugins:
        keys = [_identity(spec) for spec in plugin.specs]
        clash = next((key for key in keys if key in taken), None)
        if clash is None:
            taken.update(dict.fromkeys(keys, plugin))
            yield plugin
        else:
            what = " ".join(str(part) for part in clash)
            error = f"{what} is declared by plugin {taken[clash].name!r} as well; disable one of them"
            yield LoadedPlugin(plugin.name, plugin.origin, error=error)


def _identity(spec: Spec) -> tuple[object, ...]:
    if isinstance(spec, EngineSpec):
        return ("engine", spec.kind, spec.name)
    if isinstance(spec, RouteSpec):
        return ("route", spec.method, spec.path)
    return (type(spec).__name__.removesuffix("Spec").lower(), spec.name)
