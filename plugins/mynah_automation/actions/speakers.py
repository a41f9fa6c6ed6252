"""What speakers do: say, announce, play, volume, listen, who speaks there and in which context."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol

from mynah import ActionSpec, Hub, InputError, MynahError, Run
from mynah_automation.config import TEXT
from mynah_automation.triggers.mqtt import messages

WHERE: Final = {
    vol.Optional("where", description="A speaker, area, group or all; else the speaker that was spoken to."): (TEXT),
}
HOW: Final = {
    vol.Optional("urgency", default="announcement", description="reply, announcement or alarm."): vol.In(
        ["reply", "announcement", "alarm"]
    ),
    vol.Optional("volume", description="How loud, in percent, for as long as it sounds."): vol.All(
        int, vol.Range(min=0, max=100)
    ),
    vol.Optional("chime", default=True, description="Whether a chime comes before it."): bool,
    vol.Optional("resume", default=True, description="Whether what it interrupts goes on afterwards."): bool,
    vol.Optional("wait", default=False, description="Whether the next action waits until it has sounded."): bool,
}


def place(run: Run, data: Mapping[str, Any]) -> str:
    """Return where something is to happen. Raises `InputError` where that is not said."""
    where = data.get("where")
    if where is None:
        where = (run.variables.get("trigger") or {}).get("speaker")
    if not where:
        raise InputError("it is not said where; add 'where: SPEAKER'")
    return str(where).removeprefix("speaker.")


def speakers_at(hub: Hub, where: str) -> list[Mapping[str, Any]]:
    """Return the speakers of that name, area or group. Raises `InputError` where nothing has that name."""
    speakers = list(hub.speakers())
    group = hub.config["groups"].get(where)
    names = {where, where.replace("_", "-")}
    found = [
        each
        for each in speakers
        if where == "all"
        or each["id"] in names
        or each["area"] in names
        or (group is not None and (each["id"] in group or each["area"] in group))
    ]
    if not found and where != "all" and group is None:
        known = ", ".join(str(each["id"]) for each in speakers) or "none"
        raise InputError(f"no speaker, area or group named {where!r}; known speakers are {known}")
    return found


def sessions_at(run: Run, data: Mapping[str, Any]) -> list[Any]:
    """Return the open sessions of a place. Raises `InputError` where there is none."""
    hub, where = run.house.hub, place(run, data)
    ids = [each["session"] for each in speakers_at(hub, where) if each["session"]]
    if not ids:
        raise InputError(f"no speaker of {where!r} is connected")
    return [hub.session(id) for id in ids]


async def say(run: Run, data: Mapping[str, Any]) -> None:
    """Have speakers say something, each in its own persona's voice."""
    for session in sessions_at(run, data):
        session.say(data["text"], language=data.get("language"), urgency=data["urgency"])


