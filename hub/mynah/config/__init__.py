"""Configuration: YAML in, validated values out, every mistake at once with file, line and a suggestion."""

from mynah.config.check import Config, PluginSettings, load_config, plugin_settings
from mynah.config.schema import own_options

__all__ = ["Config", "PluginSettings", "load_config", "own_options", "plugin_settings"]
