"""The push button: a pin to ground, without its bouncing."""

import asyncio

from machine import Pin
from micropython import const

_EACH_MS = const(15)


class Button:
    """Calls `on_press()` and `on_release()`; a level counts once it was seen twice."""

    def __init__(self, pin):
        self._pin = Pin(pin, Pin.IN, Pin.PULL_UP)
        self.on_press = self.on_release = None
        self.pressed = False

    async def run(self):
        """Watch the pin until cancelled."""
        before = False
        while True:
            now = not self._pin.value()
            if now == before and now != self.pressed:
                self.pressed = now
                call = self.on_press if now else self.on_release
                if call:
                    call()
            before = now
            await asyncio.sleep_ms(_EACH_MS)
