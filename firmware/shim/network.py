"""A network that is always there, the computer's; `WLAN.there` takes it away."""

STA_IF = 0
AP_IF = 1


def _nothing(self, *values, **named):
    """Nothing to do."""


class WLAN:
    """As MicroPython's, joined from the start."""

    there = True
    active = connect = disconnect = _nothing

    def __init__(self, interface=STA_IF):
        """A station and an access point are the same here."""

    def isconnected(self):
        """Return whether there is a network."""
        return WLAN.there

    def config(self, *names, **values):
        """Return a hardware address, whatever is asked for."""
        return b"\x02\x00\x00\x00\x00\x01"

    def ifconfig(self):
        """Return addresses."""
        return ("127.0.0.1",)

    def status(self, name=None):
        """Return a good signal."""
        return -50
