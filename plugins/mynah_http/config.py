"""What can be set under `http:`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import voluptuous as vol


def origin(value: Any) -> str:
    """Return `value`, an origin such as `https://example.org:8443`, in the form in which browsers send it."""
    if not isinstance(value, str):
        raise vol.Invalid("expected an origin such as https://example.org")
    parts = urlsplit(value.strip().rstrip("/").lower())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.username:
        raise vol.Invalid(f"'{value}' is not an origin: give scheme and host only, such as https://example.org:8443")
    return f"{parts.scheme}://{parts.netloc}"


def seconds(most: float) -> Any:
    """Return a validator of a time of up to `most` seconds."""
    return vol.All(vol.Any(int, float), vol.Range(min=0, max=most, min_included=False))


SCHEMA = {
    vol.Optional(
        "host",
        default="127.0.0.1",
        description="The address to listen on. A loopback address needs no tokens; 0.0.0.0 opens the hub to the "
        "network, with tokens on.",
    ): vol.All(str, vol.Length(min=1)),
    vol.Optional("port", default=8000, description="The port to listen on; 0 takes any free one."): vol.All(
        int, vol.Range(min=0, max=65535)
    ),
    vol.Optional("max_body_mb", default=16, description="The largest body that is accepted, in MiB."): vol.All(
        vol.Any(int, float), vol.Range(min=0, max=1024, min_included=False)
    ),
    vol.Optional("tls", description="Serve https; both files are PEM, relative to the data folder."): {
        vol.Required("certificate", description="The certificate with its chain."): str,
        vol.Required("key", description="The private key, without a passphrase."): str,
    },
    vol.Optional(
        "allowed_origins",
        default=list,
        description="Web pages of other origins that may call the hub, such as https://example.org. The hub's own "
        "pages and programs that are no browsers always may.",
    ): [origin],
    vol.Optional(
        "mdns", default=True, description="Announce the hub as _mynah._tcp.local. where it is open to the network."
    ): bool,
    vol.Optional(
        "request_timeout", default=60, description="Seconds within which a request must arrive and be answered."
    ): seconds(3600),
    vol.Optional(
        "shutdown_timeout", default=5, description="Seconds that running requests are given when the hub stops."
    ): seconds(300),
    vol.Optional("access_log", default=False, description="Log a line for every request."): bool,
}
