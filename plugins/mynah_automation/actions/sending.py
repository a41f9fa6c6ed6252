"""Events, messages and requests that go out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import voluptuous as vol

from mynah import ActionSpec, MynahError, Run
from mynah_automation.bodies import read_up_to
from mynah_automation.config import TEXT
from mynah_automation.triggers.mqtt import messages

ANSWER_BYTES: Final = 65_536


async def event(run: Run, data: Mapping[str, Any]) -> None:
    """Send an event of one's own."""
    run.house.hub.parts["automation"].house.fire_event(data["event"], data["event_data"])


async def publish(run: Run, data: Mapping[str, Any]) -> None:
    """Publish a message."""
    payload = data["payload"]
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False, default=str)
    messages(run.house).publish(data["topic"], text, qos=data["qos"], retain=data["retain"])


async def http(run: Run, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Make a request; return its status and what was answered."""
    import aiohttp  # it takes a while to import, and few need it

    more: dict[str, Any] = {"json": data["json"]} if "json" in data else {}
    if "body" in data:
        more = {"data": data["body"]}
    limit = aiohttp.ClientTimeout(total=data["timeout"])
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.request(data["method"].upper(), data["url"], headers=data["headers"], **more) as answer,
        ):
            body = await read_up_to(answer.content, ANSWER_BYTES)
            text, status = body.decode(answer.charset or "utf-8", "replace"), answer.status
    except TimeoutError:
        raise MynahError(f"{_host(data['url'])} gave no answer within {data['timeout']:g} s") from None
    except aiohttp.ClientConnectorError as error:
        raise MynahError(f"{_host(data['url'])} cannot be reached: {error.strerror or 'no connection'}") from None
    except (aiohttp.ClientError, OSError, ValueError, LookupError) as error:
        raise MynahError(f"the request to {_host(data['url'])} failed: {type(error).__name__}") from error
    if len(body) > ANSWER_BYTES:
        raise MynahError(f"{_host(data['url'])} answered with more than {ANSWER_BYTES >> 10} KiB")
    run.note(status=status)
    if status >= 400:
        raise MynahError(f"the request was answered by {status}")
    try:
        content = json.loads(text)
    except ValueError:
        content = text
    return {"status": status, "content": content}


def _host(url: str) -> str:
    """Return whom a request was for, without what may be secret in an address."""
    try:
        return urlsplit(url).hostname or "the server"
    except ValueError:
        return "the server"


SPECS: Final = (
    ActionSpec(
        name="event",
        run=event,
        schema={
            vol.Required("event", description="Its name."): TEXT,
            vol.Optional("event_data", default=dict, description="Its data."): dict,
        },
        description="Send an event.",
    ),
    ActionSpec(
        name="mqtt.publish",
        run=publish,
        schema={
            vol.Required("topic", description="The topic."): TEXT,
            vol.Optional("payload", default="", description="The payload; what is no text is sent as JSON."): object,
            vol.Optional("qos", default=0, description="0, 1 or 2."): vol.In([0, 1, 2]),
            vol.Optional("retain", default=False, description="Whether the broker keeps it."): bool,
        },
        description="Publish a message over MQTT.",
    ),
    ActionSpec(
        name="http",
        run=http,
        schema={
            vol.Required("url", description="The address, of http or https."): vol.All(
                str, vol.Match(r"^https?://", msg="expected an address of http or https")
            ),
            vol.Optional("method", default="get", description="get, post, put, patch or delete."): vol.In(
                ["get", "post", "put", "patch", "delete", "GET", "POST", "PUT", "PATCH", "DELETE"]
            ),
            vol.Optional("headers", default=dict, description="Headers."): {str: str},
            vol.Exclusive("json", "content", description="What is sent, as JSON."): object,
            vol.Exclusive("body", "content", description="What is sent, as text."): str,
            vol.Optional("timeout", default=10.0, description="Seconds to wait for the answer."): vol.All(
                float, vol.Range(min=0.1, max=120)
            ),
        },
        short="url",
        description="Make a request over HTTP; the response has `status` and `content`.",
    ),
)
