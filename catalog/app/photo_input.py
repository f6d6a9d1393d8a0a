"""Photos as callers give them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalog.domain.faces import BoundingBox
from catalog.domain.opened_photo import OpenedPhoto

PhotoInput = str | Path | bytes | OpenedPhoto
"""A path, the bytes of the file, or the photo that ``Catalog.open_photo`` returned."""


@dataclass(frozen=True, slots=True)
class ReferenceFace:
    """A photo with the face to search for: the face at ``box``, else the largest."""

    photo: PhotoInput
    box: BoundingBox | None = None
    name: str | None = None
    """The name of the photo in error messages; default: its path."""
