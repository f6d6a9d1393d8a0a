"""Photos as callers give them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from catalog.domain.faces import BoundingBox
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.uri import display_name

PhotoInput = str | Path | bytes | OpenedPhoto
"""A path, the bytes of the file, or the photo that ``Catalog.open_photo`` returned."""


def name_of_photo(photo: PhotoInput) -> str:
    """Subject of a sentence about the photo: its path in quotes, or "The photo"."""
    return f'"{display_name(os.fsencode(photo))}"' if isinstance(photo, str | Path) else "The photo"


@dataclass(frozen=True, slots=True)
class ReferenceFace:
    """A photo with the face to search for: the face at ``box``, else the largest."""

    photo: PhotoInput
    box: BoundingBox | None = None
    name: str | None = None
    """The name of the photo in error messages; default: its path."""
