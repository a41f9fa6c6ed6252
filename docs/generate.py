"""Writes what of the documentation is made from the code: `python docs/generate.py [--check | --first-turn]`.

docs/configuration.md comes from the schemas, and docs/images/wiring-*.svg from the firmware's board profiles. With
--first-turn docs/images/first-turn.svg is drawn anew, of a turn that is really held: it looks different each time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from html import escape
from pathlib import Path

from wiring import drawings

from mynah.cli.waterfall import STEPS
from mynah.config.reference import reference
from mynah.plugins import load_plugins

DOCS = Path(__file__).parent
LEFT, WIDTH, ROW, TOP = 120, 480, 30, 46


def waterfall_svg(title: str, timeline: Mapping[str, float]) -> str:
    """Draw a turn: a bar for each step, on a common axis of milliseconds since the end of speech."""
    steps = [(name, timeline.get(start, 0.0), timeline[stop]) for name, start, stop in STEPS if stop in timeline]
    end = max(stop for _, _, stop in steps)
    height = TOP + ROW * len(steps) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 90} {height}" role="img" '
        f'aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="13">',
        "<style>text{fill:#334}.bar{fill:#2a8f6d}.grid{stroke:#ccd}"
        "@media(prefers-color-scheme:dark){text{fill:#dde}.bar{fill:#5cc9a3}.grid{stroke:#445}}</style>",
        f'<text x="0" y="18" font-weight="600">{escape(title)}</text>',
    ]
    for tick in _ticks(end):
        x = LEFT + WIDTH * tick / end
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - 24}"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{tick:g} ms</text>')
    for number, (name, start, stop) in enumerate(steps):
        y = TOP + ROW * number
        x, length = LEFT + WIDTH * start / end, max(2.0, WIDTH * (stop - start) / end)
        parts.append(f'<text x="{LEFT - 10}" y="{y + 14}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect class="bar" x="{x:.1f}" y="{y}" width="{length:.1f}" height="18" rx="3"/>')
        parts.append(f'<text x="{x + length + 6:.1f}" y="{y + 14}">{stop:.0f} ms</text>')
    return "\n".join([*parts, "</svg>", ""])


def _ticks(end: float) -> list[float]:
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000) if end / step <= 6)
    return [tick * step for tick in range(int(end // step) + 1)]


def draw_first_turn() -> str:
    """Hold one turn on the embedded engines and draw it."""
    question = Path(__file__).parents[1] / "hub" / "mynah" / "cli" / "question.wav"
    asked = subprocess.run(
        [sys.executable, "-m", "mynah.cli.main", "ask", "--audio", str(question), "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = json.loads(asked.stdout)
    return waterfall_svg(f"“{told['transcript']}?” on the embedded engines", told["timeline"])


def main() -> int:
    """Write the files, or with --check say whether reference and drawings are up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where something is out of date")
    parser.add_argument("--first-turn", action="store_true", help="hold a turn and draw it, too")
    arguments = parser.parse_args()
    images = DOCS / "images"
    images.mkdir(exist_ok=True)
    files = {DOCS / "configuration.md": reference(load_plugins().specs)}
    files |= {images / name: text for name, text in drawings().items()}
    if arguments.check:
        old = [file.name for file, text in files.items() if not file.exists() or file.read_text("utf-8") != text]
        print(*old, sep="\n", file=sys.stderr)
        return 1 if old else 0
    if arguments.first_turn:
        files[images / "first-turn.svg"] = draw_first_turn()
    for file, text in files.items():
        file.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
