"""Arithmetic on 16-bit samples, quick enough for the chip and without a byte of the heap."""

import micropython


@micropython.viper
def scale(data: ptr16, n: int, gain: int):
    """Multiply `n` samples by gain/256 (0 to 256), in place."""
    for i in range(n):
        value = data[i]
        if value & 0x8000:
            value -= 0x10000
        data[i] = (value * gain) >> 8


@micropython.viper
def from_slots(slots: ptr16, out: ptr16, at: int, n: int, gain: int):
    """Take the left of `n` frames of two 32-bit slots as 16-bit samples into `out` from `at` on, 2**gain as loud."""
    for i in range(n):
        value = slots[4 * i + 1]
        if value & 0x8000:
            value -= 0x10000
        if gain > 0:
            value = value << gain | slots[4 * i] >> (16 - gain)
            if value > 32767:
                value = 32767
            elif value < -32768:
                value = -32768
        out[at + i] = value


@micropython.viper
def loudness(data: ptr16, n: int) -> int:
    """Return the mean of the samples' absolute values, 0 to 32768."""
    total = 0
    for i in range(n):
        value = data[i]
        total += 0x10000 - value if value & 0x8000 else value
    return total // n
