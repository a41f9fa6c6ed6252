"""The packets of MQTT 3.1.1 that a speaker sends and receives. Sections are those of the OASIS standard."""

CONNACK = 2
PUBLISH = 3
PUBACK = 4
SUBACK = 9
PINGRESP = 13

PING = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"

REFUSALS = (
    "accepted",
    "the broker does not speak MQTT 3.1.1",
    "the broker refuses this client id",
    "the broker is not available",
    "wrong user name or password",
    "not allowed to connect",
)


def text(value):
    """Encode a text or bytes with its length in front (1.5.3)."""
    data = value.encode() if isinstance(value, str) else value
    if len(data) > 65535:
        raise ValueError("too long for MQTT")
    return bytes((len(data) >> 8, len(data) & 255)) + data


def packet(kind, body):
    """Put the fixed header in front (2.2); `kind` is the type and its flags."""
    head = bytearray((kind,))
    n = len(body)
    while True:
        head.append(n & 127 | (128 if n > 127 else 0))
        n >>= 7
        if not n:
            return bytes(head) + body


def connect(client, user=None, password=None, keepalive=30, will=None, clean=False):
    """CONNECT (3.1). `will`: topic and payload of the last will, retained and QoS 1."""
    flags = 2 if clean else 0
    rest = text(client)
    if will:
        flags |= 0x2C
        rest += text(will[0]) + text(will[1])
    if user is not None:
        flags |= 0x80
        rest += text(user)
        if password is not None:
            flags |= 0x40
            rest += text(password)
    return packet(0x10, text("MQTT") + bytes((4, flags, keepalive >> 8, keepalive & 255)) + rest)


def publish(topic, payload, qos=0, retain=False, number=0, dup=False):
    """PUBLISH (3.3); `number` is the packet's, from 1, where the quality of service is 1."""
    body = text(topic) + (bytes((number >> 8, number & 255)) if qos else b"")
    data = payload.encode() if isinstance(payload, str) else payload
    return packet(0x30 | (8 if dup else 0) | qos << 1 | (1 if retain else 0), body + data)


def again(sent):
    """Return a PUBLISH marked as repeated (3.3.1.1)."""
    return bytes((sent[0] | 8,)) + sent[1:]


def puback(number):
    """PUBACK (3.4)."""
    return bytes((0x40, 2, number >> 8, number & 255))


def subscribe(number, topics):
    """SUBSCRIBE (3.8), each with quality of service 1."""
    return packet(0x82, bytes((number >> 8, number & 255)) + b"".join(text(topic) + b"\x01" for topic in topics))


def published(flags, body):
    """Take a received PUBLISH apart: topic, where its payload starts, its number (0 for QoS 0)."""
    n = body[0] << 8 | body[1]
    at = 2 + n
    topic = str(bytes(body[2:at]), "utf-8")
    if not flags & 6:
        return topic, at, 0
    return topic, at + 2, body[at] << 8 | body[at + 1]
