"""The triggers that come with the hub."""

from __future__ import annotations

from mynah import TriggerSpec
from mynah_automation.triggers import (
    calendar,
    conversation,
    event,
    hub,
    mqtt,
    numeric_state,
    state,
    sun,
    template,
    time,
    time_pattern,
    webhook,
)

TRIGGERS: tuple[TriggerSpec, ...] = (
    calendar.SPEC,
    conversation.SPEC,
    event.SPEC,
    *hub.SPECS,
    mqtt.SPEC,
    numeric_state.SPEC,
    state.SPEC,
    sun.SPEC,
    template.SPEC,
    time.SPEC,
    time_pattern.SPEC,
    webhook.SPEC,
)
