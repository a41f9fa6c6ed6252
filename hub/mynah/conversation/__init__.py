"""Conversation: sessions listen, turns answer, outlets speak."""