async def announce(run: Run, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Have speakers say something together."""
    return await _announced(run, data, data["text"], None)


async def play(run: Run, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Have speakers play a sound together."""
    return await _announced(run, {**data, "chime": False}, "", data["source"])


async def _announced(run: Run, data: Mapping[str, Any], text: str, source: str | None) -> Mapping[str, Any]:
    where = place(run, data)
    speakers_at(run.house.hub, where)
    announcement = run.house.hub.announce(
        text,
        where,
        play=source,
        language=data.get("language"),
        urgency=data["urgency"],
        chime=data["chime"],
        volume=data.get("volume"),
        resume=data["resume"],
        voice_of=data.get("persona"),
    )
    run.note(taken=list(announcement.taken))
    if not announcement.taken:
        raise MynahError(f"no speaker of {where!r} is connected; nobody heard it")
    if not data["wait"]:
        return {"taken": list(announcement.taken)}
    report = await announcement.finished()
    run.note(heard=list(report.heard), missed=dict(report.missed))
    if not report.heard:
        why = "; ".join(f"{speaker}: {reason}" for speaker, reason in report.missed.items())
        raise MynahError(f"nobody heard it to its end: {why}")
    return {"heard": list(report.heard), "missed": dict(report.missed)}


async def volume(run: Run, data: Mapping[str, Any]) -> None:
    """Set how loud speakers play, or change it."""
    for session in sessions_at(run, data):
        wanted = data.get("percent", session.volume + data.get("change", 0))
        session.set_volume(min(max(wanted, 0), 100))


async def listen(run: Run, data: Mapping[str, Any]) -> None:
    """Have speakers listen, as if their button were held."""
    hub = run.house.hub
    link, base = messages(run.house), hub.config["mqtt"]["base"]
    for speaker in speakers_at(hub, place(run, data)):
        command = {"id": uuid.uuid4().hex[:16], "command": "listen", "seconds": data["seconds"]}
        link.publish(f"{base}/speaker/{speaker['id']}/cmd", json.dumps(command), qos=1)


async def stop(run: Run, data: Mapping[str, Any]) -> None:
    """Have speakers be silent."""
    for session in sessions_at(run, data):
        session.interrupt("stop")


async def set_persona(run: Run, data: Mapping[str, Any]) -> None:
    """Have somebody else speak there."""
    for session in sessions_at(run, data):
        session.update(persona=data["persona"], language=data.get("language"))


async def set_context(run: Run, data: Mapping[str, Any]) -> None:
    """Change what is known of a place."""
    for session in sessions_at(run, data):
        session.update(context={str(key): str(value) for key, value in data["context"].items()})


LANGUAGE: Final = {vol.Optional("language", description="Its language, such as en or pt-BR."): TEXT}
SAID: Final = {vol.Required("text", description="What is said."): TEXT}
SPECS: Final = (
    ActionSpec(
        name="say",
        run=say,
        schema={
            **SAID,
            **WHERE,
            **LANGUAGE,
            vol.Optional("urgency", default="reply", description="reply, announcement or alarm."): vol.In(
                ["reply", "announcement", "alarm"]
            ),
        },
        short="text",
        description="Have speakers say something, each in its own voice.",
    ),
    ActionSpec(
        name="announce",
        run=announce,
        schema={
            **SAID,
            **WHERE,
            **LANGUAGE,
            **HOW,
            vol.Optional("persona", description="In whose voice."): TEXT,
        },
        short="text",
        description="Have speakers say something together.",
    ),
    ActionSpec(
        name="play",
        run=play,
        schema={vol.Required("source", description="A file of the media folder, or an address."): TEXT, **WHERE, **HOW},
        short="source",
        description="Have speakers play a sound together.",
    ),
    ActionSpec(
        name="volume",
        run=volume,
        schema={
            **WHERE,
            vol.Exclusive("percent", "how", description="How loud, 0 to 100."): vol.All(
                vol.Coerce(int), vol.Range(min=0, max=100)
            ),
            vol.Exclusive("change", "how", description="How much louder, or with a minus quieter."): vol.All(
                vol.Coerce(int), vol.Range(min=-100, max=100)
            ),
        },
        short="percent",
        description="Set how loud speakers play.",
    ),
    ActionSpec(
        name="listen",
        run=listen,
        schema={
            **WHERE,
            vol.Optional("seconds", default=8, description="How long."): vol.All(int, vol.Range(min=1, max=60)),
        },
        short="where",
        description="Have speakers listen, over MQTT.",
    ),
    ActionSpec(name="silence", run=stop, schema=WHERE, short="where", description="Have speakers be silent at once."),
    ActionSpec(
        name="set_persona",
        run=set_persona,
        schema={vol.Required("persona", description="Who speaks from now on."): TEXT, **WHERE, **LANGUAGE},
        short="persona",
        description="Have somebody else speak there.",
    ),
    ActionSpec(
        name="set_context",
        run=set_context,
        schema={vol.Required("context", description="Facts by name; an empty one is forgotten."): dict, **WHERE},
        description="Change what is known of a place.",
    ),
)
