"""What the LED says about the speaker."""

import asyncio

from machine import Pin

# Phase: colour (red, green, blue: a byte each), and milliseconds on and off (0: always on).
LOOKS = {
    "setup": (0x14001E, 200, 200),
    "connecting": (0x1E0F00, 500, 500),
    "idle": (0x000400, 60, 2940),
    "listening": (0x000028, 0, 0),
    "thinking": (0x141400, 150, 150),
    "speaking": (0x001E00, 0, 0),
    "updating": (0x1E001E, 100, 100),
    "muted": (0x1E0000, 60, 2940),
}


class Lights:
    """Shows a phase on a plain LED or an addressable one."""

    def __init__(self, profile, phase="connecting"):
        self.phase = phase
        self._led = Pin(profile["led"], Pin.OUT, value=0) if "led" in profile else None
        self._pixel = None
        if "pixel" in profile:
            from neopixel import NeoPixel

            self._pixel = NeoPixel(Pin(profile["pixel"], Pin.OUT), 1)

    def _show(self, colour):
        if self._led:
            self._led.value(1 if colour else 0)
        if self._pixel:
            self._pixel[0] = (colour >> 16, colour >> 8 & 255, colour & 255)
            self._pixel.write()

    async def run(self):
        """Show the phase until cancelled."""
        while True:
            phase = self.phase
            colour, on, off = LOOKS[phase]
            self._show(colour)
            await self._while(phase, on or 250)
            if off and self.phase == phase:
                self._show(0)
                await self._while(phase, off)

    async def _while(self, phase, ms):
        while ms > 0 and self.phase == phase:
            await asyncio.sleep_ms(min(ms, 50))
            ms -= 50
