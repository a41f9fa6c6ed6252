"""What language models may do with the hub: tell the time, set the volume, stop, announce."""
