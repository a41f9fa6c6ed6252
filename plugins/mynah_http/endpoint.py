"""One declared route as aiohttp calls it."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import voluptuous as vol
from aiohttp import web

from mynah import Hub, InputError, LimitError, MynahError, RouteSpec, SizeError
from mynah_http.access import Door
from mynah_http.answers import from_exception, json_response
from mynah_http.bodies import check_length, read_json, too_large
from mynah_http.notes import ACCESS, BODY

log = logging.getLogger(__name__)
RETRY_AFTER_S = 5


class Endpoint:
    """Checks the caller and the body of a request, calls the route's handler and sends what it returns."""

    def __init__(self, hub: Hub, spec: RouteSpec, door: Door) -> None:
        self._hub = hub
        self._spec = spec
        self._door = door
        self._schema = None if spec.body is None else vol.Schema(spec.body)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer `request`. Raises `HTTPException` for every error that a caller or the hub's state can cause."""
        request[ACCESS] = self._door.admit(request, self._spec.access)
        check_length(request)
        try:
            if self._schema is not None:
                request[BODY] = await read_json(request, self._schema)
            result = await self._spec.handle(self._hub, request)
        except web.HTTPRequestEntityTooLarge:
            raise too_large(request.client_max_size) from None
        except web.RequestPayloadError as error:
            raise web.HTTPBadRequest(text=f"the body is damaged: {error}") from error
        except MynahError as error:
            raise self._translate(error) from error
        return result if isinstance(result, web.StreamResponse) else json_response(result)

    async def expect(self, request: web.Request) -> web.StreamResponse | None:
        """Tell a client that asks first whether to send its body; aiohttp calls this before the middlewares."""
        if request.headers["Expect"].lower() != "100-continue":
            return from_exception(web.HTTPExpectationFailed(text="only 'Expect: 100-continue' is known"), request)
        try:
            self._door.check(request)
            self._door.admit(request, self._spec.access)
            check_length(request)
        except web.HTTPException as error:
            return from_exception(error, request)
        if request.version >= (1, 1):
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        return None

    def _translate(self, error: MynahError) -> web.HTTPException:
        kind: Any = web.HTTPInternalServerError
        headers = None
        if isinstance(error, SizeError):
            kind = partial(web.HTTPRequestEntityTooLarge, 0, 0)  # its sizes are for a message that is not used
        elif isinstance(error, LimitError):
            kind, headers = web.HTTPServiceUnavailable, {"Retry-After": str(RETRY_AFTER_S)}
        elif isinstance(error, InputError):
            # What a path names is looked up first, so that an error nearly always means that it is not there.
            kind = web.HTTPNotFound if "{" in self._spec.path else web.HTTPBadRequest
        else:
            log.warning("%s %s failed: %s", self._spec.method, self._spec.path, error)
        result: web.HTTPException = kind(text=str(error) or "this failed without a message", headers=headers)
        return result
