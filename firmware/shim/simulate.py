"""A speaker without hardware: starts the firmware on MicroPython's unix port, as main.py does on a chip.

    MICROPYPATH=BUILD:.frozen MYNAH_SIM=FOLDER MYNAH_FLASH=… micropython -X heapsize=100k -m simulate

BUILD is what `python firmware/pack.py compile BUILD` made (see there); FOLDER holds nvs.json (the settings) and takes
loudspeaker.wav; MYNAH_FLASH is any text of 96 KiB, whose place is the chip's flash (see flash.py): without it, the
code lies in the heap. hands.py says what standard input and output are for.
It ends with 3 where it wants to be started again.
"""

import gc
import os
import sys


def _boot():
    """Choose the copy to start from; where it was never updated, what lies beside this file."""
    import flash
    import rom
    from slots import Slots

    build = next(path for path in sys.path if "simulate.mpy" in os.listdir(path or "."))
    folders = [(os.getenv("MYNAH_SIM") or ".") + "/" + Slots().boot(), build]
    try:
        os.stat(folders[0])
    except OSError:
        del folders[0]
    return rom.load(folders, flash.partition())


def main():
    """Start; what was needed for that makes room, and comes from the flash if it is needed again."""
    gc.threshold(512)  # as main.py
    folder = _boot()
    for name in ("flash", "rom", "slots", "esp32"):
        del sys.modules[name]
    sys.path.insert(0, folder)
    import hands

    gc.threshold(-1)
    hands.start()


main()
