"""Crops of faces for display."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from catalog.domain.faces import BoundingBox
from catalog.domain.opened_photo import OpenedPhoto


def cut_out(
    photo: OpenedPhoto, box: BoundingBox, *, padding: float = 0.35, side: int = 256, quality: int = 85
) -> bytes:
    """Return a square JPEG around a face, at most ``side`` pixels wide.

    ``padding`` is added on each side, as a fraction of the box's longer side. At the border of the photo the square
    is moved inwards. It is cut only if the photo itself is narrower. Small faces are not enlarged.
    """
    rows, columns = photo.pixels.shape[:2]
    longer = max(box.width * columns, box.height * rows) * (1 + 2 * padding)
    width, height = min(longer, columns), min(longer, rows)
    center_x, center_y = box.center
    left = min(max(center_x * columns - width / 2, 0), columns - width)
    top = min(max(center_y * rows - height / 2, 0), rows - height)
    edges = round(left), round(top), max(round(left + width), round(left) + 1), max(round(top + height), round(top) + 1)
    face = Image.fromarray(photo.pixels[edges[1] : edges[3], edges[0] : edges[2]])
    if max(face.size) > side:
        face.thumbnail((side, side), Image.Resampling.LANCZOS)
    written = BytesIO()
    face.save(written, "JPEG", quality=quality, optimize=True)
    return written.getvalue()
