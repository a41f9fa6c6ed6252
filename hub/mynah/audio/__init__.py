"""Audio: formats, streaming conversion, WAV, IMA ADPCM, telling formats apart, buffers.

Importing this is cheap: PyAV and numpy come with the first conversion that needs them.
"""

from mynah.audio.buffers import AudioRing
from mynah.audio.codec import Converter, converter
from mynah.audio.encode import MP3_RATES
from mynah.audio.files import read_audio
from mynah.audio.formats import CODECS, LISTENING, AudioChunk, AudioFormat, Codec
from mynah.audio.opus import ENCODER_RATES as OPUS_RATES
from mynah.audio.sniff import sniff
from mynah.audio.wav import WavInfo, WavReader, to_16_bit, wav_header

__all__ = [
    "CODECS",
    "LISTENING",
    "MP3_RATES",
    "OPUS_RATES",
    "AudioChunk",
    "AudioFormat",
    "AudioRing",
    "Codec",
    "Converter",
    "WavInfo",
    "WavReader",
    "converter",
    "read_audio",
    "sniff",
    "to_16_bit",
    "wav_header",
]
