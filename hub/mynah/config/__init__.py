"""Configuration: YAML in, validated values out, every mistake at once with file, line and a suggestion."""
