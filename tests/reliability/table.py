"""The table in docs/reliability.md, as seen: `python tests/reliability/table.py [--write]` runs the whole matrix."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parents[1]
if __name__ == "__main__":  # run as a program, the tests' modules are not on the path yet
    sys.path.insert(0, str(TESTS))

from reliability.cells import FAULTS, MATRIX, STAGES, WHEN, Cell, bound_s, faults_of  # noqa: E402
from reliability.run import run  # noqa: E402
from reliability.seen import Seen  # noqa: E402

PAGE: Final = TESTS.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- seen: python tests/reliability/table.py --write -->\n", "<!-- end -->\n"
HEAD: Final = (
    "| engine | what it does | heard with the embedded one behind it | heard if it is alone | goes on in | log |\n"
    "|---|---|---|---|---|---|\n"
)
MOST_LOG: Final = 96
Row = tuple[str, ...]


def rows(found: Iterable[Seen]) -> Mapping[Row, Row]:
    """Return a row for each fault of which both cells were seen: what it is, and what was seen."""
    by_cell = {seen.cell: seen for seen in found}
    made: dict[Row, Row] = {}
    for stage in STAGES:
        for fault, when in faults_of(stage):
            behind, alone = (by_cell.get(Cell(stage, fault, when, standby)) for standby in (True, False))
            if behind and alone:
                times = "/".join(dict.fromkeys(f"{bound_s(seen.cell):g}" for seen in (behind, alone)))
                made[title(behind.cell)] = (
                    behind.heard,
                    alone.heard,
                    f"{times} s" if behind.log else "–",
                    shown(behind.log),
                )
    return made


def title(cell: Cell) -> Row:
    """Return the first columns of a cell's row: the engine, and what it does when."""
    return cell.stage, f"{FAULTS[cell.fault]} {WHEN[cell.when]}"


def shown(log: str) -> str:
    """Return a line of the log without what differs from run to run."""
    line = re.sub(r"http://127\.0\.0\.1:\d+/v1", "URL", log)
    line = re.sub(r"the worker for \S+", "the worker", line)
    line = line if len(line) <= MOST_LOG else f"{line[:MOST_LOG].rsplit(' ', 1)[0]} …"
    return f"`{line}`" if line else "–"


def table(found: Iterable[Seen]) -> str:
    """Return the table in Markdown."""
    return HEAD + "".join(f"| {' | '.join([*what, *seen])} |\n" for what, seen in rows(found).items())


def written() -> Mapping[Row, Row]:
    """Return the rows that the page has."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    lines = rest.partition(END)[0].removeprefix(HEAD).splitlines()
    cells = [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]
    return {row[:2]: row[2:] for row in cells}


def main() -> None:
    os.environ["PYTHONPATH"] = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    found = asyncio.run(run(MATRIX))
    for seen in found:
        wrong = [*seen.wrong, *(["late"] if seen.within_s > bound_s(seen.cell) else [])]
        print(f"{seen.cell!s:44} {seen.within_s * 1000:5.0f} ms  {seen.heard}", *(f"\n    {each}" for each in wrong))
    if "--write" in sys.argv:
        before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        _, end, after = rest.partition(END)
        PAGE.write_text(before + begin + table(found) + end + after, encoding="utf-8")


if __name__ == "__main__":
    main()
