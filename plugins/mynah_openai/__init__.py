"""Any server that speaks OpenAI's API: language models, transcription, speech."""
