"""Stacks: files of one exposure, of which one photo counts in statistics."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StackEvidence(StrEnum):
    """Evidence that two photos are files of one exposure."""

    NAME = "name"
    """The same folder and stem in another format, and the same time or a similar image."""
    EDIT = "edit"
    """The same folder and stem with the tail of an edit or a copy, and the same time or a similar image."""
    IMAGE = "image"
    """A similar image with the same faces."""
    USER = "user"
    """A user's decision."""


@dataclass(frozen=True, slots=True)
class StackedPhoto:
    """A photo that does not count, because ``counted`` counts for its stack. Both are row ids."""

    photo: int
    counted: int
    evidence: StackEvidence
