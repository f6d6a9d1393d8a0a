"""The faces of photos as the exchange sees them: with boxes, names, and every place where the photo stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection, text

from catalog.domain.faces import BoundingBox
from catalog.exchange.xmp_regions import Frame

_FACES = """
SELECT photo.id, photo.sha256, photo.width, photo.height, photo.orientation, face.id, face.face_id, face.box_left,
    face.box_top, face.box_width, face.box_height, person.person_id, person.name, person.hidden
FROM photos AS photo
LEFT JOIN faces AS face ON face.photo_id = photo.id AND NOT face.not_a_face
LEFT JOIN assignments AS assigned ON assigned.face_id = face.id
LEFT JOIN persons AS person ON person.id = assigned.person_id
ORDER BY photo.id, face.id
"""
_PLACES = """
SELECT place.photo_id, place.uri FROM locations AS place WHERE place.missing_since IS NULL
ORDER BY place.photo_id, place.uri
"""


@dataclass(frozen=True, slots=True)
class NamedFace:
    """``row`` is the face's row id; ``name`` is None where its person has none, is hidden, or there is no person."""

    row: int
    face_id: str
    box: BoundingBox
    person_id: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class FacedPhoto:
    """A photo with the places where it stands, first to last, and its faces."""

    sha256: str
    frame: Frame
    uris: tuple[str, ...]
    faces: tuple[NamedFace, ...]


def photos_with_faces(connection: Connection) -> Iterator[FacedPhoto]:
    """Every photo that stands somewhere, those without faces too; streamed in the order of their row ids."""
    standing = {
        photo: tuple(row[1] for row in rows)
        for photo, rows in groupby(connection.execute(text(_PLACES)), key=lambda row: row[0])
    }
    streamed = connection.execution_options(yield_per=2000).execute(text(_FACES))
    for photo, rows in groupby(streamed, key=lambda row: row[0]):
        if photo in standing:
            found = list(rows)
            _, sha256, width, height, orientation = found[0][:5]
            faces = tuple(_named_face(row[5:]) for row in found if row[5] is not None)
            yield FacedPhoto(sha256, Frame(width, height, orientation), standing[photo], faces)


def _named_face(row: tuple[object, ...]) -> NamedFace:
    face, face_id, left, top, width, height, person_id, name, hidden = row
    box = BoundingBox(float(left), float(top), float(width), float(height))  # type: ignore[arg-type]
    shown = None if hidden or name is None else str(name)
    return NamedFace(int(face), str(face_id), box, None if person_id is None else str(person_id), shown)  # type: ignore[call-overload]
