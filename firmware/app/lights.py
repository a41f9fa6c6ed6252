"""What the LED says about the speaker."""

import asyncio

from machine import Pin

# Phase: colour, and milliseconds on and off (0: always on).
LOOKS = {
    "setup": ((20, 0, 30), 200, 200),
    "connecting": ((30, 15, 0), 500, 500),
    "idle": ((0, 4, 0), 60, 2940),
    "listening": ((0, 0, 40), 0, 0),
    "thinking": ((20, 20, 0), 150, 150),
    "speaking": ((0, 30, 0), 0, 0),
    "updating": ((30, 0, 30), 100, 100),
    "muted": ((30, 0, 0), 60, 2940),
}


class Lights:
    """Shows a phase on a plain LED or an addressable one."""

    def __init__(self, profile):
        self.phase = "connecting"
        self._led = Pin(profile["led"], Pin.OUT, value=0) if "led" in profile else None
        self._pixel = None
        if "pixel" in profile:
            from neopixel import NeoPixel

            self._pixel = NeoPixel(Pin(profile["pixel"], Pin.OUT), 1)

    def _show(self, colour):
        if self._led:
            self._led.value(1 if any(colour) else 0)
        if self._pixel:
            self._pixel[0] = colour
            self._pixel.write()

    async def run(self):
        """Show the phase until cancelled."""
        while True:
            phase = self.phase
            colour, on, off = LOOKS[phase]
            self._show(colour)
            await self._while(phase, on or 250)
            if off and self.phase == phase:
                self._show((0, 0, 0))
                await self._while(phase, off)

    async def _while(self, phase, ms):
        while ms > 0 and self.phase == phase:
            await asyncio.sleep_ms(min(ms, 50))
            ms -= 50
