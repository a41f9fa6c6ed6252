"""Pages that are not the hub's own, as docs/web.md has them: one script tag, and React built with Vite."""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import wave
from array import array
from pathlib import Path

import numpy
import pytest

from counterparts.accessibility import serious
from mynah.audio import AudioFormat
from mynah.testing import ScriptedSpeechToText, ScriptedTextToSpeech
from mynah_web.ear import give_ear, heard
from mynah_web.files import FOLDER

pytestmark = pytest.mark.asyncio(loop_scope="session")
DOCS = (Path(__file__).parents[3] / "docs" / "web.md").read_text(encoding="utf-8")
REACT_PAGE = Path(__file__).parent / "react_page"
HUB = "http://localhost:8000"
REPLY = "Yes. Lions eat meat. They sleep a lot."
CHAT = "mynah-voice-chat"
PROBLEM = f"""(code) => document.querySelector("{CHAT}").client.dispatchEvent(
  new CustomEvent("problem", {{ detail: {{ code }} }}))"""
EXTRA = '<link rel="icon" href="data:,"><meta name="color-scheme" content="light dark">'


def snippet(name):
    """Return the block of the documentation that is called so."""
    return re.search(rf"^```\w+ {name}\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)[1]


@pytest.fixture(scope="module")
def question(tmp_path_factory):
    """Give a microphone's WAV file: two seconds of a tone that goes up."""
    path = tmp_path_factory.mktemp("microphone") / "question.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(array("h", (int(9_000 * math.sin(n * n / 60_000)) for n in range(32_000))).tobytes())
    return path


async def ask_by_voice(page):
    await page.locator(f"{CHAT} .talk").click()
    await page.locator(f"{CHAT} .mine .partial").last.get_by_text("what do lions eat").wait_for()
    await page.locator(f"{CHAT} .talk").click()


async def answered(page, number, text=REPLY):
    answer = page.locator(f"{CHAT} .entry[aria-busy=false]").nth(number).locator(".theirs .text")
    await answer.get_by_text(text, exact=True).wait_for()


def embedding(hub):
    """Return the files of the documented page, for a hub at that address."""
    return {"/": snippet("embed").replace(HUB, hub).replace("<head>", f"<head>{EXTRA}")}


async def test_page_with_one_script_tag_holds_a_conversation(elsewhere, question):
    assert snippet("embed").count("<script") == 1
    hears, voice = ScriptedSpeechToText(), ScriptedTextToSpeech(format=AudioFormat("pcm_s16le", 44_100, 1))
    async with elsewhere(embedding, stt=hears, tts=voice, page={"microphone": question}) as page:
        await give_ear(page)
        await page.evaluate(f"globalThis.chat = document.querySelector('{CHAT}')")
        await page.evaluate("chat.addEventListener('voice-response', ({ detail }) => (globalThis.url = detail))")
        await page.locator(f"{CHAT} .question").fill("What do lions eat?")
        await page.keyboard.press("Enter")
        await answered(page, 0)
        await page.wait_for_function("chat.shadowRoot.querySelector('.stop').disabled")
        sound = (await heard(page)).sound
        assert numpy.array_equal(sound[sound != 0] * 32_768, await recorded(page))
        await ask_by_voice(page)
        await answered(page, 1)
        assert numpy.abs(numpy.frombuffer(hears.heard, "<i2").astype(int)).max() > 1_000


async def recorded(page):
    """Return the samples of the last answer, as the element gave them to the page, without silence."""
    samples = await page.evaluate(
        "fetch(url).then((found) => found.arrayBuffer()).then((wav) => [...new Int16Array(wav)])"
    )
    sound = numpy.array(samples[22:])  # a header of 44 bytes
    return sound[sound != 0]


@pytest.fixture(scope="module", params=[pytest.param("18", marks=pytest.mark.long), "19"])
def react_page(request, tmp_path_factory):
    """Build the documented page with Vite on a version of React; return its files by path."""
    folder = tmp_path_factory.mktemp("react") / "page"
    shutil.copytree(REACT_PAGE, folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "node_modules").symlink_to(REACT_PAGE / "node_modules")
    (folder / "src" / "App.jsx").write_text(snippet("react"), encoding="utf-8")
    subprocess.run(
        [folder / "node_modules" / ".bin" / "vite", "build", "--logLevel", "warn"],
        cwd=folder,
        env={**os.environ, "REACT": request.param},
        check=True,
        timeout=120,
    )
    made = folder / "dist"
    files = {f"/{path.relative_to(made).as_posix()}": path for path in made.rglob("*") if path.is_file()}
    return {name.removesuffix("index.html"): path.read_text(encoding="utf-8") for name, path in files.items()}


async def test_react_page_holds_a_conversation(elsewhere, question, react_page, request):
    voice = ScriptedTextToSpeech()

    def write(hub):
        return {name: text.replace(HUB, hub) for name, text in react_page.items()}

    async with elsewhere(write, tts=voice, page={"microphone": question}) as page:
        assert (await page.get_attribute("html", "data-react")).startswith(request.node.callspec.params["react_page"])
        await page.locator(f"{CHAT} .question").fill("What do lions eat?")
        await page.keyboard.press("Enter")
        await answered(page, 0)
        await page.get_by_text("Messages so far: 2").wait_for()
        await ask_by_voice(page)
        await page.get_by_text("You said: what do lions eat").wait_for()
        await answered(page, 1)
        await page.get_by_text("Welcome me").click()
        await answered(page, 2, "Welcome to the zoo.")
        assert voice.said[-1][0] == "Welcome to the zoo."


async def test_client_without_a_user_interface_holds_a_conversation(elsewhere):
    def page_of(hub):
        script = snippet("client").replace(HUB, hub).replace("zoo_guide", "sparrow").replace("console.log", "said.push")
        body = "<title>Client</title><body><script type=module src=script.js></script>"
        return {
            "/": f"<!doctype html><html lang=en>{EXTRA}{body}",
            "/script.js": f"globalThis.said = [];{script}globalThis.client = client;",
        }

    async with elsewhere(page_of) as page:
        await page.wait_for_function("globalThis.client?.statistics().conversationEntries === 2")
        assert await page.evaluate("said.join('')") == REPLY


def documented(heading):
    """Return what the first column of the table below a heading names."""
    section = DOCS.split(f"### {heading}\n", 1)[1].split("\n#", 1)[0]
    return set(re.findall(r"^\| `([\w-]+)", section, re.MULTILINE))


async def test_documentation_names_what_the_element_has(chat_class):
    assert documented("Attributes") == set(await chat_class("each.observedAttributes"))
    assert documented("Methods") <= set(await chat_class("Object.getOwnPropertyNames(each.prototype)"))
    code = (FOLDER / "element" / "mynah-voice-chat.js").read_text(encoding="utf-8")
    assert documented("Events") == set(re.findall(r"(?:#tell\(|new CustomEvent\()\"([\w-]+)", code))


async def test_documentation_names_the_props_of_the_component():
    code = (FOLDER / "react" / "index.js").read_text(encoding="utf-8")
    tables = re.findall(r"^const \w+ = \{\n(.*?)^\};", code, re.MULTILINE | re.DOTALL)
    props = set(re.findall(r"(\w+): ", "".join(tables))) | {"token", "style"}
    told = DOCS.split("\nProps: ", 1)[1].split(" The ref ", 1)[0]
    assert set(re.findall(r"`(\w+)", told)) == props


@pytest.fixture
def chat_class(elsewhere):
    """Ask for something of the element's class, `each`."""

    async def ask(expression):
        async with elsewhere(embedding) as page:
            return await page.evaluate(f"customElements.whenDefined('{CHAT}').then((each) => {expression})")

    return ask


async def test_element_is_accessible(elsewhere):
    async with elsewhere(embedding, page={"reduced_motion": "reduce"}) as page:
        await page.locator(f"{CHAT} .question").fill("What do lions eat?")
        await page.keyboard.press("Enter")
        await answered(page, 0)
        await page.locator(f"{CHAT} [aria-label=Statistics]").click()
        for width, code in ((360, "unauthorized"), (1_000, "microphone_denied")):
            await page.set_viewport_size({"width": width, "height": 800})
            await page.evaluate(PROBLEM, code)
            await page.locator(f"{CHAT} [data-code={code}]").wait_for()
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme)
                assert await serious(page) == []
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        told = await page.locator(f"{CHAT} .chat").inner_text()
        assert not re.search(r"\b(chat|client)\.\w", told)  # the key of a text that there is not
