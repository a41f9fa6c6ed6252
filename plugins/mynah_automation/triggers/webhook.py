"""Somebody calls an address of the hub's."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import Fire, House, Stop, TriggerSpec

METHODS: Final = ("POST", "PUT", "GET")
SCHEMA: Final = {
    vol.Required("webhook_id", description="The end of the address /api/v1/webhook/…; keep it secret."): vol.All(
        str, vol.Match(r"^[A-Za-z0-9_-]{8,64}\Z", msg="a webhook's id has 8 to 64 letters, digits, '_' and '-'")
    ),
    vol.Optional("allowed_methods", default=["POST", "PUT"], description="Some of POST, PUT and GET."): [
        vol.In(METHODS)
    ],
    vol.Optional("local_only", default=True, description="Whether only calls from one's own network count."): bool,
}
LOCAL: Final = "local"


def is_local(address: str | None) -> bool:
    """Return whether an IP address is this machine's or of a private network; what is none is not."""
    try:
        found = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return False
    inner = getattr(found, "ipv4_mapped", None) or found
    return inner.is_loopback or inner.is_private or inner.is_link_local


def attach(house: House, config: Mapping[str, Any], fire: Fire) -> Stop:
    """Fire for each call."""
    id = config["webhook_id"]

    def called(data: Mapping[str, Any]) -> bool:
        counts = data["method"] in config["allowed_methods"] and (data[LOCAL] or not config["local_only"])
        if counts:
            told = {key: value for key, value in data.items() if key != LOCAL}
            fire({"webhook_id": id, "description": "webhook", **told})
        return counts

    stop: Stop = house.hub.parts["automation"].webhooks.follow(id, called)
    return stop


SPEC: Final = TriggerSpec(name="webhook", attach=attach, schema=SCHEMA, description="A call over HTTP.")
