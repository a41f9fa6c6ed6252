"""Two copies of the application, `/a` and `/b`: which one starts, and when the other has to take over again.

This file and main.py are never updated over the air.
"""

import esp32
from micropython import const

_TRIES = const(3)


class Slots:
    """The boot state in NVS. A new copy is on trial until it says `confirm`; after three starts without, it is left."""

    def __init__(self, space="mynah_boot"):
        self._nvs = esp32.NVS(space)

    def _get(self, name):
        try:
            return self._nvs.get_i32(name)
        except OSError:
            return 0

    def _set(self, **values):
        for name, value in values.items():
            self._nvs.set_i32(name, value)
        self._nvs.commit()

    @property
    def active(self):
        """The folder that starts."""
        return "ab"[self._get("slot")]

    @property
    def spare(self):
        """The folder that an update goes to."""
        return "ab"[1 - self._get("slot")]

    @property
    def on_trial(self):
        """Whether the active copy is yet to prove itself."""
        return self._get("trial") == 1

    def boot(self):
        """Count a start and return the folder to start from."""
        if self.on_trial:
            tries = self._get("tries")
            if tries >= _TRIES:
                self._set(slot=1 - self._get("slot"), trial=0, tries=0, rolled=1)
            else:
                self._set(tries=tries + 1)
        return self.active

    def activate(self):
        """The spare folder holds a new copy: start that one next, on trial."""
        self._set(slot=1 - self._get("slot"), trial=1, tries=0, rolled=0)

    def confirm(self):
        """The active copy works. Return whether it was on trial."""
        if not self.on_trial:
            return False
        self._set(trial=0, tries=0)
        return True

    def rolled_back(self):
        """Return once whether the last update was left."""
        if not self._get("rolled"):
            return False
        self._set(rolled=0)
        return True
