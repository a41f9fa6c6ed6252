"""What the parrot brings to automations: a trigger, a condition and an action."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import ActionSpec, ConditionSpec, Fire, House, Run, Stop, TriggerSpec
from mynah_parrot.memory import FILE, read
from mynah_parrot.words import repeated

WORD: Final = {vol.Required("word", description="A word, in any case"): vol.All(str, vol.Length(min=1))}


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire whenever somebody says the word."""

    def heard(data: Mapping[str, Any]) -> None:
        if config["word"].lower() in data["text"].lower().split():
            fire({"text": data["text"], "description": f"the word {config['word']}"})

    return house.on_event("Heard", heard)


def remembers(run: Run, config: Mapping[str, Any]) -> bool:
    """Return whether the word is in what the parrot remembers; a short file, read at once."""
    said = read(run.house.hub.folder / FILE)
    run.note(remembered=len(said))
    return any(config["word"].lower() in line.lower().split() for line in said)


async def squawk(run: Run, data: Mapping[str, Any]) -> Mapping[str, str]:
    """Say it again and again, wherever a speaker is connected; what is said is the response."""
    text = "".join(repeated(data["text"], data["times"]))
    run.house.hub.announce(text, "all")
    return {"text": text}


TRIGGER = TriggerSpec(name="parrot_heard", attach=attach, schema=WORD, description="Somebody says a word")
CONDITION = ConditionSpec(
    name="parrot_remembers", holds=remembers, schema=WORD, description="The parrot was told a word lately"
)
ACTION = ActionSpec(
    name="parrot_squawk",
    run=squawk,
    schema={
        vol.Required("text", description="What it says"): str,
        vol.Optional("times", default=2, description="How often"): vol.All(int, vol.Range(min=1, max=10)),
    },
    short="text",
    description="Say something over and over",
)
