"""Doing something again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import ACTIONS, CONDITIONS, ActionSpec, MynahError, Run

MOST: Final = 10_000
"""Rounds of one repeat; more is taken for a mistake."""

BREATH: Final = 50
"""Rounds after which others of the hub get a turn, even where a round waits for nothing."""

SCHEMA: Final = {
    vol.Exclusive("count", "how", description="How often."): vol.All(int, vol.Range(min=0, max=MOST)),
    vol.Exclusive("while", "how", description="Conditions that are asked before each round."): CONDITIONS,
    vol.Exclusive("until", "how", description="Conditions that are asked after each round."): CONDITIONS,
    vol.Exclusive("for_each", "how", description="A list; `repeat.item` is the one whose turn it is."): vol.All(
        list, vol.Length(max=MOST)
    ),
    vol.Required("sequence", description="What is done in each round."): ACTIONS,
}


async def repeat(run: Run, data: Mapping[str, Any]) -> None:
    """Do it so often, while or until something holds, or for each of some."""
    outer = run.variables.get("repeat")
    number = 0
    try:
        for number, more in enumerate(_rounds(data), 1):
            run.variables["repeat"] = {"index": number, "first": number == 1, **more}
            if "while" in data and not run.holds(data["while"]):
                number -= 1
                break
            await run.do(data["sequence"])
            if "until" in data and run.holds(data["until"]):
                break
            if number % BREATH == 0:
                await asyncio.sleep(0)
            if number >= MOST and data.keys() & {"while", "until"}:
                raise MynahError(f"repeat went round {MOST:,} times; is there an end to it?")
    finally:
        run.note(rounds=number)
        if outer is None:
            run.variables.pop("repeat", None)
        else:
            run.variables["repeat"] = outer


def _rounds(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "for_each" in data:
        items = data["for_each"]
        yield from ({"item": item, "last": index == len(items)} for index, item in enumerate(items, 1))
    elif "count" in data:
        yield from ({"last": index == data["count"]} for index in range(1, data["count"] + 1))
    else:
        while True:
            yield {}


SPECS: Final = (ActionSpec(name="repeat", run=repeat, schema=SCHEMA, description="Do something again and again."),)
