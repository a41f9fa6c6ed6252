"""The exclusive-or of WebSocket frames from clients (RFC 6455, section 5.3)."""

import micropython


@micropython.viper
def mask(data: ptr8, start: int, n: int, key: ptr8):
    """Mask `n` bytes of `data` from `start` on with the four of `key`, in place."""
    for i in range(n):
        data[start + i] = data[start + i] ^ key[i & 3]
