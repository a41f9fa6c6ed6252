"""The element <mynah-voice-chat> in a page, as a person and as the page use it."""

from __future__ import annotations

import asyncio
import json

REPLY = "Yes. Lions eat meat. They sleep a lot."
"""What the tests' hub answers."""
PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Elsewhere</title>
    <link rel="icon" href="data:,">
    <script type="module" src="{hub}/web/element/mynah-voice-chat.js"></script>
    <style>.note {{ color: rgb(1, 2, 3) }}</style>
  </head>
  <body>{body}</body>
</html>"""
EVENTS = ("transcription-complete", "voice-response", "error", "session-status", "turn", "client")
NOTE = f"""() => {{
  globalThis.chat = document.querySelector("mynah-voice-chat");
  globalThis.told = [];
  for (const type of {json.dumps(EVENTS)}) {{
    chat.addEventListener(type, ({{ detail }}) => told.push([type, type === "client" ? null : detail]));
  }}
}}"""


class Chat:
    """The element in a page, as a person and as the page use it."""

    def __init__(self, page):
        self.page = page
        self.hub = page.hub
        self.said = []
        page.on("websocket", self._listen)

    def _listen(self, socket):
        socket.on("framesent", lambda frame: self.said.append(frame))

    def close(self):
        """Take no more notice of the page."""
        self.page.remove_listener("websocket", self._listen)

    def part(self, selector):
        return self.page.locator(f"mynah-voice-chat {selector}")

    async def ask(self, question):
        await self.part(".question").fill(question)
        await self.page.keyboard.press("Enter")

    async def answer(self, text=REPLY):
        await self.part(".entry[aria-busy=false] .theirs .text").last.get_by_text(text, exact=True).wait_for()

    async def hold(self):
        box = await self.part(".talk").bounding_box()
        await self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        await self.page.mouse.down()

    async def longer_than_a_tap(self):
        """Wait until the microphone has been on for so long that it was no tap, and something was said."""
        await self.part(".mine .partial").get_by_text("what do").wait_for()
        await self.until(f"performance.now() > {await self.page.evaluate('performance.now()')} + 350")

    async def until(self, condition):
        return await (await self.page.wait_for_function(condition)).json_value()

    async def told(self, event):
        """Wait for an event; return what it told first."""
        return await self.until(f"told.find(([type]) => type === '{event}')?.[1]")

    @property
    def texts(self):
        return [frame for frame in self.said if isinstance(frame, str)]

    @property
    def hello(self):
        return json.loads(self.texts[0])


async def until(condition):
    """Wait for what the hub does by itself."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # it is the hub's own business, nobody tells
            await asyncio.sleep(0.01)
