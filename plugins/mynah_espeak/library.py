"""libespeak-ng through ctypes. Structures and constants as in espeak-ng 1.52's `speak_lib.h`."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from mynah import EngineError, EngineUnavailable
from mynah_espeak.voices import Catalogue, EspeakVoice, Variant

BUFFER_MS: Final = 60

_AUDIO_OUTPUT_SYNCHRONOUS: Final = 2
_INITIALIZE_DONT_EXIT: Final = 0x8000
_CHARS_UTF8: Final = 1
_END_PAUSE: Final = 0x1000
_POSITION_CHARACTER: Final = 1
_RATE, _VOLUME, _PITCH, _WORD_GAP = 1, 2, 3, 7

EVENT_LIST_END: Final = 0
EVENT_WORD: Final = 1
EVENT_CLAUSE_END: Final = 5

# The library has one voice, one set of parameters and one callback for the whole process, whoever opened it: whoever
# sets them and speaks holds this lock until its piece of text is done, which takes milliseconds.
_LIBRARY_STATE = threading.Lock()


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


class _Voice(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)  # fmt: skip


class SpeechEvent(NamedTuple):
    """A word begins, or a clause has ended (`kind`), at `sample` of the audio.

    `position` counts characters: for a word from 1 to its first one, for a clause all that were read.
    """

    kind: int
    position: int
    sample: int


@dataclass(frozen=True, slots=True)
class Manner:
    """How to speak: `voice` is a voice file with its variant, `rate` in words a minute, `gap` in milliseconds."""

    voice: str
    rate: int = 160
    pitch: int = 50
    volume: int = 100
    gap: int = 0


Receive = Callable[[bytes, list[SpeechEvent]], bool]
"""Takes some PCM and the events that fall into it; returns whether to go on."""


class Library:
    """The loaded library. All methods block; `sample_rate` is that of the audio, in Hz."""

    def __init__(self, dll: ctypes.CDLL, sample_rate: int) -> None:
        self._dll = dll
        self.sample_rate = sample_rate

    @classmethod
    def load(cls) -> Library:
        """Load and initialise the library with its own data; raise `EngineUnavailable` where it cannot be."""
        try:
            import espeakng_loader

            dll = ctypes.CDLL(str(espeakng_loader.get_library_path()))
            data = str(espeakng_loader.get_data_path())
        except (ImportError, OSError, RuntimeError) as error:
            raise EngineUnavailable(
                f"espeak cannot be loaded ({error}); run: pip install --force-reinstall espeakng-loader"
            ) from error
        dll.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        with _LIBRARY_STATE:
            # Once initialised it stays so until the process ends: initialising it again while it has already spoken
            # corrupts its memory (espeak-ng 1.52).
            rate = dll.espeak_ng_GetSampleRate()
            if rate <= 0:
                flags = _INITIALIZE_DONT_EXIT
                rate = dll.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, BUFFER_MS, data.encode(), flags)
        if rate <= 0:
            raise EngineUnavailable(f"espeak cannot read its data in {data}; install espeakng-loader again")
        return cls(dll, rate)

    def catalogue(self) -> Catalogue:
        """Return the voices and variants that the library has."""
        with _LIBRARY_STATE:
            voices = [
                EspeakVoice(name=entry.name.decode().strip(), file=entry.identifier.decode(), tags=_languages(entry))
                for entry in self._list(None)
            ]
            only_variants = _Voice()
            languages = ctypes.create_string_buffer(b"variant\0")
            only_variants.languages = ctypes.addressof(languages)
            variants = [
                Variant(
                    name=entry.name.decode(),
                    file=entry.identifier.decode().removeprefix("!v/"),
                    female=entry.gender == 2,
                )
                for entry in self._list(only_variants)
            ]
        return Catalogue(tuple(voices), tuple(variants))

    def _list(self, wanted: _Voice | None) -> list[Any]:
        pointers = self._dll.espeak_ListVoices(ctypes.byref(wanted) if wanted is not None else None)
        found: list[Any] = []
        while pointers[len(found)]:
            found.append(pointers[len(found)].contents)
        return found

    def speak(self, text: str, manner: Manner, receive: Receive, *, end_pause: bool = False) -> None:
        """Synthesise `text`, handing each piece of PCM to `receive` until it declines; `end_pause` adds a pause.

        An exception of `receive` ends the speech and is raised here.
        """
        failure: list[BaseException] = []

        def callback(samples: Any, count: int, events: Any) -> int:
            try:
                data = ctypes.string_at(samples, count * 2) if samples and count > 0 else b""
                return 0 if receive(data, _read(events)) else 1
            except BaseException as error:  # noqa: BLE001 - an exception cannot cross C; it is raised after the call
                failure.append(error)
                return 1

        encoded = text.encode("utf-8", "replace")
        flags = _CHARS_UTF8 | (_END_PAUSE if end_pause else 0)
        with _LIBRARY_STATE:
            self._set(manner)
            kept = _Callback(callback)
            self._dll.espeak_SetSynthCallback(kept)
            status = self._dll.espeak_Synth(
                encoded, ctypes.c_size_t(len(encoded) + 1), 0, _POSITION_CHARACTER, 0, flags, None, None
            )
        if failure:
            raise failure[0]
        if status != 0:
            raise EngineError(f"espeak could not speak {len(text)} characters (status {status})")

    def _set(self, manner: Manner) -> None:
        if self._dll.espeak_SetVoiceByName(manner.voice.encode()) != 0:
            raise EngineError(f"espeak has no voice {manner.voice!r}")
        for parameter, value in (
            (_RATE, manner.rate),
            (_VOLUME, manner.volume),
            (_PITCH, manner.pitch),
            (_WORD_GAP, manner.gap // 10),
        ):
            self._dll.espeak_SetParameter(parameter, value, 0)


def _read(events: Any) -> list[SpeechEvent]:
    found = []
    index = 0
    while (kind := events[index].type) != EVENT_LIST_END:
        if kind in (EVENT_WORD, EVENT_CLAUSE_END):
            found.append(SpeechEvent(kind, events[index].text_position, events[index].sample))
        index += 1
    return found


def _languages(voice: Any) -> tuple[tuple[str, int], ...]:
    """Read the list of languages: for each a byte of priority (the lowest is best) and a tag; a zero byte ends it."""
    found = []
    at = voice.languages
    while at and (priority := ctypes.string_at(at, 1)[0]):
        tag = ctypes.string_at(at + 1)
        found.append((tag.decode().lower(), priority))
        at += len(tag) + 2
    return tuple(found)
