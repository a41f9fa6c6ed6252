"""`mynah bench browser`: from speech that reaches a browser to its first sound, and how soon the page is there."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from mynah import AudioChunk, Bench, BenchmarkSpec, MynahError, Voice, WordMark
from mynah.audio import AudioFormat

LIMIT_MS: Final = 60.0
OPEN_LIMIT_MS: Final = 1000.0
PIECES: Final = 10
PIECE_MS: Final = 50.0
EACH_S: Final = 0.045
WARM: Final = 3
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
FLAGS: Final = ("--no-sandbox", "--autoplay-policy=no-user-gesture-required")
HOW: Final = (
    "install Playwright (pip install playwright) and a Chromium (apt install chromium, or playwright install chromium)"
)

CLIENT: Final = """async () => {
  const { MynahClient } = await import("/web/client/mynah-client.js");
  globalThis.client = new MynahClient();
  await client.connect();
}"""
USABLE: Final = """() => {
  const chat = document.querySelector("mynah-voice-chat");
  return chat?.shadowRoot.querySelector(".talk") && performance.now();
}"""
"""The milliseconds since the page was asked for, once one can talk and type."""
ASK: Final = """async () => {
  await new Promise((resolve) => setTimeout(resolve, 200));  // silence, after which sound is a beginning
  ear.frames.length = ear.onsets.length = 0;
  await new Promise((resolve) => {
    client.addEventListener("playing", function hear({ detail }) {
      if (detail.turn !== null) return;
      client.removeEventListener("playing", hear);
      resolve();
    });
    client.ask("what do lions eat");
  });
  await ear.take();
  return [ear.frames[0], ear.onsets[0], ear.context.outputLatency * 1000];
}"""


class SlowVoice:
    """Half a second of speech in pieces of 50 ms that come hardly faster than they sound, as samples or as MP3."""

    def __init__(self, codec: str) -> None:
        self._codec = codec

    async def synthesize(self, text: str, *, voice: Voice, language: str) -> AsyncIterator[AudioChunk | WordMark]:
        """Yield it."""
        from mynah.testing import ScriptedTextToSpeech, as_mp3

        rate = 16_000 if self._codec == "mp3" else 24_000
        scripted = ScriptedTextToSpeech(
            total_s=EACH_S * (PIECES - 1), ms_per_word=PIECES * PIECE_MS, pieces=PIECES,
            format=AudioFormat("pcm_s16le", rate, 1),
        )  # fmt: skip
        outputs = scripted.synthesize("Yes.", voice=voice, language=language)
        if self._codec == "mp3":
            async for chunks in as_mp3(outputs):
                for chunk in chunks:
                    yield chunk
        else:
            async for output in outputs:
                yield output


async def measure(bench: Bench) -> Sequence[Mapping[str, Any]]:
    """Ask in a browser, again and again, in each of the formats."""
    async with _browser() as browser:
        sound = [await _row(bench, browser, codec, title) for codec, title in (("mp3", "MP3"), ("pcm_s16le", "PCM"))]
        return [*sound, await _page_row(bench, browser)]


@asynccontextmanager
async def _browser() -> AsyncIterator[Any]:
    """Start a Chromium. Raises `MynahError` where there is none."""
    try:
        from playwright.async_api import Error, async_playwright
    except ImportError:
        raise MynahError(f"this scenario needs a browser: {HOW}") from None
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        except Error as error:
            raise MynahError(f"no browser starts: {HOW}; {str(error).splitlines()[0]}") from None
        try:
            yield browser
        finally:
            await browser.close()


async def _row(bench: Bench, browser: Any, codec: str, title: str) -> Mapping[str, Any]:
    from mynah.testing import ScriptedLanguageModel, bench_row, run_hub, scripted_engines
    from mynah_web.ear import give_ear

    engines = scripted_engines(llm=ScriptedLanguageModel(("Yes.",)), tts=SlowVoice(codec))
    config = {"persona": "sparrow"}
    async with run_hub(bench.folder, specs=engines, config=config, installed=["http", "web", "websocket"]) as hub:
        context = await browser.new_context(bypass_csp=True)
        try:
            page = await context.new_page()
            await page.goto(hub.addresses["http"])
            await give_ear(page)
            await page.evaluate(CLIENT)
            runs = [await page.evaluate(ASK) for _ in range(WARM + bench.runs)][WARM:]
        finally:
            await context.close()
    measured = [onset - frame for frame, onset, _ in runs]
    latency_ms = max(latency for _, _, latency in runs)
    return bench_row(
        f"first chunk in the browser to first sound, {title}", measured,
        engines_ms=[0.0] * len(measured), own_limit_ms=LIMIT_MS, p95_limit_ms=LIMIT_MS,
        output_latency_ms=round(latency_ms, 1),
    )  # fmt: skip


async def _page_row(bench: Bench, browser: Any) -> Mapping[str, Any]:
    """Open the page, each time in a browser that has none of it yet."""
    from mynah.testing import bench_row, run_hub, scripted_engines

    measured = []
    installed = ["http", "web", "websocket"]
    async with run_hub(
        bench.folder, specs=scripted_engines(), config={"persona": "sparrow"}, installed=installed
    ) as hub:
        for _ in range(WARM + bench.runs):
            context = await browser.new_context()
            try:
                page = await context.new_page()
                await page.goto(hub.addresses["http"], wait_until="commit")
                measured.append(await (await page.wait_for_function(USABLE)).json_value())
            finally:
                await context.close()
    del measured[:WARM]
    return bench_row(
        "the page asked for to ready to talk", measured,
        engines_ms=[0.0] * len(measured), own_limit_ms=OPEN_LIMIT_MS, p95_limit_ms=OPEN_LIMIT_MS,
    )  # fmt: skip


SPEC: Final = BenchmarkSpec(
    name="browser", run=measure, description="from speech that reaches a browser to its first sound; the page"
)
