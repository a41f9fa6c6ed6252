"""The ROM partition of a simulated chip: memory outside of the heap, as flash is.

The text of the environment variable MYNAH_FLASH is made for it: the system keeps that where proc(5) says (`env_start`),
and its place becomes the partition. Its length, in blocks of 4096 bytes, is the partition's.
"""

import uctypes

_NAME = b"MYNAH_FLASH="


class Flash:
    """What the firmware uses of `esp32.Partition`."""

    def __init__(self, memory):
        self.memory = memory

    def ioctl(self, op, block):
        """Return the number of blocks, or erase one."""
        if op == 4:
            return len(self.memory) // 4096
        for i in range(block * 4096, block * 4096 + 4096):
            self.memory[i] = 255
        return 0

    def writeblocks(self, block, data, offset):
        """Write to what was erased."""
        start = block * 4096 + offset
        for i in range(len(data)):
            if self.memory[start + i] != 255:
                raise OSError(5)  # EIO
        self.memory[start : start + len(data)] = data


def partition():
    """Return the partition, or None where there is no such variable, or no /proc."""
    try:
        with open("/proc/self/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    start, end = int(fields[47]), int(fields[48])
    environment = memoryview(uctypes.bytearray_at(start, end - start))
    at = 0
    while at < len(environment):
        size = 0
        while environment[at + size]:
            size += 1
        if bytes(environment[at : at + len(_NAME)]) == _NAME:
            return Flash(environment[at + len(_NAME) : at + size])
        at += size + 1
    return None
