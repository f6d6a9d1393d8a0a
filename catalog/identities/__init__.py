"""Persons: clustering, decisions of users, assignment of faces, matching. A decision always overrides a machine."""
