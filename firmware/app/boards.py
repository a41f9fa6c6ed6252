"""Board profiles: which pin goes where. Wiring tables are in docs/firmware.md, and must say the same.

`out` and `mic` are I2S number, bit clock, word select, data. `shared`: the chip has one I2S, which both take in turns.
`led` is a plain LED's pin, `pixel` that of an addressable one. `amp` switches the amplifier off (SD of the MAX98357A).
"""

BOARDS = {
    "esp32": {
        "out": (0, 26, 25, 22),
        "mic": (1, 14, 15, 32),
        "button": 0,
        "led": 2,
    },
    "esp32_vs1053": {
        # SPI number, clock, to the chip, from the chip, XCS, XDCS, DREQ, reset
        "vs1053": (2, 18, 23, 19, 5, 13, 4, 21),
        "mic": (0, 14, 15, 32),
        "button": 0,
        "led": 2,
    },
    "esp32s3": {
        "out": (0, 15, 16, 7),
        "mic": (1, 4, 5, 6),
        "button": 0,
        "pixel": 48,
        "amp": 17,
    },
    "esp32c3": {
        "out": (0, 4, 5, 6),
        "mic": (0, 7, 10, 3),
        "shared": True,
        "button": 9,
        "pixel": 8,
    },
}


def board(name):
    """Return the profile of that name."""
    if name not in BOARDS:
        raise ValueError("no board " + name + "; there are " + ", ".join(sorted(BOARDS)))
    return BOARDS[name]
