"""Listening, and stopping in good order."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from yarl import URL

from mynah import Event, Hub, MynahError, RouteSpec
from mynah.ports import ANY, name_in_network, server_tls, why_not_listening
from mynah_http.access import Door
from mynah_http.attempts import Attempts
from mynah_http.endpoint import Endpoint
from mynah_http.front import Front
from mynah_http.origins import Origins
from mynah_http.recent import PART, Recent

log = logging.getLogger(__name__)
KEEPALIVE_S = 75.0
LINGER_S = 2.0
"""How long a refused upload may go on into the void, so that its client lives to read the answer."""

WELCOME = """This is Mynah, a hub that gives rooms a voice.

/api/v1/openapi.json  what can be called here
/health               whether all is well
"""


class AccessLog(AbstractAccessLogger):
    """A line for every request, without its query, which may hold what is nobody's business."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Log one request."""
        line = "%s %s %s: %d in %.1f ms"
        self.logger.info(line, request.remote, request.method, request.path, response.status, time * 1000)


async def serve(hub: Hub, config: Mapping[str, Any], ready: Callable[[], None]) -> None:
    """Serve `hub.routes` until cancelled. Raises `MynahError` where it cannot listen or a route cannot be served."""
    tls = await asyncio.to_thread(server_tls, config["tls"], hub.folder, "http: tls") if "tls" in config else None
    door = Door(hub, config["host"], Attempts())
    shutdown_s = float(config["shutdown_timeout"])
    front = Front(
        door, Origins(config["allowed_origins"]), timeout_s=float(config["request_timeout"]), shutdown_s=shutdown_s
    )
    app = build_app(hub, door, front, max_bytes=int(config["max_body_mb"] * 2**20))
    runner = web.AppRunner(
        app,
        access_log=log if config["access_log"] else None,
        access_log_class=AccessLog,
        keepalive_timeout=KEEPALIVE_S,
        lingering_time=LINGER_S,
        # aiohttp waits this long for handlers to end, and as long again before it cancels them.
        shutdown_timeout=shutdown_s / 2,
    )
    await runner.setup()
    try:
        await listen(runner, config["host"], config["port"], tls)
        url = public_url(runner.addresses[0], config["host"], secure=tls is not None)
        hub.addresses["http"] = str(url).rstrip("/")
        log.info("listening at %s", hub.addresses["http"])
        hub.parts[PART] = recent = Recent()
        # From here on no event is missed, those of the hub's start neither.
        with hub.bus.subscribe(Event, name="http: events", maxsize=4096) as events:
            ready()
            await stay(recent.run(events), door.open_to_network and config["mdns"], runner.addresses[0], url)
    finally:
        hub.addresses.pop("http", None)
        hub.parts.pop(PART, None)
        await runner.cleanup()
        await front.finish()


async def stay(keeping: Coroutine[Any, Any, None], announced: bool, address: Sequence[Any], url: URL) -> None:
    """Wait to be cancelled, keeping the last events and announcing the server meanwhile."""
    async with asyncio.TaskGroup() as group:
        group.create_task(keeping, name="http: events")
        if announced:
            from mynah_http.announce import announce  # zeroconf is needed by hubs that are open to the network only

            group.create_task(announce(address[0], address[1], secure=url.scheme == "https"))


def build_app(hub: Hub, door: Door, front: Front, max_bytes: int) -> web.Application:
    """Return the application that serves `hub.routes`. Raises `MynahError` for a route that cannot be served."""
    app = web.Application(client_max_size=max_bytes)
    front.install(app)
    taken: dict[tuple[str, str], str] = {}
    for spec in hub.routes:
        other = taken.setdefault((spec.method, spec.path), spec.name)
        if other != spec.name:
            raise MynahError(f"the routes '{other}' and '{spec.name}' are both {spec.method} {spec.path}; disable one")
        add_route(app, hub, spec, door)
    if ("GET", "/") not in taken:
        add_route(app, hub, RouteSpec(name="welcome", method="GET", path="/", handle=welcome, access="open"), door)
    return app


def add_route(app: web.Application, hub: Hub, spec: RouteSpec, door: Door) -> None:
    """Serve one route."""
    endpoint = Endpoint(hub, spec, door)
    try:
        if spec.method == "GET":
            app.router.add_get(spec.path, endpoint.handle, expect_handler=endpoint.expect)
        else:
            app.router.add_route(spec.method, spec.path, endpoint.handle, expect_handler=endpoint.expect)
    except (ValueError, RuntimeError) as error:
        raise MynahError(f"the route '{spec.name}' ({spec.method} {spec.path}) cannot be served: {error}") from error


async def welcome(hub: Hub, request: web.Request) -> web.Response:
    """Say what this is to somebody who opens the hub's address in a browser."""
    return web.Response(text=WELCOME)


async def listen(runner: web.AppRunner, host: str, port: int, tls: ssl.SSLContext | None) -> None:
    """Begin to accept connections. Raises `MynahError` saying why that is impossible."""
    try:
        await web.TCPSite(runner, host, port, ssl_context=tls).start()
    except OSError as error:
        raise MynahError(why_not_listening(error, host, port, "http: {%s: …}")) from error


def public_url(address: Sequence[Any], host: str, *, secure: bool) -> URL:
    """Return where the server is reached: `host`, or this machine's own address where that means all of them."""
    name = name_in_network(address[0]) if address[0] in ANY else host
    return URL.build(scheme="https" if secure else "http", host=name, port=address[1])
