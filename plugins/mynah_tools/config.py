"""What the tools are given."""

from __future__ import annotations

from typing import Final

import voluptuous as vol

VOLUME: Final = {
    vol.Exclusive("percent", "how", description="The volume to set, 0 to 100."): vol.All(
        int, vol.Range(min=0, max=100)
    ),
    vol.Exclusive("change", "how", description="How much louder, or with a minus quieter, in percent."): vol.All(
        int, vol.Range(min=-100, max=100)
    ),
}

ANNOUNCE: Final = {
    vol.Required("text", description="What is to be said, word for word."): vol.All(str, vol.Length(min=1, max=1000)),
    vol.Optional(
        "where", default="all", description="The name of a speaker, an area or a group; all: everywhere."
    ): vol.All(str, vol.Length(min=1, max=64)),
}
