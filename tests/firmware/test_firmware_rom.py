"""The code in flash: an image is written when it differs, mounted, and outlives what may happen to it."""

from __future__ import annotations

SETUP = """
import os, sys, vfs
import rom
from flash import Flash

def folder(name, **modules):
    os.mkdir(name)
    for module, text in modules.items():
        with open(name + "/" + module + ".py", "w") as file:
            file.write(text)
    return name

def chip(blocks=4):
    return Flash(memoryview(bytearray(blocks * 4096)))

here = {!r}
one = folder(here + "/one", lion="VOICE = 'roar'", owl="VOICE = 'hoot'" + "#" * 5000)
two = folder(here + "/two", lion="VOICE = 'purr'")
"""


def test_a_copy_of_the_modules_is_imported_from_the_flash(run, tmp_path):
    run(
        SETUP.format(str(tmp_path))
        + """
flash = chip()
assert rom.load([one], flash) == "/rom"
sys.path.insert(0, "/rom")
import lion, owl
assert (lion.VOICE, owl.VOICE, lion.__file__) == ("roar", "hoot", "/rom/lion.py")
"""
    )


def test_modules_of_the_first_folder_hide_those_of_the_others(run, tmp_path):
    run(
        SETUP.format(str(tmp_path))
        + """
rom.load([two, one], chip())
sys.path.insert(0, "/rom")
import lion, owl
assert (lion.VOICE, owl.VOICE) == ("purr", "hoot")
"""
    )


def test_the_flash_is_written_only_where_the_copy_is_another(run, tmp_path):
    run(
        SETUP.format(str(tmp_path))
        + """
class Counted(Flash):
    erased = 0
    def ioctl(self, op, block):
        self.erased += op == 6
        return super().ioctl(op, block)

flash = Counted(memoryview(bytearray(4 * 4096)))
rom.load([one], flash)
assert flash.erased == 2
vfs.umount("/rom")
rom.load([one], flash)
assert flash.erased == 2
rom.load([two], flash)
assert flash.erased == 3 and os.listdir("/rom") == ["lion.py"]
"""
    )


def test_a_power_cut_while_it_is_written_is_made_good_at_the_next_start(run, tmp_path):
    run(
        SETUP.format(str(tmp_path))
        + """
class Cut(Flash):
    left = 0
    def writeblocks(self, block, data, offset):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        super().writeblocks(block, data, offset)

memory = memoryview(bytearray(4 * 4096))
for pieces in range(10):
    flash = Cut(memory)
    flash.left = pieces
    try:
        rom.load([one], flash)
        assert False, pieces
    except KeyboardInterrupt:
        pass
assert rom.load([one], Flash(memory)) == "/rom"
assert rom.digest(rom.modules(["/rom"])) == rom.digest(rom.modules([one]))
"""
    )


def test_without_a_partition_or_room_in_it_the_folder_is_imported_from(run, tmp_path):
    run(
        SETUP.format(str(tmp_path))
        + """
assert rom.partition() is None
assert rom.load([one], None) == one
assert rom.load([one], chip(1)) == one
"""
    )


def test_flash_takes_only_what_was_erased(run):
    run("""
from flash import Flash
flash = Flash(memoryview(bytearray(4096)))
try:
    flash.writeblocks(0, b"1", 0)
    assert False
except OSError:
    flash.ioctl(6, 0)
    flash.writeblocks(0, b"1", 0)
""")
