"""What the speaker keeps over a restart, in NVS, which holds whole numbers and blobs of bytes only.

A name has up to 15 characters. `save` commits.
"""

import esp32
from micropython import const

# Room that a value is read into, one after the other: most are short, and a large piece may not be there.
_ROOM = const((64, 256, 1024))
_MAX = const(1024)
_TOO_SHORT = const(-0x110C)  # ESP_ERR_NVS_INVALID_LENGTH

DEFAULTS = {
    "board": "esp32",
    "volume": 60,
    "mute": 0,
    "microphone": "button",
    "codec": "pcm_s16le",
    "base": "mynah",
    "ring": 10240,
    "gain": 2,
}


class Settings:
    """Texts, bytes and whole numbers by name; a name without a value has its default, else None."""

    def __init__(self, space="mynah"):
        self._nvs = esp32.NVS(space)

    def number(self, name):
        """Return a whole number."""
        try:
            return self._nvs.get_i32(name)
        except OSError:
            return DEFAULTS.get(name, 0)

    def blob(self, name):
        """Return bytes, or None."""
        for size in _ROOM:
            buffer = bytearray(size)
            try:
                n = self._nvs.get_blob(name, buffer)
            except OSError as error:
                if error.errno != _TOO_SHORT:
                    break
            else:
                return bytes(memoryview(buffer)[:n])
        return None

    def text(self, name):
        """Return a text, or None."""
        data = self.blob(name)
        return DEFAULTS.get(name) if data is None else data.decode()

    def put(self, name, value):
        """Keep a number, a truth, a text or bytes; None forgets. `save` makes it last."""
        if value is None:
            try:
                self._nvs.erase_key(name)
            except OSError:
                pass
        elif isinstance(value, (bool, int)):
            self._nvs.set_i32(name, int(value))
        else:
            data = value.encode() if isinstance(value, str) else value
            if len(data) > _MAX:
                raise ValueError(name + " is longer than 1024 bytes")
            self._nvs.set_blob(name, data)

    def save(self):
        """Write what was put to the flash."""
        self._nvs.commit()
