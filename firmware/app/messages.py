"""Reading the hub's messages: only those that matter to a loudspeaker, whatever their size."""

import json

MATTER = (
    "welcome",
    "speech_started",
    "speech_ended",
    "phrase_failed",
    "interrupted",
    "stage",
    "turn_finished",
    "turn_failed",
    "turn_dropped",
    "clock",
    "error",
)


def kind(data):
    """Return a message's type by its beginning, or None where it stands elsewhere."""
    parts = bytes(data[:48]).split(b'"')
    return str(parts[3], "utf-8") if len(parts) > 4 and parts[1] == b"type" else None


def field(data, name):
    """Return a plain field of a message that is cut: a text or a number, else None."""
    data = bytes(data)
    at = data.find(b'"' + name.encode() + b'":')
    if at < 0:
        return None
    rest = data[at + len(name) + 3 :].lstrip()
    if rest[:1] == b'"':
        return str(rest[1:].partition(b'"')[0], "utf-8")
    end = 0
    while end < len(rest) and rest[end] in b"-0123456789.":
        end += 1
    return float(rest[:end]) if end else None


def read(data, whole):
    """Return a message as an object, or None where it does not matter; of a cut one what its beginning tells."""
    name = kind(data)
    if name is not None and name not in MATTER:
        return None
    if whole:
        return json.loads(data)
    found = {"type": name, "turn": field(data, "turn"), "at_ms": field(data, "at_ms")}
    codec = field(data, "codec")
    if codec:
        found["format"] = {"codec": codec}
    return found
