"""An opened photo: what decoding gives, and the only form in which engines meet pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from catalog.domain.photos import PhotoMetadata, S3Address


@dataclass(frozen=True, slots=True, eq=False)
class OpenedPhoto:
    """A decoded photo, upright, perhaps reduced in size.

    ``pixels`` is RGB, uint8, of shape (rows, columns, 3), C-contiguous, in sRGB order of channels, read-only by
    convention. ``width`` and ``height`` are the size of the original upright image in pixels, which ``pixels`` may be
    a reduction of; as all geometry is in fractions, callers seldom care.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str
    """``JPEG``, ``PNG``, ``WEBP``, ``TIFF``, ``GIF``, ``HEIF``, ``AVIF`` or ``RAW``."""
    orientation: int = 1
    """The EXIF orientation (1 to 8) that was applied to make the pixels upright."""
    metadata: PhotoMetadata = field(default_factory=PhotoMetadata)
    data: bytes = b""
    """The file's own bytes, for an engine that sends them; empty where nobody needs them."""
    address: S3Address | None = None


class Opener(Protocol):
    """Makes opened photos of files' bytes: in this process, or in others that may die of them."""

    def open(self, data: bytes, max_side: int | None = None) -> OpenedPhoto:
        """Decode a photo, reduced to at most ``max_side`` pixels on its longer side.

        May be called from several threads at once. Raises ``PhotoError``.
        """

    def close(self) -> None:
        """Give back processes and memory."""
