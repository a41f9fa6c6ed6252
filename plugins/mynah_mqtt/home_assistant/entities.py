"""The entities of a speaker and of the hub, in the words of Home Assistant's documentation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mynah_mqtt.home_assistant import templates
from mynah_mqtt.home_assistant.facts import HubFacts, SpeakerFacts
from mynah_mqtt.home_assistant.names import choices
from mynah_mqtt.speaking import DEFAULT_VOICE

PHASES: Final = ("idle", "listening", "thinking", "speaking", "updating")
STATUSES: Final = ("starting", "healthy", "degraded")
EVENTS: Final = ("wake", "button", "heard")
TONES: Final = ("chime", "alarm")
CONFIG: Final = {"entity_category": "config"}
DIAGNOSTIC: Final = {"entity_category": "diagnostic"}


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity: its platform, its key within the device, its name, and what its platform wants to know."""

    platform: str
    key: str
    name: str
    icon: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


def speaker_entities(facts: SpeakerFacts, topic: str) -> Iterator[Entity]:
    """Yield what a speaker shows; `topic` is that of the speaker, without its last level."""
    yield from _speech(f"{topic}/cmd")
    yield from _controls(facts, topic)
    yield from _choices(facts, topic)
    yield from _sensors(facts, topic)
    yield _event(topic)
    yield _siren("Alarm", f"{topic}/cmd", f"{topic}/hub")
    if facts.firmware:
        yield from _firmware(topic)


def hub_entities(facts: HubFacts, base: str) -> Iterator[Entity]:
    """Yield what the hub shows: its state, and what speaks to everyone."""
    state = f"{base}/hub/state"
    yield Entity("sensor", "status", "Status", "mdi:heart-pulse", _enum(state, "status", STATUSES) | DIAGNOSTIC)
    online = {"state_topic": state, "value_template": templates.value("online"), "state_class": "measurement"}
    yield Entity("sensor", "online", "Speakers online", "mdi:speaker-multiple", online | DIAGNOSTIC)
    yield _latency(state)
    if facts.everyone:
        everyone = f"{base}/group/{facts.everyone}/cmd"
        yield from _speech(everyone)
        yield _button("stop", "Stop", "mdi:stop", everyone)
        yield _siren("Alarm", everyone, state)


def _speech(commands: str) -> Iterator[Entity]:
    say = templates.command("say", text="value")
    limits = {"min": 1, "max": templates.TEXT_LENGTH, "mode": "text"}
    yield Entity("text", "say", "Say", "mdi:text-to-speech", _told(commands, say) | limits)
    announce = templates.command("announce", text="(value | string)[:1000]")
    yield Entity("notify", "announce", "Announce", "mdi:bullhorn", _told(commands, announce))


def _controls(facts: SpeakerFacts, topic: str) -> Iterator[Entity]:
    state = f"{topic}/state"
    volume = _set(topic, "volume", state, templates.value("volume"))
    scale = {"min": 0, "max": 100, "step": 1, "mode": "slider", "unit_of_measurement": "%"}
    yield Entity("number", "volume", "Volume", "mdi:volume-high", volume | scale)
    yield Entity("switch", "mute", "Mute", "mdi:volume-off", _set(topic, "mute", state, templates.flag("mute")))
    yield _button("stop", "Stop", "mdi:stop", f"{topic}/cmd")
    if facts.records:
        microphone = _set(topic, "microphone", state, templates.MICROPHONE)
        payloads = {"payload_on": facts.microphone, "payload_off": "off", "state_on": "ON", "state_off": "OFF"}
        yield Entity("switch", "microphone", "Microphone", "mdi:microphone", microphone | payloads)
        yield _button("listen", "Listen", "mdi:ear-hearing", f"{topic}/cmd")


