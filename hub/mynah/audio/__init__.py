"""Audio: formats, streaming conversion, WAV, ADPCM."""

from mynah.audio.formats import CODECS, LISTENING, AudioChunk, AudioFormat, Codec

__all__ = ["CODECS", "LISTENING", "AudioChunk", "AudioFormat", "Codec"]
