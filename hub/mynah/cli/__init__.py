"""The `mynah` program: one file per command."""
