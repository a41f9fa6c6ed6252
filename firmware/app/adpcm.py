"""IMA ADPCM in blocks of 256 bytes, 505 samples: the hub's `ima_adpcm` (docs/protocol.md), sample for sample."""

import micropython

# The step table of IMA, 7, 8, 9, 10 … 32767: 16 bits each, the low byte first, as bytes need no copy in the heap.
_STEPS = (
    b"\x07\x00\x08\x00\x09\x00\x0a\x00\x0b\x00\x0c\x00\x0d\x00\x0e\x00\x10\x00\x11\x00\x13\x00\x15\x00"
    b"\x17\x00\x19\x00\x1c\x00\x1f\x00\x22\x00\x25\x00\x29\x00\x2d\x00\x32\x00\x37\x00\x3c\x00\x42\x00"
    b"\x49\x00\x50\x00\x58\x00\x61\x00\x6b\x00\x76\x00\x82\x00\x8f\x00\x9d\x00\xad\x00\xbe\x00\xd1\x00"
    b"\xe6\x00\xfd\x00\x17\x01\x33\x01\x51\x01\x73\x01\x98\x01\xc1\x01\xee\x01\x20\x02\x56\x02\x92\x02"
    b"\xd4\x02\x1c\x03\x6c\x03\xc3\x03\x24\x04\x8e\x04\x02\x05\x83\x05\x10\x06\xab\x06\x56\x07\x12\x08"
    b"\xe0\x08\xc3\x09\xbd\x0a\xd0\x0b\xff\x0c\x4c\x0e\xba\x0f\x4c\x11\x07\x13\xee\x14\x06\x17\x54\x19"
    b"\xdc\x1b\xa5\x1e\xb6\x21\x15\x25\xca\x28\xdf\x2c\x5b\x31\x4b\x36\xb9\x3b\xb2\x41\x44\x48\x7e\x4f"
    b"\x71\x57\x2f\x60\xce\x69\x62\x74\xff\x7f"
)


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
    """Decode a block, whole or a shorter last one, into 16-bit samples; return how many, 0 for a damaged block.

    It may lie in `out`, 768 bytes from its start: the samples do not catch up with it.
    """
    if size < 4:
        return 0
    return _decode(block, size, out, _STEPS)
