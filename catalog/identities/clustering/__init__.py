"""Clustering: which faces are one person, as functions over arrays. No SQL."""
