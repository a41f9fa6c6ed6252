"""`mynah sessions`: what is kept of conversations: listed, exported, deleted. The hub need not run."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

from mynah.archive import Archive
from mynah.cli.prepare import add_config_argument, prepare
from mynah.engines.speech_store import SpeechStore, speech_folder
from mynah.errors import InputError
from mynah.specs import CommandSpec
from mynah.storage import Storage

MOST: Final = 50


def _arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the sessions that are kept, the one that was active last first")
    listing.add_argument("--most", type=int, default=MOST, metavar="N", help=f"how many at most ({MOST})")
    listing.set_defaults(act=_list)
    export = actions.add_parser("export", help="all that is kept of one session, or of all: one a line, as JSON")
    export.add_argument("id", nargs="?", help="the session; without it all")
    export.add_argument("--to", type=Path, metavar="FILE", help="a file to write to instead of standard output")
    export.add_argument("--audio", type=Path, metavar="FOLDER", help="copy what is kept of audio there as well")
    export.set_defaults(act=_export)
    delete = actions.add_parser("delete", help="delete all that is kept of one session, or of all")
    what = delete.add_mutually_exclusive_group(required=True)
    what.add_argument("id", nargs="?", help="the session")
    what.add_argument("--all", action="store_true", help="every session")
    delete.set_defaults(act=_delete)
    for action in (listing, export, delete):
        add_config_argument(action)


def _run(arguments: argparse.Namespace) -> int:
    act: Callable[[Archive, argparse.Namespace], Awaitable[None]] = arguments.act
    asyncio.run(_with_archive(act, arguments))
    return 0


async def _with_archive(
    act: Callable[[Archive, argparse.Namespace], Awaitable[None]], arguments: argparse.Namespace
) -> None:
    values = prepare(arguments.config).config.values
    storage = Storage(Path(values["data"]))
    speech = SpeechStore(speech_folder(storage.folder), values["speech_cache"]["disk_mb"] << 20)

    async def forget_speech(keys: Collection[str] | None) -> None:
        await asyncio.to_thread(speech.forget, keys)

    archive = Archive(storage, values["sessions"]["keep_days"], forget_speech=forget_speech)
    try:
        await act(archive, arguments)
    finally:
        archive.close()
        storage.close()


async def _list(archive: Archive, arguments: argparse.Namespace) -> None:
    for row in await archive.sessions(max(1, arguments.most)):
        active = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row["last_active"]))
        whose = row["speaker"] or row["origin"] or "-"
        columns = (row["id"], active, row["persona"], whose, f"{row['entries']} exchanges", row["reason"])
        print("\t".join(columns).rstrip())


async def _export(archive: Archive, arguments: argparse.Namespace) -> None:
    async with aclosing(_sessions(archive, arguments.id, arguments.audio)) as sessions:
        if arguments.to is None:
            async for session in sessions:
                print(json.dumps(session, ensure_ascii=False))
            return
        count = 0
        with _opened(arguments.to) as file:
            async for session in sessions:
                file.write(json.dumps(session, ensure_ascii=False) + "\n")
                count += 1
    print(f"{count} sessions written to {arguments.to}", file=sys.stderr)


async def _delete(archive: Archive, arguments: argparse.Namespace) -> None:
    count = await archive.delete(None if arguments.all else arguments.id)
    if not count and not arguments.all:
        raise _unknown(arguments.id)
    print(f"deleted {count} sessions")


async def _sessions(archive: Archive, id: str | None, audio: Path | None) -> AsyncGenerator[Mapping[str, Any], None]:
    for each in [id] if id is not None else await archive.ids():
        session = await archive.export(each)
        if session is not None:
            if audio is not None:
                _copy(archive, each, session["audio"], audio)
            yield session
        elif id is not None:
            raise _unknown(id)


def _copy(archive: Archive, id: str, names: Sequence[str], folder: Path) -> None:
    """Copy the recordings of a session into a folder of its own below `folder`."""
    try:
        for name in names:
            (folder / id).mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copy2(archive.audio.file(id, name), folder / id / name)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    """Open a file that only its owner may read: it has people's words in it."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error


def _unknown(id: str) -> InputError:
    return InputError(f"nothing is kept of a session {id!r}; `mynah sessions list` shows what there is")


COMMAND = CommandSpec(
    name="sessions", run=_run, arguments=_arguments, description="List, export or delete what is kept of conversations."
)
