"""Fetches a model from Hugging Face, file by file: every wait is limited, and what arrived is kept for the next try."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mynah import EngineUnavailable
from mynah_whisper.models import NEEDED, WEIGHTS, home, missing, repository
from mynah_whisper.progress import Progress

if TYPE_CHECKING:
    import aiohttp

OPTIONAL: Final = ("preprocessor_config.json", "vocabulary.json", "vocabulary.txt")
CONNECT_S: Final = 3.0
SILENT_S: Final = 20.0
"""How long nothing may arrive while a file is fetched."""
ANSWER_S: Final = 8.0
"""How long the first answer may take: whether there is a network is known by then."""
PIECE: Final = 1 << 18


async def fetch(model: str, folder: Path) -> Path:
    """Fetch a model by name into the engine's folder and return where it is.

    Raises `EngineUnavailable`, soon where there is no network.
    """
    import aiohttp  # late: it takes 0.2 s, and most hubs fetch nothing

    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        raise missing(model, folder, "HF_HUB_OFFLINE is set")
    server = (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")
    place = home(model, folder)
    limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENT_S)
    try:
        place.mkdir(parents=True, exist_ok=True)
        # With proxies from the environment, as browsers and pip have them.
        async with aiohttp.ClientSession(timeout=limits, trust_env=True) as session:
            files = _Files(session, f"{server}/{repository(model)}/resolve/main", place)
            async with asyncio.timeout(ANSWER_S):
                await files.fetch("config.json")
            for file in ("tokenizer.json", *OPTIONAL):
                await files.fetch(file, needed=file in NEEDED)
            with Progress(f"fetching the model {model}", download=True) as progress:
                await files.fetch(WEIGHTS, progress)
    except TimeoutError as error:
        raise missing(model, folder, f"no answer from {server}") from error
    except aiohttp.ClientResponseError as error:
        raise missing(model, folder, f"{server} answers {error.status} {error.message}") from error
    except aiohttp.ClientConnectorError as error:
        raise missing(model, folder, f"no connection to {server}") from error
    except aiohttp.ClientError as error:
        raise missing(model, folder, f"the connection to {server} broke") from error
    except OSError as error:
        raise EngineUnavailable(f"the model {model!r} cannot be written to {place}: {error}") from error
    return place


class _Files:
    """The files of a repository at `url`, and the folder they go to."""

    def __init__(self, session: aiohttp.ClientSession, url: str, place: Path) -> None:
        self._session = session
        self._url = url
        self._place = place

    async def fetch(self, file: str, progress: Progress | None = None, *, needed: bool = True) -> None:
        """Fetch a file under its name once it is whole; what a broken try left is gone on with."""
        part = self._place / f"{file}.part"
        have = part.stat().st_size if part.is_file() else 0
        # Not compressed, as a part of something compressed could not be gone on with.
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
        async with self._session.get(f"{self._url}/{file}", headers=headers) as answer:
            if answer.status == 404 and not needed:
                return
            if answer.status == 416:  # there was nothing left to fetch
                self._complete(part, file, _whole(answer))
                return
            answer.raise_for_status()
            have = have if answer.status == 206 else 0
            if progress is not None:
                progress.begin(have + (answer.content_length or 0), have)
            with part.open("ab" if have else "wb") as out:
                async for piece in answer.content.iter_chunked(PIECE):
                    await asyncio.to_thread(out.write, piece)  # a slow card may take seconds for it
                    if progress is not None:
                        progress.add(len(piece))
        self._complete(part, file, _whole(answer))

    def _complete(self, part: Path, file: str, whole: int | None) -> None:
        """Give a part its name. One of another size was written twice at once, or is of another revision."""
        if whole is not None and part.stat().st_size != whole:
            part.unlink()
            raise EngineUnavailable(f"{part} was damaged and is deleted; the next try fetches it anew")
        part.rename(self._place / file)


def _whole(answer: aiohttp.ClientResponse) -> int | None:
    """Return the size of the whole file, or None where the server does not tell."""
    if answer.status == 200:
        return None if "Content-Encoding" in answer.headers else answer.content_length
    size = answer.headers.get("Content-Range", "").rpartition("/")[2]
    return int(size) if size.isdecimal() else None