def _choices(facts: SpeakerFacts, topic: str) -> Iterator[Entity]:
    known = f"{topic}/hub"
    if personas := choices(facts.personas):
        persona = _set(topic, "persona", known, templates.value("persona")) | {"options": personas}
        yield Entity("select", "persona", "Persona", "mdi:account-voice", persona)
    if voices := choices((DEFAULT_VOICE, *facts.voices))[1:]:
        voice = _set(topic, "voice", known, templates.VOICE) | {"options": [DEFAULT_VOICE, *voices]} | CONFIG
        yield Entity("select", "voice", "Voice", "mdi:account-music", voice)


def _sensors(facts: SpeakerFacts, topic: str) -> Iterator[Entity]:
    state, known = f"{topic}/state", f"{topic}/hub"
    yield Entity("sensor", "phase", "Phase", "mdi:chat-processing", _enum(state, "phase", PHASES))
    if facts.wireless:
        signal = {
            "state_topic": state,
            "value_template": templates.SIGNAL,
            "device_class": "signal_strength",
            "state_class": "measurement",
            "unit_of_measurement": "dBm",
        }
        yield Entity("sensor", "signal", "Signal", None, signal | DIAGNOSTIC)
    if facts.records:
        yield Entity("sensor", "last_heard", "Last heard", "mdi:message-text", _words(known, "heard"))
    yield Entity("sensor", "last_said", "Last said", "mdi:message-reply-text", _words(known, "said"))
    yield _latency(known)


def _firmware(topic: str) -> Iterator[Entity]:
    restart = _told(f"{topic}/cmd", templates.command("reboot")) | {"device_class": "restart"} | CONFIG
    yield Entity("button", "restart", "Restart", None, restart)
    update = {
        "state_topic": f"{topic}/info",
        "value_template": templates.INSTALLED,
        "latest_version_topic": f"{topic}/hub",
        "latest_version_template": templates.LATEST,
        # No template is rendered here, so there is no room for a fresh id: a property needs none.
        "command_topic": f"{topic}/firmware/set",
        "payload_install": "latest",
        "device_class": "firmware",
        "title": "Mynah firmware",
    }
    yield Entity("update", "firmware", "Firmware", None, update | CONFIG)


def _event(topic: str) -> Entity:
    config = {"state_topic": f"{topic}/event", "value_template": templates.EVENT, "event_types": list(EVENTS)}
    return Entity("event", "event", "Event", "mdi:gesture-tap-button", config)


def _siren(name: str, commands: str, state: str) -> Entity:
    config = _told(commands, templates.ALARM_ON) | {
        "command_off_template": templates.ALARM_OFF,
        "state_topic": state,
        "state_value_template": templates.flag("alarm"),
        "available_tones": list(TONES),
        "support_duration": True,
        "support_volume_set": True,
    }
    return Entity("siren", "alarm", name, "mdi:alarm-bell", config)


def _button(key: str, name: str, icon: str, commands: str) -> Entity:
    return Entity("button", key, name, icon, _told(commands, templates.command(key)))


def _latency(topic: str) -> Entity:
    config = {
        "state_topic": topic,
        "value_template": templates.value("ms"),
        "device_class": "duration",
        "state_class": "measurement",
        "unit_of_measurement": "ms",
        "suggested_display_precision": 0,
    }
    return Entity("sensor", "latency", "Latency", "mdi:timer-outline", config | DIAGNOSTIC)


def _enum(topic: str, name: str, options: tuple[str, ...]) -> dict[str, Any]:
    return {
        "state_topic": topic,
        "value_template": templates.value(name),
        "device_class": "enum",
        "options": list(options),
    }


def _words(topic: str, name: str) -> dict[str, Any]:
    return {
        "state_topic": topic,
        "value_template": templates.text(name),
        "json_attributes_topic": topic,
        "json_attributes_template": templates.attributes(name),
    }


def _told(topic: str, template: str) -> dict[str, Any]:
    return {"command_topic": topic, "command_template": template}


def _set(topic: str, name: str, state: str, template: str) -> dict[str, Any]:
    return {"command_topic": f"{topic}/{name}/set", "state_topic": state, "value_template": template}
