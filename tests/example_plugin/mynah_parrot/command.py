"""`mynah parrot TEXT`."""

from __future__ import annotations

import argparse

from mynah_parrot.words import repeated


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.add_argument("text", metavar="TEXT", help="what it is to say")
    parser.add_argument("--times", type=int, choices=range(1, 11), default=1, metavar="N", help="how often (1 to 10)")


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    print("".join(repeated(arguments.text, arguments.times)))
    return 0
