"""The actions that come with the hub."""

from __future__ import annotations

from mynah import ActionSpec
from mynah_automation.actions import asking, calling, control, helpers, repeating, sending, speakers, waiting

ACTIONS: tuple[ActionSpec, ...] = (
    *asking.SPECS,
    *calling.SPECS,
    *control.SPECS,
    *helpers.SPECS,
    *repeating.SPECS,
    *sending.SPECS,
    *speakers.SPECS,
    *waiting.SPECS,
)
