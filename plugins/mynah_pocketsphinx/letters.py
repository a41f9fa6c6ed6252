"""How an English word that no dictionary has is likely to sound: espeak-ng's phonemes, put into CMU's phones.

espeak-ng is loaded at run time from the `espeakng-loader` wheel, through its C interface (`speak_lib.h` of 1.52). It
keeps its state for the whole process; this is used in worker processes, which do nothing else with it. It is
initialised once at most, and without a thread of its own: otherwise, where it has spoken, its memory is corrupted.
"""

from __future__ import annotations

import ctypes
from typing import Final

_SYNCHRONOUS: Final = 2
_DONT_EXIT: Final = 0x8000
_UTF8: Final = 1
_SEPARATED: Final = ord("_") << 8
_VOICE: Final = b"gmw/en-US"

# fmt: off
PHONES: Final = frozenset((
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH", "K",
    "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
))
# fmt: on
"""The phones of the acoustic model, those of the CMU dictionary."""

_TO_CMU: Final = {
    "i@3": "IH R", "aI@": "AY AH", "aI3": "AY ER", "aU@": "AW ER", "A@": "AA R", "O@": "AO R", "o@": "AO R",
    "e@": "EH R", "i@": "IY AH", "U@": "UH R", "@L": "AH L", "3:": "ER", "3": "ER", "i:": "IY", "u:": "UW",
    "O:": "AO", "A:": "AA", "oU": "OW", "aU": "AW", "eI": "EY", "aI": "AY", "OI": "OY", "aa": "AE", "a#": "AH",
    "I2": "IH", "I#": "IH", "O2": "AO", "0#": "AA", "E2": "EH", "@2": "AH", "@5": "AH", "@-": "AH", "n-": "AH N",
    "r-": "R", "t#": "T", "t2": "T", "?": "T", "dZ": "JH", "tS": "CH", "N": "NG", "S": "SH", "Z": "ZH", "T": "TH",
    "D": "DH", "j": "Y", "x": "K", "i": "IY", "I": "IH", "E": "EH", "a": "AE", "A": "AA", "0": "AA", "O": "AO",
    "o": "OW", "U": "UH", "u": "UW", "V": "AH", "@": "AH", "b": "B", "d": "D", "f": "F", "g": "G", "h": "HH",
    "k": "K", "l": "L", "m": "M", "n": "N", "p": "P", "r": "R", "s": "S", "t": "T", "v": "V", "w": "W", "z": "Z",
}  # fmt: skip
"""espeak-ng's phoneme names (American English) and the phones they are; those not here are marks without a sound."""


class Letters:
    """Letter-to-sound rules for English."""

    def __init__(self) -> None:
        """Load the library. Raises `OSError` or `ImportError` where it cannot be."""
        import espeakng_loader

        self._library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
        data = str(espeakng_loader.get_data_path()).encode()
        rate = self._library.espeak_ng_GetSampleRate()  # 0 before it was initialised
        if rate <= 0 and self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, _DONT_EXIT) <= 0:
            raise OSError(f"espeak-ng cannot read its data in {data.decode()}")
        self._library.espeak_SetVoiceByName(_VOICE)
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]

    def phones(self, word: str) -> str:
        """Return the phones of `word`, separated by spaces; empty where it has no sound."""
        text = ctypes.c_char_p(word.encode())
        said = self._library.espeak_TextToPhonemes(ctypes.byref(text), _UTF8, _SEPARATED)
        return to_cmu(said.decode() if said else "")


def to_cmu(phonemes: str) -> str:
    """Return CMU's phones for espeak-ng's phoneme names joined by underscores: `t_'u:_k_@_n` is `T UW K AH N`."""
    phones: list[str] = []
    for name in phonemes.replace(" ", "_").split("_"):
        for phone in _TO_CMU.get(name.strip("',%=|"), "").split():
            # Where espeak writes a vowel with its r and then the r, the dictionary has one.
            if not (phone == "R" and phones and phones[-1] in ("R", "ER")):
                phones.append(phone)
    return " ".join(phones)
