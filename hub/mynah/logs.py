"""Logs: a level, a format and a place, and never a secret."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from mynah.errors import ConfigError, Problem

TEXT: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
REDACTED: Final = "«secret»"


class RedactingFormatter(logging.Formatter):
    """Formats a record and blots out every configured secret, wherever it turns up."""

    def __init__(self, secrets: Iterable[str], inner: logging.Formatter) -> None:
        super().__init__()
        self._known: frozenset[str] = frozenset()
        self._secrets: list[str] = []
        self._inner = inner
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Blot out these from now on too."""
        self._known |= frozenset(secrets)
        # Very short secrets would blot out half the log and give themselves away by that. Quotes and the like in a
        # secret are escaped where a message shows it as data, and once more where the line is JSON.
        plain = {secret for secret in self._known if len(secret) >= 4}
        shown = plain | {repr(secret)[1:-1] for secret in plain} | {_in_json(secret) for secret in plain}
        forms = shown | {_in_json(form) for form in shown}
        self._secrets = sorted(forms, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without secrets."""
        line = self._inner.format(record)
        for secret in self._secrets:
            line = line.replace(secret, REDACTED)
        return line


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON."""
        entry = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def set_up_logs(
    *,
    level: str = "info",
    format: Literal["text", "json"] = "text",
    file: Path | None = None,
    secrets: Iterable[str] = (),
) -> None:
    """Send logs to standard error, and to `file` as well. Raises `ConfigError` where the file cannot be written."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    try:
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            handlers.append(logging.FileHandler(file, encoding="utf-8"))
    except OSError as error:
        raise ConfigError([Problem(f"the log file cannot be written ({error})", where=("log", "file"))]) from error
    least = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        if isinstance(old.formatter, RedactingFormatter):  # one of our own, whose file may be open
            old.close()
    for handler in handlers:
        inner = JsonFormatter() if format == "json" else logging.Formatter(TEXT, "%H:%M:%S")
        handler.setFormatter(RedactingFormatter(secrets, inner))
        handler.addFilter(_OwnOrSerious(least))
        root.addHandler(handler)
    root.setLevel(least)


def redact(secrets: Iterable[str]) -> None:
    """Blot these out of the logs that were set up from now on, as well as what is blotted out already."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, RedactingFormatter):
            handler.formatter.add(secrets)


class _OwnOrSerious(logging.Filter):
    """Lets Mynah and its plugins speak at their level, and libraries only when something is wrong."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        own = record.name.startswith("mynah")
        return record.levelno >= (self._level if own else max(self._level, logging.WARNING))
