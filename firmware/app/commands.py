"""What may be commanded over MQTT, and how a payload is checked (docs/mqtt.md)."""

import json

from micropython import const

# What each takes, beside id, command and expires.
FIELDS = {
    "stop": "",
    "volume": "volume keep",
    "mute": "mute",
    "listen": "seconds",
    "reboot": "",
    "update": "url version size mac",
}
_REMEMBERED = const(16)
_SAVED = const(4)


class Wrong(ValueError):
    """A command that cannot be done; `code` is one of the reply's."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def whole(value, name, low, high):
    """Return a whole number, or raise Wrong."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Wrong("invalid", "%s must be a whole number from %d to %d" % (name, low, high))
    return value


def truth(value, name):
    """Return a truth, or raise Wrong."""
    if not isinstance(value, bool):
        raise Wrong("invalid", name + " must be true or false")
    return value


def words(value, name, most):
    """Return a text, or raise Wrong."""
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise Wrong("invalid", "%s must be text of 1 to %d characters" % (name, most))
    return value


def parse(payload):
    """Return a command of this speaker's as an object, or None where it is the hub's to do or to refuse."""
    try:
        command = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(command, dict) or command.get("command") not in FIELDS:
        return None
    id = command.get("id")
    return command if isinstance(id, str) and 0 < len(id) <= 36 else None


def check(command):
    """Raise Wrong unless the fields of a command are right."""
    name = command["command"]
    for field in command:
        if field not in (FIELDS[name] + " id command expires").split():
            raise Wrong("invalid", "%s has no field %s" % (name, field))
    if name == "volume":
        whole(command.get("volume"), "volume", 0, 100)
        truth(command.get("keep", True), "keep")
    elif name == "mute":
        truth(command.get("mute"), "mute")
    elif name == "listen":
        whole(command.get("seconds", 8), "seconds", 1, 60)
    elif name == "update":
        words(command.get("url"), "url", 400)
        words(command.get("version"), "version", 20)
        whole(command.get("size"), "size", 1, 1 << 24)
        if len(words(command.get("mac"), "mac", 64)) != 64:
            raise Wrong("invalid", "mac must be 64 hexadecimal digits")


def scalar(name, payload):
    """Return the value of a property from its plain payload, or raise Wrong."""
    text = str(bytes(payload), "utf-8").strip()
    if name == "volume":
        if not text.isdigit():
            raise Wrong("invalid", "volume must be a whole number from 0 to 100")
        return whole(int(text), "volume", 0, 100)
    if name == "mute":
        if text.lower() not in ("true", "on", "1", "false", "off", "0"):
            raise Wrong("invalid", "mute must be true or false")
        return text.lower() in ("true", "on", "1")
    if text not in ("off", "button", "open"):
        raise Wrong("invalid", "microphone must be off, button or open")
    return text


class Done:
    """The last commands and their replies: one that comes again is answered, not done, again.

    `saved` is a text of ids that outlives a restart.
    """

    def __init__(self, saved=None):
        self._saved = [id for id in (saved or "").split("\n") if id]
        self._replies = [(id, None) for id in self._saved]

    def find(self, id):
        """Return whether a command was done, and what was kept of its reply."""
        for known, reply in self._replies:
            if known == id:
                return True, reply
        return False, None

    def add(self, id, reply):
        """Remember a command and its reply, or its name where it was simply done; the oldest is forgotten."""
        self._replies = [entry for entry in self._replies if entry[0] != id][1 - _REMEMBERED :] + [(id, reply)]

    def ids(self, id):
        """Return this id and the last that were returned here as a text, for `saved`."""
        self._saved = self._saved[1 - _SAVED :] + [id]
        return "\n".join(self._saved)
