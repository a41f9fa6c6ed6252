"""Tools that come with the hub: the time of day, the loudspeaker's volume, silence, and announcements."""

from __future__ import annotations

from collections.abc import Iterable

from mynah import ToolSpec, hookimpl
from mynah_tools import actions, config


@hookimpl
def mynah_tools() -> Iterable[ToolSpec]:
    """Declare the tools."""
    yield ToolSpec(
        name="time_of_day",
        run=actions.time_of_day,
        description="The local time, date and weekday. Use it for every question about now, today or tomorrow.",
    )
    yield ToolSpec(
        name="volume",
        run=actions.volume,
        schema=config.VOLUME,
        description="Read or set how loud you are heard. Give nothing to read it, `percent` to set it, or `change` "
        "to make it louder or quieter; 15 is a clear step.",
    )
    yield ToolSpec(
        name="stop",
        run=actions.stop,
        description="Be silent at once and say nothing more, when the person wants quiet.",
    )
    yield ToolSpec(
        name="announce",
        run=actions.announce,
        schema=config.ANNOUNCE,
        description="Have a text spoken aloud by other loudspeakers of the house.",
    )
