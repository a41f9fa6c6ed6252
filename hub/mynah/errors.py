"""What can go wrong, in the user's words.

Every error that a user can cause derives from `MynahError` and reads as one clear line: what is wrong, where, and
what to do. Anything else that escapes is a defect of the hub.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class MynahError(Exception):
    """An error with a message for people; shown without a traceback."""


class AudioError(MynahError):
    """Audio that cannot be read or written: unknown format, damaged data, nothing decodable."""


class EngineError(MynahError):
    """An engine failed at its work; the chain may try the next one."""


class EngineUnavailable(EngineError):
    """An engine cannot be opened here: a model, a library or a server is missing."""


class InputRefused(EngineError):
    """No engine could be found for this very input: at least one works, but says that it is not for it."""


class Refusal(str):
    """Why an engine did not answer where that is no failure of its own: this input is not for it."""

    __slots__ = ()


class StageTimeout(EngineError):
    """A stage of a turn took longer than its limit."""


class PluginError(MynahError):
    """A plugin cannot be used: it does not import, its hooks are wrong, or a name is taken."""


class StorageError(MynahError):
    """The data folder or its database cannot be used."""


class InputError(MynahError):
    """A client sent something that cannot be used; the connection stays usable."""


class LimitError(InputError):
    """A client asked for more than a limit allows: sessions, bytes, seconds."""


class SizeError(LimitError):
    """What a client sent is larger than a limit allows: it will be no smaller when it is sent again."""


def cause(error: Exception) -> Exception:
    """Return what a TaskGroup's exception is about: its first error; any other exception as it is."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the configuration.

    `where` is the path of keys to the value, `line` counts from 1 (0: unknown); `hint` says what to do. A `warning` is
    told, but nothing is refused for it: it may be right all the same.
    """

    message: str
    file: Path | None = None
    line: int = 0
    where: tuple[str | int, ...] = ()
    hint: str = ""
    warning: bool = False

    def __str__(self) -> str:
        place = f"{self.file.name if self.file else 'configuration'}" + (f":{self.line}" if self.line else "")
        place += ": warning" if self.warning else ""
        path = " → ".join(str(step) for step in self.where)
        return f"{place}: {path + ': ' if path else ''}{self.message}" + (f"; {self.hint}" if self.hint else "")


class ConfigError(MynahError):
    """The configuration cannot be used; carries every problem found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))
