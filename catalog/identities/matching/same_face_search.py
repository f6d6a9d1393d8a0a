"""Find employees who have the face of a photo, so that a person is not enrolled under two ids.

A free engine compares the photo with each reference. A paid engine charges each comparison: 25 references are pasted
on one sheet, and one call compares the photo with every face of the sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO

from PIL import Image

from catalog.domain.charges import Charge
from catalog.domain.engine import Engine
from catalog.domain.errors import NoFaceError
from catalog.domain.faces import ComparedFace
from catalog.domain.opened_photo import OpenedPhoto
from catalog.store.verification_rows import StoredReference

_COLUMNS = 5
_TILE = 320
"""Side of a tile in pixels. A face is about 120 pixels wide on it: references are padded crops."""


class SameFaceSearch:
    """Compares one photo with references. ``charges`` gets the charges of every call, also before an error."""

    def __init__(
        self, engine: Engine, photo: OpenedPhoto, open_photo: Callable[[bytes], OpenedPhoto], charges: list[Charge]
    ) -> None:
        self._engine = engine
        self._photo = photo
        self._open_photo = open_photo
        self._charges = charges

    def similarities(self, references: Sequence[StoredReference]) -> dict[str, float]:
        """The highest similarity of the photo's face to each employee, by id.

        An employee on whose references the engine finds no face is left out. Raises what the engine raises.
        """
        highest: dict[str, float] = {}
        size = _COLUMNS**2 if self._engine.capabilities.is_paid else 1
        for start in range(0, len(references), size):
            batch = references[start : start + size]
            for reference, similarity in zip(batch, self._compare(batch), strict=True):
                if similarity is not None:
                    highest[reference.employee_id] = max(similarity, highest.get(reference.employee_id, 0.0))
        return highest

    def _compare(self, references: Sequence[StoredReference]) -> list[float | None]:
        """Similarity to each reference. A reference whose face is not found on the sheet is compared by itself."""
        if len(references) == 1:
            return [_largest(self._faces(self._open_photo(references[0].image)))]
        images = [self._open_photo(reference.image) for reference in references]
        faces = self._faces(self._open_photo(_sheet(images)))
        rows = -(-len(images) // _COLUMNS)
        similarities = []
        for number, image in enumerate(images):
            on_tile = [face for face in faces if _tile_of(face, rows) == number]
            similarities.append(_largest(on_tile or self._faces(image)))
        return similarities

    def _faces(self, target: OpenedPhoto) -> Sequence[ComparedFace]:
        try:
            comparison = self._engine.compare(self._photo, target, 0.0)
        except NoFaceError as error:
            self._charges += error.charges
            return ()
        self._charges += comparison.charges
        return comparison.matches


def _sheet(images: Sequence[OpenedPhoto]) -> bytes:
    """A JPEG with one tile for each image, row by row."""
    rows = -(-len(images) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * _TILE, rows * _TILE), (127, 127, 127))
    for number, image in enumerate(images):
        tile = Image.fromarray(image.pixels)
        tile.thumbnail((_TILE, _TILE), Image.Resampling.LANCZOS)
        sheet.paste(tile, (number % _COLUMNS * _TILE, number // _COLUMNS * _TILE))
    written = BytesIO()
    sheet.save(written, "JPEG", quality=95)
    return written.getvalue()


def _tile_of(face: ComparedFace, rows: int) -> int:
    """Number of the tile that holds the center of a face."""
    x, y = face.face.box.center
    return min(_COLUMNS - 1, int(x * _COLUMNS)) + _COLUMNS * min(rows - 1, int(y * rows))


def _largest(faces: Sequence[ComparedFace]) -> float | None:
    largest = max(faces, key=lambda face: face.face.box.area, default=None)
    return None if largest is None else largest.similarity
