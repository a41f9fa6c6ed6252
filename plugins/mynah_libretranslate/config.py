"""What can be configured under `engines: translator: [{engine: libretranslate}]`."""

from __future__ import annotations

from typing import Any, Final

import voluptuous as vol

_ADDRESS: Final = vol.Match(
    r"https?://[^\s/?#@]+(/[^\s?#@]*)?\Z",
    msg="an address reads http://HOST:PORT, without user, password or query, as it is shown in logs; use api_key",
)


def _key(value: Any) -> str | None:
    """Check a key; nothing of it is repeated."""
    if value is None:
        return None
    text = value.strip() if isinstance(value, str) else ""
    if not text or not text.isprintable():
        raise vol.Invalid("expected one line of text; use !secret or !env_var for it")
    return text


SCHEMA: Final[dict[Any, Any]] = {
    vol.Optional("base_url", default="http://localhost:5000", description="The server's address."): vol.All(
        str, _ADDRESS
    ),
    vol.Optional(
        "api_key", default=None, description="Its key, by !secret or !env_var; null where it asks for none."
    ): _key,
    vol.Optional("connect_timeout", default=3.0, description="Seconds for a connection to the server."): vol.All(
        vol.Coerce(float), vol.Range(min=0.1, max=60)
    ),
    vol.Optional("timeout", default=10.0, description="Seconds for an answer."): vol.All(
        vol.Coerce(float), vol.Range(min=0.1, max=600)
    ),
}
