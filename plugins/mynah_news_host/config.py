"""What can be configured of the news: feeds, how often they are fetched, how many headlines are told at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

MOST_FEEDS: Final = 30

_FEED: Final = {
    vol.Required("name", description="What the source is called when it is spoken of."): vol.All(
        str, vol.Length(min=1, max=60)
    ),
    vol.Required("url", description="The address of an RSS or Atom feed."): vol.All(
        str, vol.Match(r"^https?://[^\s/]+", msg="expected an address that begins with http:// or https://")
    ),
}
SCHEMA: Mapping[Any, Any] = {
    vol.Optional("feeds", default=list, description="The feeds; without any there are no news."): vol.All(
        [_FEED], vol.Length(max=MOST_FEEDS)
    ),
    vol.Optional(
        "every", default=900.0, description="Seconds after which a feed is fetched again; longer while it fails."
    ): vol.All(float, vol.Range(min=60, max=86_400)),
    vol.Optional("headlines", default=5, description="How many headlines are told at once."): vol.All(
        int, vol.Range(min=1, max=10)
    ),
}
