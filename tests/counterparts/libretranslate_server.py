"""A server that speaks LibreTranslate's API on a loopback socket, with its faults.

async with LibreTranslateServer(key="secret") as server:
    ...  # an engine with base_url=server.base_url
    assert server.seen[-1]["q"] == "Hello"
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web

CODES = ("en", "es", "de", "fr", "zh-Hans", "zh-Hant", "pt", "pt-BR")
BOOK = {("Hello", "es"): "Hola", ("Where does it hurt?", "es"): "¿Dónde le duele?"}


class LibreTranslateServer:
    """`fault` is what goes wrong with a translation.

    A status, "hang", "html", "empty", "huge", "drop", "language" (it has none of that name) or "long" (the text is).
    """

    def __init__(self, key: str = "", fault: int | str = "", targets: Mapping[str, list[str]] | None = None) -> None:
        self.key = key
        self.fault = fault
        self.targets = targets
        self.seen: list[dict[str, Any]] = []
        self.base_url = ""

    async def __aenter__(self) -> LibreTranslateServer:
        app = web.Application()
        app.router.add_get("/languages", self._languages)
        app.router.add_post("/translate", self._translate)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._runner.cleanup()

    async def _languages(self, request: web.Request) -> web.Response:
        targets = self.targets if self.targets is not None else {code: list(CODES) for code in CODES}
        return web.json_response([{"code": code, "name": code, "targets": to} for code, to in targets.items()])

    async def _translate(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        self.seen.append(asked)
        if self.key and asked.get("api_key") != self.key:
            return web.json_response({"error": f"Invalid API key {asked.get('api_key')}"}, status=403)
        if self.fault == "language":
            return web.json_response({"error": f"{asked['target']} is not supported"}, status=400)
        if self.fault == "long":
            return web.json_response({"error": "Invalid request: request (9) exceeds text limit (5)"}, status=400)
        if isinstance(self.fault, int):
            return web.json_response({"error": f"Slow down, {asked.get('api_key')}"}, status=self.fault)
        if self.fault == "hang":
            await asyncio.get_running_loop().create_future()
        if self.fault == "drop":
            assert request.transport is not None
            request.transport.abort()
        if self.fault == "html":
            return web.Response(text="<html>Welcome</html>", content_type="text/html")
        if self.fault == "empty":
            return web.json_response({})
        if self.fault == "huge":
            return web.json_response({"translatedText": "x" * 2_000_000})
        text, target = asked["q"], asked["target"]
        return web.json_response({"translatedText": BOOK.get((text, target), f"[{target}] {text}")})
