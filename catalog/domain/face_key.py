"""The face key: identifies a face by its photo and box, independent of row ids, engine and model."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.domain.faces import BoundingBox
from catalog.domain.same_face import SAME_PHOTO, same_face


@dataclass(frozen=True, slots=True)
class FaceKey:
    """Content hash and bounding box. ``==`` is exact; :meth:`same` accepts the boxes of other engines."""

    sha256: str
    box: BoundingBox

    def same(self, other: FaceKey) -> bool:
        return self.sha256 == other.sha256 and same_face(self.box, other.box, SAME_PHOTO)
