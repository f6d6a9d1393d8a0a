"""Names under which a bounding box is stored and exported: table columns, view columns, CSV and JSON keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.domain.bounding_box import BoundingBox

BOX_COLUMNS = ("box_left", "box_top", "box_width", "box_height")
"""In the order of the fields of :class:`BoundingBox`."""


def box_columns(box: BoundingBox) -> dict[str, float]:
    return dict(zip(BOX_COLUMNS, (box.left, box.top, box.width, box.height), strict=True))


def box_of_row(row: Mapping[Any, Any]) -> BoundingBox:
    """Return the box of a row. Raises ``KeyError`` for a missing column, ``ValueError`` for an empty box."""
    left, top, width, height = (row[name] for name in BOX_COLUMNS)
    return BoundingBox(left, top, width, height)
