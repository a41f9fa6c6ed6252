"""What README, tutorial and the page on personas tell people to type and to write works as it stands there."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mynah.cli.main import main, own_commands

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "docs/tutorial.md", "docs/personas.md")
MYNAH = (sys.executable, "-m", "mynah.cli.main")
FILE = re.compile(r"^```\w+\n(# (\S+)\n.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^ {4}(mynah .+?)(?: +# .*)?$", re.MULTILINE)
MAKE = re.compile(r"(?:^ {4}|`)make ([a-z-]+)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
ANSWER_S = 120
UNHEARD = "plugins: {disabled: [pocketsphinx]}\n"
EMBEDDED = ("espeak", "facts", "http", "pocketsphinx", "vad", "websocket", "zoo_guide")


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for found in COMMAND.finditer(text_of(page)):
            yield page, found[1]


def write_files(page: str, folder: Path) -> None:
    for text, name in FILE.findall(text_of(page)):
        (folder / name).write_text(text, encoding="utf-8")


def ask(question: str, folder: Path) -> str:
    """Ask in writing as the page does; the recogniser, which is slow to start, is left out."""
    config = folder / "config.yaml"
    known = config.read_text(encoding="utf-8") if config.exists() else ""
    if UNHEARD not in known:
        config.write_text(known + UNHEARD, encoding="utf-8")
    arguments = [*shlex.split(question)[1:], "--json"]
    done = subprocess.run([*MYNAH, *arguments], cwd=folder, capture_output=True, text=True, timeout=ANSWER_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["reply"]


@pytest.mark.parametrize(("page", "command"), list(commands()))
def test_every_command_of_a_page_is_one_that_mynah_understands(page: str, command: str) -> None:
    name, *rest = shlex.split(command)[1:]
    (spec,) = own_commands(name)
    parser = argparse.ArgumentParser(exit_on_error=False)
    spec.arguments(parser)

    parser.parse_args(rest)


@pytest.mark.parametrize("page", PAGES)
def test_every_target_of_make_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", text_of("Makefile"), re.MULTILINE))

    assert set(MAKE.findall(text_of(page))) <= targets


@pytest.mark.parametrize("page", PAGES)
def test_every_link_inside_the_project_leads_somewhere(page: str) -> None:
    folder = (ROOT / page).parent

    assert [link for link in LINK.findall(text_of(page)) if not (folder / link).exists()] == []


@pytest.mark.parametrize("page", ["docs/tutorial.md", "docs/personas.md"])
def test_configuration_of_a_page_is_valid(page: str, tmp_path: Path) -> None:
    write_files(page, tmp_path)

    assert main(["check-config", str(tmp_path / "config.yaml")]) == 0


def test_both_configurations_of_the_readme_are_valid(tmp_path: Path) -> None:
    found = FILE.findall(text_of("README.md"))
    assert len(found) == 3
    write_files("docs/personas.md", tmp_path)

    for number, (text, _) in enumerate(found):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    assert [main(["check-config", str(tmp_path / f"{number}.yaml")]) for number in range(3)] == [0, 0, 0]


def test_the_museum_guide_answers_the_questions_of_its_page(tmp_path: Path) -> None:
    write_files("docs/personas.md", tmp_path)
    questions = [command for page, command in commands() if page == "docs/personas.md" and " ask " in command]

    replies = [ask(question, tmp_path) for question in questions]

    assert "20 kilograms" in replies[0]
    assert "coke" in replies[1]
    assert "locomotive is heavier" in replies[2]


def test_the_zoo_guide_answers_the_questions_of_the_tutorial(tmp_path: Path) -> None:
    questions = [command for page, command in commands() if page == "docs/tutorial.md" and "--text" in command]

    replies = [ask(question, tmp_path) for question in questions]

    expected = ("bamboo", "kilometres an hour", "lion weighs", "Lions are meat eaters")
    assert [word in reply for word, reply in zip(expected, replies, strict=True)] == [True] * len(expected)


async def test_the_simulated_speaker_of_the_tutorial_says_what_it_is_told_to(run_hub, tmp_path: Path) -> None:
    found = [command for page, command in commands() if page == "docs/tutorial.md"]
    simulate, ask_once, who, say = (
        [*MYNAH, *shlex.split(next(each for each in found if each.startswith(begin)))[1:]]
        for begin in ("mynah speaker simulate", "mynah speaker simulate --ask", "mynah speakers", "mynah say")
    )
    shutil.copyfile(ROOT / "hub" / "mynah" / "cli" / "question.wav", tmp_path / "question.wav")
    async with run_hub(installed=EMBEDDED) as hub:
        at = ("--url", hub.addresses["http"])
        once = await run([*ask_once, *at], tmp_path)
        speaker = await asyncio.create_subprocess_exec(
            *simulate, *at, cwd=tmp_path, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        assert speaker.stdout is not None
        async with asyncio.timeout(ANSWER_S):
            while b"connected" not in await speaker.stdout.readline():
                pass
        listed, said = await run([*who, *at], tmp_path), await run([*say, *at], tmp_path)
        await speaker.communicate(b"quit\n")

    assert "saved reply.wav" in once
    assert (tmp_path / "reply.wav").stat().st_size > 32_000
    assert "simulated" in listed
    assert said == "simulated heard it\n"
    assert speaker.returncode == 0


async def run(command: list[str], folder: Path) -> str:
    """Run a program that must succeed; return what it prints."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, errors = await asyncio.wait_for(process.communicate(), ANSWER_S)
    assert process.returncode == 0, errors.decode()
    return out.decode()


async def test_the_speaker_of_the_tutorial_gets_its_answers(run_hub, tmp_path: Path) -> None:
    (program,) = PYTHON.findall(text_of("docs/tutorial.md"))
    async with run_hub(installed=EMBEDDED) as hub:
        talk = tmp_path / "first_talk.py"
        talk.write_text(program.replace("http://127.0.0.1:8000", hub.addresses["http"]), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(talk), cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, errors = await asyncio.wait_for(process.communicate(), ANSWER_S)

    assert process.returncode == 0, errors.decode()
    assert "bamboo" in out.decode()
    assert "red panda weighs" in out.decode()
    assert (tmp_path / "reply.wav").stat().st_size > 1000
