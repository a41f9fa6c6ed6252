"""HMAC-SHA256 (RFC 2104), which MicroPython does not bring along."""

from hashlib import sha256


class Hmac:
    """Takes data in pieces."""

    def __init__(self, key):
        if len(key) > 64:
            key = sha256(key).digest()
        key = key + bytes(64 - len(key))
        self._outer = bytes(byte ^ 0x5C for byte in key)
        self._inner = sha256(bytes(byte ^ 0x36 for byte in key))

    def update(self, data):
        """Add data."""
        self._inner.update(data)

    def digest(self):
        """Return the 32 bytes; the object is used up."""
        outer = sha256(self._outer)
        outer.update(self._inner.digest())
        return outer.digest()


def same(one, other):
    """Compare without telling by the time how much was right."""
    different = len(one) ^ len(other)
    for i in range(min(len(one), len(other))):
        different |= one[i] ^ other[i]
    return different == 0
