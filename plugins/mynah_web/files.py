"""The files that the page is made of: read once, known by their content, and no others."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "static"
PAGE: Final = "index.html"
TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent: its bytes, its media type, and a tag that changes with its content."""

    data: bytes
    type: str
    tag: str


@cache
def known() -> frozenset[str]:
    """Return the names of all files, by their paths below the folder; nothing else is ever opened."""
    return frozenset(
        path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.suffix in TYPES and path.is_file()
    )


@cache
def read(name: str) -> File:
    """Return a file of that name. Raises `KeyError` where there is none."""
    if name not in known():
        raise KeyError(name)
    path = FOLDER / name
    data = path.read_bytes()
    return File(data, TYPES[path.suffix], hashlib.sha256(data).hexdigest()[:16])
