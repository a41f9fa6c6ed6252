"""Microsoft Edge's voices: text to speech as streamed MP3."""
