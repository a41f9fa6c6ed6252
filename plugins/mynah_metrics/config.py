"""The section `metrics` of the configuration."""

from __future__ import annotations

from urllib.parse import urlsplit

import voluptuous as vol


def address(value: object) -> str | None:
    """Return `value`, the address of an OTLP receiver or None. Raises `vol.Invalid` for anything else."""
    if value is None:
        return None
    parts = urlsplit(value) if isinstance(value, str) else None
    if not isinstance(value, str) or parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise vol.Invalid("must be an address such as http://localhost:4318/v1/traces")
    return value


SCHEMA = {
    vol.Optional(
        "traces",
        default=None,
        description="Where traces of turns are sent, by OTLP over HTTP, such as http://localhost:4318/v1/traces; "
        "null: nowhere. Needs the extra `otel`.",
    ): address,
    vol.Optional(
        "headers", default=dict, description="What is sent along, such as a key; write it as `!secret otlp`."
    ): {str: str},
    vol.Optional("service", default="mynah", description="What the hub is called there."): vol.All(
        str, vol.Length(min=1)
    ),
}
