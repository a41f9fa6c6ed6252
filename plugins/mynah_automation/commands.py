"""`mynah automation list|trigger|trace`: what a running hub does by itself."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from mynah import CommandSpec, InputError, RunningHub


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("list", "trigger", "trace"), help="list them, have one act, or show its runs")
    parser.add_argument("name", nargs="?", help="the automation or script: its entity, id or alias")
    parser.add_argument("--number", type=int, metavar="N", help="trace: this run alone, by its number")
    parser.add_argument("--condition", action="store_true", help="trigger: only where its conditions hold")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")


def run(arguments: argparse.Namespace) -> int:
    """Do what the arguments say."""
    hub: RunningHub = arguments.hub
    if arguments.what != "list" and not arguments.name:
        raise InputError(f"say which one: mynah automation {arguments.what} NAME")
    if arguments.what == "list":
        found = hub.get("automations")
        lines = listed(found)
    elif arguments.what == "trigger":
        found = hub.post("automations", arguments.name, "trigger", body={"skip_condition": not arguments.condition})
        lines = iter([f"run {found['run']} began" if found["started"] else f"it did not run: {found['message']}"])
    else:
        found = hub.get("automations", arguments.name, "traces")
        if arguments.number is not None:
            found = [each for each in found if each["run"] == arguments.number]
        lines = (line for each in found for line in traced(each))
    for line in [json.dumps(found, ensure_ascii=False)] if arguments.json else lines:
        sys.stdout.write(f"{line}\n")
    return 1 if arguments.what == "trigger" and not found["started"] else 0


def listed(found: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each automation and script."""
    if not found:
        yield "There are none; write some under 'automations:' in the configuration."
    width = max((len(each["entity_id"]) for each in found), default=0)
    for each in found:
        at = each["last_triggered"]
        outcome = each["last_run"]["outcome"] if each["last_run"] else ""
        last = f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M:%S} {outcome}".strip() if at else "never"
        state = "script" if each["kind"] == "script" else "on" if each["on"] else "off"
        more = f"  {each['trouble']}" if each["trouble"] else ""
        yield f"{each['entity_id']:<{width}}  {state:<6}  {each['mode']:<8}  last: {last}  {each['alias']}{more}"


def traced(trace: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of one trace."""
    took = "" if trace["seconds"] is None else f" after {trace['seconds']:g} s"
    message = f": {trace['message']}" if trace["message"] else ""
    began = datetime.fromtimestamp(trace["began"])
    yield f"run {trace['run']}, {began:%Y-%m-%d %H:%M:%S}: {trace['outcome']}{took}{message}"
    if trace["trigger"].get("description"):
        yield f"  trigger {trace['trigger'].get('id')}: {trace['trigger']['description']}"
    for step in trace["steps"]:
        result = "" if "result" not in step else f"  {_plain(step['result'])}"
        error = f"  failed: {step['error']}" if "error" in step else ""
        yield f"  {step['at']:8.3f} s  {step['place']}: {step['name']}{result}{error}"
    if trace.get("steps_left_out"):
        yield f"  and {trace['steps_left_out']} more steps"


def _plain(result: Any) -> str:
    if isinstance(result, Mapping):
        return ", ".join(f"{name} {json.dumps(each, ensure_ascii=False)}" for name, each in result.items())
    return json.dumps(result, ensure_ascii=False)


COMMAND = CommandSpec(
    name="automation",
    run=run,
    arguments=_arguments,
    asks_hub=True,
    description="List automations, have one act, or see what it did and why.",
)
