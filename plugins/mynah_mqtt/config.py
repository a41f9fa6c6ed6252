"""What can be set under `mqtt:`."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

import voluptuous as vol

from mynah_mqtt.home_assistant.config import SCHEMA as HOME_ASSISTANT

EMBEDDED: Final = "embedded"
PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
PORT: Final = vol.All(int, vol.Range(min=0, max=65535))
TEXT: Final = vol.All(str, vol.Length(min=1))


def broker(value: Any) -> str | None:
    """Return `value` where it is `embedded`, the URL of a broker, or null."""
    if value is None or value == EMBEDDED:
        return EMBEDDED if value else None
    if not isinstance(value, str):
        raise vol.Invalid("expected 'embedded', a URL such as mqtt://192.168.1.3, or null")
    try:
        parts = urlsplit(value)
        known = parts.scheme in PORTS and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:  # a port that is no number
        known = False
    if not known or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise vol.Invalid("expected 'embedded', a URL such as mqtt://192.168.1.3:1883 or mqtts://broker.lan, or null")
    if parts.username is not None or parts.password is not None:
        raise vol.Invalid("a URL ends up in logs; give user and password as 'username' and 'password'")
    return value


def base(value: Any) -> str:
    """Return `value` where it can stand before every topic."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", value):
        raise vol.Invalid("a base is letters, digits, '_' and '-', with '/' between its levels, such as house/mynah")
    return value


SCHEMA = {
    vol.Optional(
        "broker",
        default=EMBEDDED,
        description="`embedded` for the hub's own broker, the URL of another one (mqtt://HOST:PORT, or mqtts:// with "
        "TLS), or null for none.",
    ): broker,
    vol.Optional("base", default="mynah", description="What every topic begins with."): base,
    vol.Optional("username", default=None, description="The hub's account at another broker."): vol.Any(None, TEXT),
    vol.Optional("password", default=None, description="Its password; write it as `!secret mqtt`."): vol.Any(
        None, TEXT
    ),
    vol.Optional(
        "tls", default=dict, description="TLS to another broker; files are PEM, relative to the data folder."
    ): {
        vol.Optional(
            "ca", description="Who may have signed the broker's certificate, instead of the usual ones."
        ): TEXT,
        vol.Optional("certificate", description="The hub's certificate, where the broker wants one."): TEXT,
        vol.Optional("key", description="Its private key, without a passphrase."): TEXT,
    },
    vol.Optional(
        "home_assistant", default=dict, description="What Home Assistant is told; see docs/home_assistant.md."
    ): HOME_ASSISTANT,
    vol.Optional("embedded", default=dict, description="The hub's own broker."): {
        vol.Optional(
            "host",
            default=None,
            description="The address it listens on; null: that of `http`, so that --lan opens both.",
        ): vol.Any(None, TEXT),
        vol.Optional(
            "port",
            default=None,
            description="Its port; null: 1883, or any free one where only this machine may connect.",
        ): vol.Any(None, PORT),
        vol.Optional("tls", description="Serve mqtts; files are PEM, relative to the data folder."): {
            vol.Required("certificate", description="The certificate with its chain."): TEXT,
            vol.Required("key", description="The private key, without a passphrase."): TEXT,
            vol.Optional(
                "ca", description="Who must have signed the certificates of clients; none: they need none."
            ): TEXT,
        },
    },
}
