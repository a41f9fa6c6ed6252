"""`mynah bench`: what a hub adds to its engines, measured."""
