"""Engines: what they must do, chains of them, and workers to run them in."""
