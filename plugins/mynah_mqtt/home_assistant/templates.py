"""Templates that Home Assistant renders: of what it receives, and of the commands it sends.

A command's `id` must be new each time, so it is the time in microseconds. `to_json` is Home Assistant's own filter.
"""

from __future__ import annotations

from typing import Final

FRESH_ID: Final = "'ha-' ~ now().timestamp()"

TEXT_LENGTH: Final = 255
"""What Home Assistant takes as a state."""


def command(name: str, **fields: str) -> str:
    """Return the template of a command; the fields are Jinja expressions."""
    inner = "".join(f", '{field}': {expression}" for field, expression in fields.items())
    return f"{{{{ {{'id': {FRESH_ID}, 'command': '{name}'{inner}}} | to_json }}}}"


def value(field: str) -> str:
    """Return the template of a field as it is; null becomes unknown."""
    return f"{{{{ value_json.{field} }}}}"


def flag(field: str) -> str:
    """Return the template of a field that is true or false."""
    return f"{{{{ 'ON' if value_json.{field} else 'OFF' }}}}"


def text(field: str) -> str:
    """Return the template of a text that may be longer than a state, or missing."""
    return f"{{{{ value_json.{field}[:{TEXT_LENGTH}] if value_json.{field} else None }}}}"


def attributes(field: str) -> str:
    """Return the template of a text's attributes: the whole of it, and its turn."""
    return f"{{{{ {{'text': value_json.{field}, 'turn': value_json.turn}} | to_json }}}}"


# What the hub publishes in a speaker's stead, before the speaker is at the broker, has neither signal nor firmware.
SIGNAL: Final = "{{ value_json.get('rssi') or None }}"
MICROPHONE: Final = "{{ 'OFF' if value_json.microphone == 'off' else 'ON' }}"
VOICE: Final = "{{ value_json.voice or 'default' }}"
INSTALLED: Final = "{{ ({'installed_version': value_json.firmware} if 'firmware' in value_json else {}) | to_json }}"
LATEST: Final = "{{ value_json.latest or '' }}"

# A button is told by its press: what renders to nothing is passed over, and so are events that are none of these.
EVENT: Final = (
    "{% if value_json.event in ('wake', 'heard') or (value_json.event == 'button' and value_json.action == 'press') %}"
    "{{ dict(value_json, event_type=value_json.event) | to_json }}{% endif %}"
)

# Tone, duration and volume are there only where the caller gave them.
ALARM_ON: Final = (
    '{"id": "{{ ' + FRESH_ID + ' }}", "command": "alarm", "on": true'
    '{% if tone is defined %}, "tone": {{ tone | to_json }}{% endif %}'
    '{% if duration is defined %}, "seconds": {{ duration | int }}{% endif %}'
    '{% if volume_level is defined %}, "volume": {{ (volume_level * 100) | round | int }}{% endif %}}'
)
ALARM_OFF: Final = command("alarm", on="false")
