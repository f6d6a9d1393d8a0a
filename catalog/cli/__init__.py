"""The door: each command builds what it needs, calls it, and prints."""
