"""PyYAML's complaints in plain words."""

from __future__ import annotations

import re
from typing import Final

import yaml

UNCLOSED_QUOTE: Final = "a quotation mark that opens here is never closed"
UNCLOSED_LIST: Final = "a list in [brackets] that opens here is not closed, or lacks a comma"
UNCLOSED_MAP: Final = "a mapping in {braces} that opens here is not closed, or lacks a comma"
INDENTATION: Final = "the indentation does not fit the lines above; entries of one level start in the same column"
ESCAPE: Final = "a backslash in \"double quotes\" begins an escape; use 'single quotes' for plain text"
COLON: Final = (
    "a ':' that does not fit here; check the indentation, the space after each ':' here and in the line above, "
    "and put text that holds ': ' in quotes"
)

# Where the third part is true the mistake is at the beginning of what was being read, not where reading stopped.
PLAIN: Final[tuple[tuple[str, str, bool], ...]] = (
    (r"found character '\\t'", "a tab character; indent with spaces", False),
    (r"found character '(?P<what>[@`%])'", "a text cannot begin with {what}; put it in quotes", False),
    (r"mapping values are not allowed here", COLON, False),
    (r"could not find expected ':'", "this line is no 'key: value'; is a ':' missing?", True),
    (r"sequence entries are not allowed", "a list cannot begin here; put its first '-' on a line of its own", False),
    (r"found unexpected (end of stream|document separator)", UNCLOSED_QUOTE, True),
    (r"expected ',' or '\]'", UNCLOSED_LIST, True),
    (r"expected ',' or '\}'", UNCLOSED_MAP, True),
    (r"but found '<scalar>'", "text goes on after a closing quotation mark; write a ' within '…' twice", False),
    (r"expected <block end>", INDENTATION, False),
    (r"found unknown escape character|expected escape sequence", ESCAPE, False),
    (r"found '<stream end>'", "the file ends too early: a bracket that was opened is not closed", False),
    (r"expected the node content", "a value is missing here, or should be in quotes", False),
    (
        r"found undefined alias '(?P<what>.*)'",
        "there is no '&{what}' above; put text that begins with * in quotes",
        False,
    ),
    (r"expected alphabetic or numeric character", "a text cannot begin with & or *; put it in quotes", False),
    (r"found duplicate anchor", "this &name is used twice", False),
    (r"another document", "a second document begins here ('---'); a file holds one", False),
)


def plain_words(error: yaml.YAMLError) -> tuple[str, int]:
    """Return what is wrong, and its line counted from 1 (0: unknown)."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return "this is not YAML text", 0
    problem = error.problem or error.context or "this is not YAML text"
    words, at_start = _look_up(problem)
    mark = error.context_mark if at_start and error.context_mark else error.problem_mark or error.context_mark
    return words, mark.line + 1 if mark else 0


def _look_up(problem: str) -> tuple[str, bool]:
    for pattern, words, at_start in PLAIN:
        if found := re.search(pattern, problem):
            what = found.groupdict().get("what") or ""
            return words.replace("{what}", what), at_start
    return problem, False
