"""Checks across sections: names that must exist, names that must differ, files that must be there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mynah.config.messages import Mistake
from mynah.config.text import Sourced, closest, shown, suggest


def check_references(
    data: Mapping[str, Any],
    plugin_personas: frozenset[str],
    tools: frozenset[str],
    disabled: frozenset[str],
    folder: Path,
) -> Iterator[Mistake]:
    """Yield every mistake in how the sections of `data` refer to each other; parts of a wrong type are passed over."""
    personas = plugin_personas | {name for name, _ in _entries(data, "personas")}
    yield from _new_personas(data, plugin_personas, disabled)
    yield from _knowledge(data, folder)
    yield from _tools(data, tools)
    wanted: list[tuple[Any, tuple[str | int, ...]]] = [(data.get("persona"), ("persona",))]
    wanted += [(speaker.get("persona"), ("speakers", id, "persona")) for id, speaker in _entries(data, "speakers")]
    for name, place in wanted:
        if isinstance(name, str) and name in disabled - personas:
            yield Mistake(place, f"plugin {name!r} is disabled", "enable it, or choose another persona")
        else:
            yield from _exists(name, personas, place, "persona")
    yield from _collisions(data)
    yield from _members(data)
    yield from _plugin_folder(data, folder)


def absolute(path: str, folder: Path) -> Path:
    """Return `path`, which is relative to `folder` unless it is absolute or begins with `~`."""
    try:
        return folder / Path(path).expanduser()
    except RuntimeError:  # no home folder of that name
        return folder / path


def _new_personas(
    data: Mapping[str, Any], plugin_personas: frozenset[str], disabled: frozenset[str]
) -> Iterator[Mistake]:
    for name, persona in _entries(data, "personas"):
        if name in plugin_personas or persona.keys() & {"title", "prompt"}:
            continue
        if name in disabled:
            yield Mistake(("personas", name), f"plugin {name!r} is disabled", "enable it, or give a title or a prompt")
            continue
        near = closest(name, plugin_personas)
        meant = f"; did you mean {near!r}?" if near else ""
        hint = f"a new persona needs a title or a prompt{meant}"
        yield Mistake(("personas", name), f"no plugin has a persona named {name!r}", hint)


def _knowledge(data: Mapping[str, Any], folder: Path) -> Iterator[Mistake]:
    for name, persona in _entries(data, "personas"):
        files = persona.get("knowledge")
        for index, file in enumerate(files if isinstance(files, list) else ()):
            if isinstance(file, str) and not absolute(file, folder).is_file():
                place = ("personas", name, "knowledge", index)
                yield Mistake(place, f"there is no file {shown(file)}", _looked(file, folder))


def _tools(data: Mapping[str, Any], known: frozenset[str]) -> Iterator[Mistake]:
    for persona, entry in _entries(data, "personas"):
        tools = entry.get("tools")
        for index, name in enumerate(tools if isinstance(tools, list) else ()):
            yield from _exists(name, known, ("personas", persona, "tools", index), "tool")


def _exists(name: Any, known: frozenset[str], place: tuple[str | int, ...], what: str) -> Iterator[Mistake]:
    if isinstance(name, str) and name not in known:
        hint = suggest(name, known) if not isinstance(name, Sourced) else ""
        yield Mistake(place, f"no {what} named {shown(name)}", hint)


def _collisions(data: Mapping[str, Any]) -> Iterator[Mistake]:
    """Speakers, areas and groups are addressed by name alone, so no two of them may share one."""
    speakers = dict(_entries(data, "speakers"))
    areas: dict[str, tuple[str | int, ...]] = {}
    for id, speaker in speakers.items():
        if isinstance(area := speaker.get("area"), str):
            areas.setdefault(area, ("speakers", id, "area"))
    for area, place in areas.items():
        if area in speakers:
            yield Mistake(place, f"the area {area!r} has the name of a speaker", "rename one of them")
    for group in _groups(data):
        other = "a speaker" if group in speakers else "an area" if group in areas else ""
        if other:
            yield Mistake(("groups", group), f"the group {group!r} has the name of {other}", "rename one of them")


def _members(data: Mapping[str, Any]) -> Iterator[Mistake]:
    speakers = dict(_entries(data, "speakers"))
    areas = {speaker["area"] for speaker in speakers.values() if isinstance(speaker.get("area"), str)}
    for group, members in _groups(data).items():
        for index, member in enumerate(members):
            yield from _exists(member, frozenset(speakers) | areas, ("groups", group, index), "speaker or area")


def _plugin_folder(data: Mapping[str, Any], folder: Path) -> Iterator[Mistake]:
    plugins = data.get("plugins")
    path = plugins.get("folder") if isinstance(plugins, Mapping) else None
    if isinstance(path, str) and path and not absolute(path, folder).is_dir():
        yield Mistake(("plugins", "folder"), f"there is no folder {shown(path)}", _looked(path, folder))


def _looked(path: str, folder: Path) -> str:
    if isinstance(path, Sourced) or Path(path).is_absolute():
        return ""
    return f"it is looked for in {folder}"


def _entries(data: Mapping[str, Any], section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    entries = data.get(section)
    for name, entry in entries.items() if isinstance(entries, Mapping) else ():
        if isinstance(entry, Mapping) or entry is None:
            yield name, entry or {}


def _groups(data: Mapping[str, Any]) -> dict[str, list[Any]]:
    groups = data.get("groups")
    found = groups.items() if isinstance(groups, Mapping) else ()
    return {name: members if isinstance(members, list) else [] for name, members in found}
