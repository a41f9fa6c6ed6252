"""The conditions that come with the hub."""

from __future__ import annotations

from mynah import ConditionSpec
from mynah_automation.conditions import logic, numeric_state, state, sun, template, time, trigger

CONDITIONS: tuple[ConditionSpec, ...] = (
    *logic.SPECS,
    numeric_state.SPEC,
    state.SPEC,
    sun.SPEC,
    template.SPEC,
    time.SPEC,
    trigger.SPEC,
)
