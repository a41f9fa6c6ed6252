"""Who may speak a dialect. Its clients carry no token: on this machine they may, elsewhere only as configured."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from mynah import Hub
from mynah_dialects.config import SECRET_CHARS

ROLES: Final = ("admin", "speaker")


def section_of(hub: Hub, name: str) -> Mapping[str, Any]:
    """Return the configuration of a dialect."""
    section: Mapping[str, Any] = hub.config["dialects"][name]
    return section


def is_here(section: Mapping[str, Any], request: web.Request) -> bool:
    """Whether a dialect is spoken under the prefix, or without one, that a request came under."""
    prefix = request.match_info.get("prefix", "")
    return bool(section["enabled"]) and hmac.compare_digest(prefix, section["prefix"])


def may_use(section: Mapping[str, Any], request: web.Request) -> bool:
    """Whether whoever sent a request may use the dialect there."""
    caller = request.get("access")  # the machine's own user, or somebody who shows a token
    if caller is not None and caller[0] in ROLES:
        return True
    if len(section["prefix"]) >= SECRET_CHARS:
        return True  # else the request would not have come here
    try:
        address = ipaddress.ip_address(request.remote or "")
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(network) for network in section["networks"])


def admit(hub: Hub, name: str, request: web.Request) -> Mapping[str, Any]:
    """Return the configuration of a dialect for somebody who may use it here.

    Raises `HTTPNotFound` where it is not spoken under this path, `HTTPForbidden` for who may not use it.
    """
    section = section_of(hub, name)
    if not is_here(section, request):
        raise web.HTTPNotFound
    if not may_use(section, request):
        raise web.HTTPForbidden(
            text=f"this dialect is for the hub's own machine; open it to your network with dialects: {{{name}: "
            "{networks: [192.168.1.0/24]}}, or put it under a secret path with prefix: …"
        )
    return section


def persona_of(hub: Hub, section: Mapping[str, Any], usual: str) -> str | None:
    """Return the persona that a dialect speaks as; None: the hub's default, where its `usual` one is not there."""
    if section["persona"] is not None:
        return str(section["persona"])
    return usual if any(spec.name == usual for spec in hub.personas()) else None
