"""What the embedded broker looks at in MQTT 3.1.1 packets before it takes them in: sections 2 and 3 of the standard."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from mynah import InputError

CONNECT: Final = 1
PUBLISH: Final = 3
DISCONNECT: Final = 14
TAKEN: Final = frozenset((PUBLISH, 4, 8, 10, 12, DISCONNECT))
"""What a client may send after CONNECT, without what belongs to QoS 2."""

ACCEPTED_LEVEL: Final = 4
REFUSED_LEVEL: Final = b"\x20\x02\x00\x01"
UNAVAILABLE: Final = b"\x20\x02\x00\x03"
NOT_AUTHORISED: Final = b"\x20\x02\x00\x05"


class Malformed(InputError):
    """Bytes that are not MQTT 3.1.1, or not what is offered of it."""


class Fields:
    """Reads the fields of a packet's body one after the other. Each raises `Malformed` at its end."""

    def __init__(self, body: bytes | bytearray) -> None:
        self._body = body
        self._at = 0

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        data = bytes(self._body[self._at : self._at + count])
        if len(data) < count:
            raise Malformed("a packet ended too early")
        self._at += count
        return data

    def number(self) -> int:
        """Return a number of two bytes."""
        return int.from_bytes(self.take(2), "big")

    def data(self) -> bytes:
        """Return bytes that begin with their count."""
        return self.take(self.number())

    def text(self) -> str:
        """Return a text that begins with its length."""
        try:
            text = self.data().decode()
        except UnicodeDecodeError:
            raise Malformed("a text is not UTF-8") from None
        if "\0" in text:
            raise Malformed("a text holds a zero")
        return text


@dataclass(frozen=True, slots=True)
class Hello:
    """A CONNECT packet. `keep_alive` is in seconds, 0 for none."""

    client_id: str
    clean: bool
    keep_alive: int
    level: int = ACCEPTED_LEVEL
    will_topic: str = ""
    username: str = ""
    password: str = field(default="", repr=False)


def read_connect(body: bytes | bytearray) -> Hello:
    """Read a CONNECT packet's body. Raises `Malformed`."""
    fields = Fields(body)
    if fields.text() != "MQTT":
        raise Malformed("it does not speak MQTT 3.1.1")
    level, flags = fields.take(2)
    keep_alive = fields.number()
    if level != ACCEPTED_LEVEL:
        return Hello("", True, keep_alive, level)
    client_id = fields.text()
    will_topic = fields.text() if flags & 0x04 else ""
    if flags & 0x04:
        fields.data()
    username = fields.text() if flags & 0x80 else ""
    password = fields.data().decode(errors="replace") if flags & 0x40 else ""
    return Hello(client_id, bool(flags & 0x02), keep_alive, level, will_topic, username, password)


def check_publish(flags: int, body: bytes | bytearray) -> tuple[str, bytes]:
    """Return the topic of a PUBLISH packet and its packet id (nothing with QoS 0).

    `body` may hold its beginning only. Raises `Malformed` for what the broker does not take.
    """
    qos = flags >> 1 & 3
    if qos > 1:
        raise Malformed("QoS 2 is not offered; use 1")
    fields = Fields(body)
    topic = fields.text()
    if not topic or topic.startswith("$") or "+" in topic or "#" in topic:
        raise Malformed("that is no topic to publish on")
    return topic, fields.take(2) if qos else b""


def whole_packet(kind: int, flags: int, body: bytes | bytearray) -> bytearray:
    """Return a packet with its fixed header."""
    packet = bytearray((kind << 4 | flags,))
    length = len(body)
    while True:
        length, low = divmod(length, 128)
        packet.append(low | (0x80 if length else 0))
        if not length:
            break
    packet += body
    return packet
