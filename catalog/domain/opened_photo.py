"""An opened photo: the result of decoding, and the only form in which engines receive pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from catalog.domain.photos import PhotoMetadata, S3Address

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class OpenedPhoto:
    """A decoded photo, upright and perhaps reduced.

    ``pixels`` is sRGB, uint8, of shape (rows, columns, 3), C-contiguous, read-only by convention. ``width`` and
    ``height`` are the size of the original upright image in pixels; ``pixels`` may be smaller.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str
    """One of ``catalog.domain.photo_format.FORMATS``."""
    orientation: int = 1
    """The EXIF orientation (1 to 8) that was applied to make the pixels upright."""
    metadata: PhotoMetadata = field(default_factory=PhotoMetadata)
    data: bytes = b""
    """The bytes of the file, for an engine that sends them; empty if they are not needed."""
    address: S3Address | None = None
    image_hash: str | None = None
    """Perceptual hash of the pixels, 64 hex digits; None for a blank image, and if it was not asked for."""
    note: str | None = None
    """A sentence about a fault of the file with which the photo can be used; None if there is none."""


class Opener(Protocol):
    """Decodes photos, in this process or in separate ones that may crash."""

    def open(self, data: bytes, max_side: int | None = None) -> OpenedPhoto:
        """Decode a photo, reduced to at most ``max_side`` pixels on its longer side.

        Beyond 3:1 the limit follows the shorter side: the longer side has at most 12 times ``max_side`` pixels.

        May be called from several threads at once. Raises ``PhotoError``.
        """

    def close(self) -> None:
        """End the processes and free the memory."""
