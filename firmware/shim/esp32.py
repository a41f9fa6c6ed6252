"""NVS in a JSON file: whole numbers of 32 bits, and blobs as hexadecimal digits; it lasts once it is committed."""

import json
import os

_FILE = (os.getenv("MYNAH_SIM") or ".") + "/nvs.json"


def _load():
    try:
        with open(_FILE) as file:
            return json.load(file)
    except OSError:
        return {}


class NVS:
    """A namespace."""

    def __init__(self, space):
        self._space = space
        self._new = {}
        self._gone = set()

    def _get(self, name, kind):
        if name in self._gone:
            raise OSError(2)
        value = self._new.get(name, _load().get(self._space, {}).get(name))
        if not isinstance(value, kind):
            raise OSError(2)  # as ESP_ERR_NVS_NOT_FOUND
        return value

    def get_i32(self, name):
        """Return a number."""
        return self._get(name, int)

    def get_blob(self, name, buffer):
        """Read a blob into `buffer`; return its size. OSError where it does not fit."""
        data = bytes.fromhex(self._get(name, str))
        if len(data) > len(buffer):
            raise OSError(-0x110C)  # as ESP_ERR_NVS_INVALID_LENGTH
        buffer[: len(data)] = data
        return len(data)

    def _put(self, name, value):
        if len(name) > 15:
            raise ValueError("a name of NVS has up to 15 characters")
        self._gone.discard(name)
        self._new[name] = value

    def set_i32(self, name, value):
        """Set a number."""
        if not -(1 << 31) <= value < 1 << 31:
            raise OverflowError(name)
        self._put(name, value)

    def set_blob(self, name, data):
        """Set a blob."""
        self._put(name, bytes(data).hex())

    def erase_key(self, name):
        """Forget a name."""
        self._new.pop(name, None)
        self._gone.add(name)

    def commit(self):
        """Make it last."""
        everything = _load()
        mine = everything.setdefault(self._space, {})
        mine.update(self._new)
        for name in self._gone:
            mine.pop(name, None)
        with open(_FILE + ".new", "w") as file:
            json.dump(everything, file)
        os.rename(_FILE + ".new", _FILE)
        self._new, self._gone = {}, set()
