"""Wi-Fi: joins the network that was set up, and joins it again when it is lost."""

import asyncio

import network
from micropython import const
from net import Backoff

_JOIN_S = const(20)


class Wifi:
    """The station side of the chip's radio."""

    def __init__(self, name, password):
        self._name = name
        self._password = password
        self._wlan = network.WLAN(network.STA_IF)

    @property
    def connected(self):
        """Whether there is a network."""
        return self._wlan.isconnected()

    @property
    def address(self):
        """The IP address."""
        return self._wlan.ifconfig()[0]

    @property
    def hardware(self):
        """The hardware address, as 12 hexadecimal digits."""
        return self._wlan.config("mac").hex()

    @property
    def signal(self):
        """The strength of the signal in dBm; 0 where there is none."""
        try:
            return self._wlan.status("rssi")
        except (OSError, ValueError):
            return 0

    async def join(self):
        """Try once to join; return whether it worked."""
        self._wlan.active(True)
        # Power saving delays what arrives by up to 300 ms.
        self._wlan.config(pm=getattr(network.WLAN, "PM_NONE", 0))
        if not self.connected:
            self._wlan.connect(self._name, self._password)
        for _ in range(_JOIN_S * 10):
            if self.connected:
                return True
            await asyncio.sleep_ms(100)
        self._wlan.disconnect()
        return False

    async def run(self):
        """Stay joined until cancelled."""
        wait = Backoff(1, 30)
        while True:
            if self.connected:
                wait.reset()
                await asyncio.sleep(1)
            elif not await self.join():
                await asyncio.sleep(wait.seconds())
