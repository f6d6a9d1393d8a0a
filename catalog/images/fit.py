"""Fit a photo to an engine's limits of format, bytes and pixels.

An acceptable photo is sent byte for byte. Another one is encoded as an upright sRGB JPEG, first at lower quality and
then at lower resolution, because small faces need their pixels more than fine tones. Boxes in the engine's response are
mapped back to the photo.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, JpegImagePlugin

from catalog.domain.faces import BoundingBox
from catalog.domain.opened_photo import OpenedPhoto

_QUALITIES = (95, 90, 85, 75, 65)
_REDUCED_QUALITY = 80
_ATTEMPTS = 6
_PADDING = (128, 128, 128)
_TURNS_ONLY = (1, 3, 6, 8)
"""Orientations that every reader of EXIF applies. Mirrored ones are rare, and not every reader supports them."""

_PNG_DEPTH = 24
"""Position of the bit depth in a PNG; the color type follows."""
_PALETTE = 3


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """Limits of an engine. Sides and faces are in pixels."""

    max_bytes: int
    max_side: int
    min_side: int
    min_face: int
    """Smaller faces are not usable, so a photo with a side below this is not sent."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Position of the whole photo in the image that was sent, in fractions of that image."""

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def point_in_photo(self, x: float, y: float) -> tuple[float, float]:
        """Convert a point of the sent image to fractions of the upright photo."""
        return (x - self.left) / self.width, (y - self.top) / self.height

    def in_photo(self, box: BoundingBox) -> BoundingBox:
        """Convert a box of the sent image to fractions of the upright photo."""
        left, top = self.point_in_photo(box.left, box.top)
        return BoundingBox(left, top, box.width / self.width, box.height / self.height)

    def in_sent(self, box: BoundingBox) -> BoundingBox:
        """Convert a box of the upright photo to fractions of the sent image."""
        return BoundingBox(
            box.left * self.width + self.left,
            box.top * self.height + self.top,
            box.width * self.width,
            box.height * self.height,
        )


@dataclass(frozen=True, slots=True)
class Fitted:
    """An acceptable image of a photo."""

    data: bytes
    placement: Placement
    scale: float
    """Pixels of the sent image per pixel of the photo, at most 1."""
    is_original: bool
    """``data`` are the bytes of the file."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """A photo that cannot be made acceptable, with the reason as a full sentence."""

    reason: str


def fit(
    photo: OpenedPhoto, limits: ImageLimits, *, reopen: Callable[[bytes, int], OpenedPhoto] | None = None
) -> Fitted | Unfit:
    """Return the photo as the engine accepts it, resized no more than needed.

    If ``photo`` was reduced on opening and must be encoded again, ``reopen`` (an opener's ``open``) is called with its
    bytes and ``limits.max_side``. Raises ``PhotoError`` through it.
    """
    if min(photo.width, photo.height) < limits.min_face:
        return Unfit(
            f"The photo is {photo.width:,} x {photo.height:,} pixels in size, too small for a face of "
            f"{limits.min_face} pixels."
        )
    if _is_acceptable(photo, limits):
        return Fitted(photo.data, Placement(), 1.0, is_original=True)
    if reopen is not None and photo.data and _was_reduced(photo, limits):
        photo = reopen(photo.data, limits.max_side)
    return _written_anew(Image.fromarray(photo.pixels), photo, limits)


def _is_acceptable(photo: OpenedPhoto, limits: ImageLimits) -> bool:
    if not 0 < len(photo.data) <= limits.max_bytes:
        return False
    if min(photo.width, photo.height) < limits.min_side or max(photo.width, photo.height) > limits.max_side:
        return False
    if photo.format == "PNG":  # not every reader applies the EXIF of a PNG
        return photo.orientation == 1 and has_common_samples(photo.data)
    if photo.format == "JPEG":
        with JpegImagePlugin.JpegImageFile(BytesIO(photo.data)) as header:
            return photo.orientation in _TURNS_ONLY and header.mode != "CMYK"
    return False


def has_common_samples(png: bytes) -> bool:
    """True if a PNG has 8 bits or less per sample and no palette. Not every reader converts the other PNGs."""
    header = png[_PNG_DEPTH : _PNG_DEPTH + 2]
    return len(header) == 2 and header[0] <= 8 and header[1] != _PALETTE


def _was_reduced(photo: OpenedPhoto, limits: ImageLimits) -> bool:
    longer: int = max(photo.pixels.shape[:2])
    return longer < min(max(photo.width, photo.height), limits.max_side)


def _written_anew(image: Image.Image, photo: OpenedPhoto, limits: ImageLimits) -> Fitted:
    if max(image.size) > limits.max_side:
        image = _scaled(image, limits.max_side / max(image.size))
    for quality in _QUALITIES:
        canvas, placement = _padded(image, limits.min_side)
        data = _jpeg(canvas, quality)
        if len(data) <= limits.max_bytes:
            scale = max(image.size) / max(photo.width, photo.height)
            return Fitted(data, placement, scale, is_original=False)
    return _reduced(image, photo, limits)


def _reduced(image: Image.Image, photo: OpenedPhoto, limits: ImageLimits) -> Fitted:
    """Reduce to the limit of bytes. Stops within a tenth of the limit, or after a few attempts."""
    fitted: Fitted | None = None
    low, high, attempts = 0.0, 1.0, 0
    factor = math.sqrt(limits.max_bytes / len(_jpeg(image, _REDUCED_QUALITY)))
    while fitted is None or (attempts < _ATTEMPTS and len(fitted.data) < 0.9 * limits.max_bytes):
        factor = min(factor, (low + 3 * high) / 4)
        smaller = _scaled(image, factor)
        canvas, placement = _padded(smaller, limits.min_side)
        data = _jpeg(canvas, _REDUCED_QUALITY)
        if len(data) <= limits.max_bytes:
            low = factor
            fitted = Fitted(data, placement, max(smaller.size) / max(photo.width, photo.height), is_original=False)
        else:
            high = factor
        # The number of bytes is roughly proportional to the area.
        factor = max(factor * math.sqrt(0.96 * limits.max_bytes / len(data)), (3 * low + high) / 4)
        attempts += 1
    return fitted


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    size = max(1, math.floor(image.width * factor)), max(1, math.floor(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _padded(image: Image.Image, min_side: int) -> tuple[Image.Image, Placement]:
    """Center the image on a gray canvas if one of its sides is below the minimum."""
    width, height = max(image.width, min_side), max(image.height, min_side)
    if (width, height) == image.size:
        return image, Placement()
    canvas = Image.new("RGB", (width, height), _PADDING)
    left, top = (width - image.width) // 2, (height - image.height) // 2
    canvas.paste(image, (left, top))
    return canvas, Placement(left / width, top / height, image.width / width, image.height / height)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    written = BytesIO()
    image.save(written, "JPEG", quality=quality)
    return written.getvalue()
