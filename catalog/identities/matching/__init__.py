"""Matching: find a person, the watch list, employee verification and error rates."""
