"""Assignment: which person each face belongs to, and why."""
