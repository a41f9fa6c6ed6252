"""IMA ADPCM in blocks of 256 bytes, 505 samples: the hub's `ima_adpcm` (docs/protocol.md), sample for sample."""

import array

import micropython
from micropython import const

BLOCK_BYTES = const(256)
BLOCK_SAMPLES = const(505)

# fmt: off
STEPS = array.array("H", (
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107,
    118,
    130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060,
    1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484,
    7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
))
# fmt: on


@micropython.viper
def _decode(block: ptr8, size: int, out: ptr16, steps: ptr16) -> int:
    value = block[0] | block[1] << 8
    if value & 0x8000:
        value -= 0x10000
    index = block[2]
    if index > 88:
        return 0
    out[0] = value
    count = 1
    for i in range(8, size * 2):
        code = block[i >> 1]
        if i & 1:
            code = code >> 4
        step = steps[index]
        move = step >> 3
        if code & 1:
            move += step >> 2
        if code & 2:
            move += step >> 1
        if code & 4:
            move += step
        if code & 8:
            value -= move
            if value < -32768:
                value = -32768
        else:
            value += move
            if value > 32767:
                value = 32767
        code &= 7
        index += code * 2 - 6 if code > 3 else -1
        if index < 0:
            index = 0
        elif index > 88:
            index = 88
        out[count] = value
        count += 1
    return count


def decode(block, size, out):
    """Decode a block, whole or a shorter last one, into 16-bit samples; return how many, 0 for a damaged block."""
    if size < 4:
        return 0
    return _decode(block, size, out, STEPS)
