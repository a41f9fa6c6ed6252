"""Faults of every kind, put into every stage of a whole hub: what the listener got, and how soon it went on."""
