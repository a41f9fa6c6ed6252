"""It is before or after sunrise or sunset, today."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import voluptuous as vol

from mynah import ConditionSpec, Run
from mynah_automation.shapes import offset
from mynah_automation.triggers.sun import EVENTS, sun_on

SCHEMA: Final = {
    vol.Optional("after", description="sunrise or sunset."): vol.In(EVENTS),
    vol.Optional("before", description="sunrise or sunset."): vol.In(EVENTS),
    vol.Optional("after_offset", default=0, description="How much later, or with a minus earlier."): offset,
    vol.Optional("before_offset", default=0, description="How much later, or with a minus earlier."): offset,
}


def holds(run: Run, config: Mapping[str, Any]) -> bool:
    """Return whether it is; with sunset in `after` and sunrise in `before` the night is meant, across midnight."""
    sides = {side: _is(run, side, config) for side in ("after", "before") if side in config}
    if config.get("after") == "sunset" and config.get("before") == "sunrise":
        return any(sides.values())
    return all(sides.values())


def _is(run: Run, side: str, config: Mapping[str, Any]) -> bool:
    now = run.house.now()
    found = sun_on(run.house, config[side], now)
    if found is None:
        return False
    at = found + timedelta(seconds=config[f"{side}_offset"])
    run.note(**{config[side]: f"{at:%H:%M:%S}"})
    return now >= at if side == "after" else now < at


SPEC: Final = ConditionSpec(name="sun", holds=holds, schema=SCHEMA, description="Before or after sunrise or sunset.")
