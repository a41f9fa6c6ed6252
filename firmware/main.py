"""Starts the application from its active folder, and starts the chip again where that fails."""

import gc
import sys
import time

import machine
import rom
from slots import Slots


def start():
    """Run the application for good."""
    slots = Slots()
    try:
        sys.path.insert(0, rom.load(["/" + slots.boot()], rom.partition()))
        del sys.modules["rom"]
        gc.threshold(512)  # what loading leaves behind shall not lie between what stays
        import speaker

        gc.threshold(-1)

        speaker.start(slots)
    except Exception as error:  # whatever it is, a speaker on a wall has to come back
        sys.print_exception(error)
    time.sleep(2)
    machine.reset()


if __name__ == "__main__":
    start()
