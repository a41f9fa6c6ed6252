"""Whisper by faster-whisper: speech to text while it is spoken."""
