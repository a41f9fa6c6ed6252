"""Somebody says one of some sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import Fire, House, Stop, TriggerSpec
from mynah_automation.config import TEXT
from mynah_automation.shapes import many, one_or_many


def sentence(value: Any) -> str:
    """Return a sentence as it is. Raises `vol.Invalid` for one that cannot be read."""
    from mynah_automation.sentences import wrong

    TEXT(value)
    if problem := wrong(value):
        raise vol.Invalid(f"the sentence cannot be read: {problem}")
    return str(value)


SENTENCES: Final = one_or_many(sentence)
SCHEMA: Final = {
    vol.Required("command", description="Sentences with [optional parts], (one|other) and {slots}; or a list."): (
        SENTENCES
    ),
}


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire for each such sentence, wherever it is said."""
    stop: Stop = house.hub.parts["automation"].sentences.follow(many(config["command"]), fire)
    return stop


SPEC: Final = TriggerSpec(
    name="conversation", attach=attach, schema=SCHEMA, description="Somebody says one of some sentences."
)
