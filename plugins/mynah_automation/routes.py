"""Automations over HTTP: the list, traces, triggering, states, webhooks."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import voluptuous as vol

from mynah import Hub, InputError, RouteSpec
from mynah_automation.bodies import read_up_to
from mynah_automation.kept import plain_state
from mynah_automation.part import PART, Automations
from mynah_automation.traces import HIDDEN, plain
from mynah_automation.triggers.webhook import LOCAL, METHODS, is_local

API: Final = "/api/v1"
WEBHOOK_BYTES: Final = 65_536
FORM: Final = "application/x-www-form-urlencoded"
FIELDS: Final = 1_000
WEBHOOK_S: Final = 10.0
"""How long a call's body may take to come."""

OBJECT: Final = {"type": "object", "additionalProperties": True}
LIST: Final = {"type": "array", "items": OBJECT}
QUOTING: Final = ("result", "error")
"""What a step gave and why it failed: may quote what somebody said, as triggers and variables may."""


def part(hub: Hub) -> Automations:
    """Return what runs. Raises `InputError` where it does not."""
    found: Automations | None = hub.parts.get(PART)
    if found is None:
        raise InputError("automations do not run")
    return found


async def list_all(hub: Hub, request: Any) -> Any:
    """List automations and scripts."""
    found = [live.describe() for live in part(hub).live.values()]
    if _is_admin(request):
        return found
    return [{**each, "last_run": each["last_run"] and {**each["last_run"], "message": ""}} for each in found]


async def trigger(hub: Hub, request: Any) -> Any:
    """Have one act."""
    live = part(hub).find(request.match_info["id"])
    body = request["body"]
    task = live.run({"trigger": {"platform": None, "id": None}, **body["variables"]},
                    conditions=not body["skip_condition"])  # fmt: skip
    return {"started": task is not None, "run": live.traces[-1].number, "outcome": live.traces[-1].outcome,
            "message": hub.redacted(live.traces[-1].message)}  # fmt: skip


async def traces(hub: Hub, request: Any) -> Any:
    """Show the last runs, the newest first."""
    live = part(hub).find(request.match_info["id"])
    found = [trace.describe(hub.redacted) for trace in reversed(live.traces)]
    return found if _is_admin(request) else [_without_words(trace) for trace in found]


def _is_admin(request: Any) -> bool:
    role, _ = request["access"]
    return bool(role == "admin")


def _without_words(trace: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return of a run what is no word that was spoken: what acted, when, and how it ended."""
    trigger = {name: trace["trigger"].get(name) for name in ("platform", "id")}
    steps = [{name: value for name, value in step.items() if name not in QUOTING} for step in trace["steps"]]
    return {**trace, "message": "", "trigger": trigger, "variables": {}, "steps": steps}


async def states(hub: Hub, request: Any) -> Any:
    """Show every entity; of texts that automations set only to admins what they are, as it may be what was said."""
    found = [plain(plain_state(state), hub.redacted) for state in part(hub).house.states.all()]
    if _is_admin(request):
        return found
    return [{**each, "state": HIDDEN} if each["entity_id"].startswith("input_text.") else each for each in found]


async def webhook(hub: Hub, request: Any) -> None:
    """Take a call for whoever waits for it; what it holds is not shown to anybody else."""
    from aiohttp import web

    if (request.content_length or 0) > WEBHOOK_BYTES:
        raise web.HTTPRequestEntityTooLarge(WEBHOOK_BYTES, request.content_length)
    try:
        async with asyncio.timeout(WEBHOOK_S):
            body = await read_up_to(request.content, WEBHOOK_BYTES)
    except TimeoutError:
        raise web.HTTPRequestTimeout(text=f"the body did not come within {WEBHOOK_S:g} s") from None
    if len(body) > WEBHOOK_BYTES:
        raise web.HTTPRequestEntityTooLarge(WEBHOOK_BYTES, len(body))
    text = body.decode("utf-8", "replace")
    data: Mapping[str, Any] = {"method": request.method, "query": dict(request.query), "data": text, "json": None,
                               LOCAL: is_local(request.remote)}  # fmt: skip
    with contextlib.suppress(ValueError):
        data = {**data, "json": json.loads(text)}
    if request.content_type == FORM and data["json"] is None:
        try:
            data = {**data, "data": dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS))}
        except ValueError:
            raise web.HTTPBadRequest(text=f"a form has up to {FIELDS:,} fields") from None
    if not part(hub).webhooks.tell(request.match_info["id"], data):
        raise InputError("nobody waits for such a call of this webhook")


ONE: Final = f"{API}/automations/{{id}}"
ROUTES: Final = (
    RouteSpec(
        name="list_automations",
        method="GET",
        path=f"{API}/automations",
        handle=list_all,
        access="viewer",
        summary="Every automation and script",
        answer=LIST,
    ),
    RouteSpec(
        name="trigger_automation",
        method="POST",
        path=f"{ONE}/trigger",
        handle=trigger,
        summary="Have an automation or script act",
        body={
            vol.Optional("variables", default=dict, description="Values that it is given."): dict,
            vol.Optional("skip_condition", default=True, description="Whether its conditions do not matter."): bool,
        },
        answer=OBJECT,
    ),
    RouteSpec(
        name="list_traces",
        method="GET",
        path=f"{ONE}/traces",
        handle=traces,
        access="viewer",
        summary="What the last runs of an automation did, and why; words that were said are for admins",
        answer=LIST,
    ),
    RouteSpec(
        name="list_states",
        method="GET",
        path=f"{API}/states",
        handle=states,
        access="viewer",
        summary="The state of every entity; what texts are is for admins",
        answer=LIST,
    ),
    *(
        RouteSpec(
            name=f"{method.lower()}_webhook",
            method=method,
            path=f"{API}/webhook/{{id}}",
            handle=webhook,
            access="open",
            summary="Call a webhook",
        )
        for method in METHODS
    ),
)
