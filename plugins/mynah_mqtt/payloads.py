"""Every payload of docs/mqtt.md: commands, replies, what speakers and the hub tell, requests and responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from voluptuous import Optional, Required

from mynah_mqtt.kinds import FLAG, Fields, Kind, list_of, map_of, number, object_of, one_of, or_null, text, whole

Doer = Literal["hub", "speaker"]

PERCENT: Final = whole(0, 100)
NAME: Final = text(1, 64)
WORDS: Final = text(1, 1000)
LANGUAGE: Final = text(2, 35, r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", "a language tag such as en or pt-BR")
WEB: Final = text(1, 500, r"^(https?:/)?/", "a URL of http or https, or a path at the hub")
COMMAND_ID: Final = text(1, 36)
MICROPHONE: Final = one_of("off", "button", "open")


@dataclass(frozen=True, slots=True)
class Shape:
    """A command: who does it, and its fields besides those of every command."""

    doer: Doer
    fields: Fields


COMMANDS: Final[Mapping[str, Shape]] = {
    "say": Shape("hub", {Required("text"): WORDS, Optional("language"): LANGUAGE}),
    "announce": Shape(
        "hub",
        {
            Required("text"): WORDS,
            Optional("language"): LANGUAGE,
            Optional("chime", default=True): FLAG,
            Optional("volume"): PERCENT,
            Optional("resume", default=True): FLAG,
        },
    ),
    "play": Shape("hub", {Required("url"): text(1, 500), Optional("volume"): PERCENT}),
    "persona": Shape("hub", {Required("persona"): NAME}),
    "context": Shape(
        "hub", {Required("context"): map_of(text(0, 200), 32, "an object of up to 32 texts of up to 200 characters")}
    ),
    "alarm": Shape(
        "hub",
        {
            Required("on"): FLAG,
            Optional("tone", default="alarm"): one_of("chime", "alarm"),
            Optional("seconds", default=60): whole(1, 3600),
            Optional("volume"): PERCENT,
        },
    ),
    "stop": Shape("speaker", {}),
    "volume": Shape("speaker", {Required("volume"): PERCENT, Optional("keep", default=True): FLAG}),
    "mute": Shape("speaker", {Required("mute"): FLAG}),
    "listen": Shape("speaker", {Optional("seconds", default=8): whole(1, 60)}),
    "reboot": Shape("speaker", {}),
    "update": Shape(
        "speaker",
        {
            Required("url"): WEB,
            Required("version"): text(1, 32),
            Required("size"): whole(1, 4 * 2**20),
            Required("mac"): text(64, 64, "^[0-9a-f]{64}$", "64 hexadecimal digits"),
        },
    ),
}
"""Every command by its name."""

EVERY_COMMAND: Final[Fields] = {
    Required("id"): COMMAND_ID,
    Required("command"): one_of(*COMMANDS),
    Optional("expires"): number(0),
}
LAPSE_S: Final[Mapping[str, float]] = {"say": 60.0, "announce": 60.0, "play": 60.0, "alarm": 60.0}
"""After how many seconds a command lapses that does not say."""

CODES: Final = ("invalid", "unknown", "too_big", "offline", "busy", "refused", "expired", "failed")
MISSED: Final[Fields] = {Required("speaker"): NAME, Required("message"): text(0, 500)}
REPLY: Final[Fields] = {
    Required("id"): or_null(COMMAND_ID),
    Required("command"): or_null(text(1, 80)),
    Required("ok"): FLAG,
    Required("by"): one_of("hub", "speaker"),
    Optional("code"): one_of(*CODES),
    Optional("message"): text(0, 500),
    Optional("heard"): list_of(NAME),
    Optional("missed"): list_of(object_of(MISSED, "an object with speaker and message")),
}

AVAILABILITY: Final = one_of("online", "offline")
INFO: Final[Fields] = {
    Required("id"): NAME,
    Optional("board"): text(0, 32),
    Optional("firmware"): text(0, 32),
    Optional("slot"): text(0, 8),
    Optional("protocol"): whole(1),
    Optional("plays"): list_of(text(1, 32)),
    Optional("records"): FLAG,
    Optional("buffer_ms"): whole(0),
    Optional("ip"): text(0, 45),
    Optional("mac"): text(0, 17),
    Optional("mpy", description="What compiled modules it loads: MicroPython's `sys.implementation._mpy`."): whole(0),
    Optional("by", description="Set where the hub speaks for a speaker without MQTT."): one_of("hub", "speaker"),
}
STATE: Final[Fields] = {
    Required("phase"): one_of("idle", "listening", "thinking", "speaking", "updating"),
    Required("volume"): PERCENT,
    Required("mute"): FLAG,
    Optional("microphone"): MICROPHONE,
    Optional("hub"): FLAG,
    Optional("rssi"): whole(),
    Optional("underruns"): whole(0),
    Optional("buffer_ms"): whole(0),
    Optional("heap"): whole(0),
    Optional("uptime"): whole(0),
    Optional("turn"): text(0, 32),
}
EVENTS: Final[Mapping[str, Fields]] = {
    "button": {Required("action"): one_of("press", "release")},
    "wake": {Optional("level"): whole(0, 32767)},
    "underrun": {
        Optional("turn"): text(0, 32),
        Required("count"): whole(0),
        Required("ms"): whole(0),
        Optional("late"): whole(0),
    },
    "update": {
        Required("status"): one_of("loading", "rebooting", "confirmed", "rolled_back"),
        Optional("version"): text(0, 32),
    },
    "heard": {Required("turn"): text(0, 32), Required("text"): text(0, 1000), Optional("language"): text(0, 35)},
    "said": {
        Required("turn"): text(0, 32),
        Required("text"): text(0, 1000),
        Optional("language"): text(0, 35),
        Optional("ms"): whole(),
    },
}
KNOWN: Final[Fields] = {
    Required("persona"): or_null(NAME),
    Required("voice"): or_null(NAME),
    Required("language"): or_null(text(1, 35)),
    Required("turn"): or_null(text(0, 32)),
    Required("heard"): or_null(text(0, 1000)),
    Required("said"): or_null(text(0, 1000)),
    Required("ms"): or_null(whole()),
    Required("alarm"): FLAG,
    Required("latest"): or_null(text(1, 32)),
}
"""What the hub knows of a speaker: `speaker/<id>/hub`."""

HUB_STATE: Final[Fields] = {
    Required("status"): one_of("starting", "healthy", "degraded"),
    Required("online"): whole(0),
    Required("alarm"): FLAG,
    Required("ms"): or_null(whole()),
}
HUB_INFO: Final[Fields] = {
    Required("version"): text(1, 32),
    Required("protocol"): whole(1),
    Optional("http"): text(1, 500),
    Required("base"): text(1, 200),
}

PROPERTIES: Final[Mapping[str, tuple[Doer, Kind]]] = {
    "volume": ("speaker", PERCENT),
    "mute": ("speaker", FLAG),
    "microphone": ("speaker", MICROPHONE),
    "persona": ("hub", NAME),
    "language": ("hub", LANGUAGE),
    "voice": ("hub", NAME),
    "firmware": ("hub", text(1, 32)),
}
"""Every property that can be set, and who does it."""

REQUESTS: Final[Mapping[str, Fields]] = {
    "speakers": {Optional("after"): NAME},
    "groups": {},
    "personas": {},
    "health": {},
    "update": {Required("speaker"): NAME},
}
ANY_REQUEST: Final[Fields] = {Required("id"): COMMAND_ID}
SPEAKER_ROW: Final[Fields] = {
    Required("id"): NAME,
    Required("name"): text(0, 200),
    Required("area"): or_null(NAME),
    Required("online"): FLAG,
}
ANY_RESPONSE: Final[Fields] = {
    Required("id"): or_null(COMMAND_ID),
    Required("ok"): FLAG,
    Optional("code"): one_of(*CODES),
    Optional("message"): text(0, 500),
}
RESPONSES: Final[Mapping[str, Fields]] = {
    "speakers": {Optional("speakers"): list_of(object_of(SPEAKER_ROW, "an object with id, name, area and online"))},
    "groups": {Optional("groups"): map_of(list_of(NAME), 10_000, "an object of lists of ids")},
    "personas": {Optional("personas"): list_of(NAME)},
    "health": {Optional("status"): text(1, 32)},
    "update": {Optional("version"): text(1, 32)},
}
