"""Fixtures of the exchange tests."""

from __future__ import annotations

from tests.red_face_photos import add_person, add_photo

__all__ = ["add_person", "add_photo"]
