"""Draws how a speaker is wired, one drawing for each board profile of firmware/app/boards.py."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

BOARDS: Mapping[str, Mapping[str, Any]] = runpy.run_path(
    str(Path(__file__).parents[1] / "firmware" / "app" / "boards.py")
)["BOARDS"]
TITLES = {
    "esp32": "ESP32 with INMP441 and MAX98357A",
    "esp32_vs1053": "ESP32 with INMP441 and VS1053",
    "esp32s3": "ESP32-S3 with INMP441 and MAX98357A",
    "esp32c3": "ESP32-C3 with INMP441 and MAX98357A",
}
ROW, TOP, PART, WIRE, CHIP = 24, 44, 130, 170, 150
COLOURS = {"3V3": "power", "5V": "power", "GND": "ground"}

Wires = list[tuple[str, str | int]]


def parts(profile: Mapping[str, Any]) -> tuple[list[tuple[str, Wires]], list[tuple[str, Wires]]]:
    """Return the parts to the left and to the right of the chip: their names, and which pin goes where."""
    _, clock, word, data = profile["mic"]
    microphone = [("VDD", "3V3"), ("GND", "GND"), ("L/R", "GND"), ("SCK", clock), ("WS", word), ("SD", data)]
    left = [("INMP441", microphone), ("button", [("1", profile["button"]), ("2", "GND")])]
    if "vs1053" in profile:
        _, *pins = profile["vs1053"]
        names = ("SCK", "MOSI", "MISO", "XCS", "XDCS", "DREQ", "XRST")
        sound = ("VS1053", [("5V", "5V"), ("GND", "GND"), *zip(names, pins, strict=True)])
    else:
        _, *pins = profile["out"]
        sound = ("MAX98357A", [("VIN", "5V"), ("GND", "GND"), *zip(("BCLK", "LRC", "DIN"), pins, strict=True)])
        if "amp" in profile:
            sound[1].append(("SD", profile["amp"]))
    if "pixel" in profile:
        light = ("WS2812 LED", [("DIN", profile["pixel"])])
    else:
        light = ("LED", [("+", profile["led"]), ("−", "GND")])
    return left, [sound, light]


def drawing(name: str) -> str:
    """Draw a board as SVG."""
    sides = parts(BOARDS[name])
    rows = max(sum(len(wires) + 2 for _, wires in side) for side in sides)
    width, height = 2 * (PART + WIRE) + CHIP, TOP + ROW * rows
    middle = PART + WIRE
    chip = escape(name.partition("_")[0].upper())
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Wiring of {escape(TITLES[name])}" font-family="system-ui, sans-serif" font-size="13">',
        "<style>text{fill:#334}.part,.chip{fill:none;stroke:#667}.chip{fill:#2a8f6d22}path{fill:none;stroke-width:2}"
        ".power{stroke:#c33}.ground{stroke:#333}.signal{stroke:#2a6fb0}"
        "@media(prefers-color-scheme:dark){text{fill:#dde}.ground{stroke:#bbb}.signal{stroke:#6ab0f3}}</style>",
        f'<text x="0" y="18" font-weight="600">{escape(TITLES[name])}</text>',
        f'<rect class="chip" x="{middle}" y="{TOP - 14}" width="{CHIP}" height="{height - TOP}" rx="6"/>',
        f'<text x="{middle + CHIP / 2}" y="{TOP + 4}" text-anchor="middle">{chip}</text>',
    ]
    for side, on_right in zip(sides, (False, True), strict=True):
        lines += _side(side, on_right=on_right)
    return "\n".join([*lines, "</svg>", ""])


def _side(side: list[tuple[str, Wires]], *, on_right: bool) -> list[str]:
    lines, y = [], TOP
    for part, wires in side:
        x = PART + 2 * WIRE + CHIP if on_right else 0
        lines.append(f'<text x="{x + PART / 2}" y="{y + 4}" text-anchor="middle" font-weight="600">{part}</text>')
        top = y + 10
        for pin, goal in wires:
            y += ROW
            lines += _wire(pin, goal, y, on_right=on_right)
        lines.append(f'<rect class="part" x="{x}" y="{top}" width="{PART}" height="{y - top + 10}" rx="6"/>')
        y += 2 * ROW
    return lines


def _wire(pin: str, goal: str | int, y: int, *, on_right: bool) -> list[str]:
    label = f"GPIO {goal}" if isinstance(goal, int) else str(goal)
    kind = COLOURS.get(str(goal), "signal")
    near, far = PART, PART + WIRE
    if on_right:
        near, far = PART + 2 * WIRE + CHIP, PART + WIRE + CHIP
    inward = 8 if on_right else -8
    anchors = ("start", "end") if on_right else ("end", "start")
    return [
        f'<path class="{kind}" d="M{near} {y} L{far} {y}"/>',
        f'<text x="{near + inward}" y="{y + 4}" text-anchor="{anchors[0]}">{escape(pin)}</text>',
        f'<text x="{far - inward}" y="{y + 4}" text-anchor="{anchors[1]}">{label}</text>',
    ]


def drawings() -> dict[str, str]:
    """Return the drawings by file name."""
    return {f"wiring-{name}.svg": drawing(name) for name in BOARDS}
