"""What the pages show, read from the catalogue: photos once, then faces in the order of people and of photos.

Hidden people, what is no face, photos that are gone and all galleries but one are left out here, so that no page needs
to think of them. ``values`` are the parameters of SQL about that gallery (``catalog.reports.gallery_filter``).
Faces are streamed; photos are held in memory, about 100 MB for 300,000.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, TextClause, text

from catalog.domain.faces import BoundingBox
from catalog.domain.uri import display
from catalog.reports.gallery_filter import expand_gallery

_PHOTOS = """
SELECT photo.id, photo.sha256, MIN(place.uri), photo.taken_at, photo.taken_at_offset, photo.width, photo.height
FROM photos AS photo
JOIN locations AS place ON place.photo_id = photo.id
WHERE place.missing_since IS NULL
GROUP BY photo.id, photo.sha256, photo.taken_at, photo.taken_at_offset, photo.width, photo.height
"""
_PEOPLE = """
SELECT person.id, person.person_id, person.name
FROM persons AS person
WHERE NOT person.hidden AND person.merged_into IS NULL
"""
_MOST_SEEN = """
SELECT assigned.person_id
FROM assignments AS assigned
WHERE assigned.photo_id IS NOT NULL AND IN_GALLERY(assigned.face_id)
GROUP BY assigned.person_id
ORDER BY COUNT(*) DESC, assigned.person_id
LIMIT :most
"""
_FACE = """
face.photo_id, face.box_left, face.box_top, face.box_width, face.box_height, face.emotion, face.confidence,
    face.sharpness, face.yaw
"""
_BY_PERSON = f"""
SELECT assigned.person_id, {_FACE}
FROM assignments AS assigned
JOIN faces AS face ON face.id = assigned.face_id
WHERE assigned.photo_id IS NOT NULL AND OF_GALLERY(face)
ORDER BY assigned.person_id
"""  # noqa: S608  the columns are written above
_BY_PHOTO = f"""
SELECT assigned.person_id, {_FACE}
FROM faces AS face
LEFT JOIN assignments AS assigned ON assigned.face_id = face.id
WHERE NOT face.not_a_face AND OF_GALLERY(face)
ORDER BY face.photo_id
"""  # noqa: S608  the columns are written above


@dataclass(frozen=True, slots=True)
class SitePerson:
    """``row`` joins people to faces and names nobody outside; ``label`` is safe to show."""

    row: int
    person_id: str
    name: str | None

    @property
    def label(self) -> str:
        return self.name or f"Unnamed {self.person_id}"


@dataclass(frozen=True, slots=True)
class SitePhoto:
    """A photo that stands. ``taken`` is the camera's wall clock, ``YYYY-MM-DDTHH:MM:SS``, or empty.

    ``album`` and ``file`` are its place as people read it.
    """

    row: int
    sha256: str
    uri: str
    taken: str
    width: int
    height: int
    album: str
    file: str

    @property
    def picture(self) -> str:
        """The name of its reduced picture in the folder of pages."""
        return f"photos/{self.sha256[:2]}/{self.sha256[:20]}.jpg"


@dataclass(frozen=True, slots=True)
class SiteFace:
    """A face on a photo; ``person`` is a row, or None for nobody's."""

    photo: int
    person: int | None
    box: BoundingBox
    emotion: str | None
    clarity: float
    """How well it serves as a portrait, 0 to 1: certain, sharp and turned to the camera."""

    def picture(self, photo: SitePhoto) -> str:
        """The name of its crop; it tells photo and box, so that a crop is never shown for another face."""
        box = f"{self.box.left:.5f} {self.box.top:.5f} {self.box.width:.5f} {self.box.height:.5f}"
        name = sha256(f"{photo.sha256} {box}".encode()).hexdigest()
        return f"faces/{name[:2]}/{name[:20]}.jpg"


def read_people(connection: Connection) -> dict[int, SitePerson]:
    return {row[0]: SitePerson(*row) for row in connection.execute(text(_PEOPLE))}


def read_photos(connection: Connection) -> dict[int, SitePhoto]:
    """Every photo that stands, oldest first, those without a date last."""
    found = [
        SitePhoto(row, digest, uri, _local(taken_at, offset), width, height, *_place(uri))
        for row, digest, uri, taken_at, offset, width, height in connection.execute(text(_PHOTOS))
    ]
    found.sort(key=lambda photo: (photo.taken or "~", photo.row))
    return {photo.row: photo for photo in found}


def most_seen(connection: Connection, values: Mapping[str, str], most: int) -> set[int]:
    """The rows of the people with the most faces."""
    return set(connection.scalars(_spelled(connection, _MOST_SEEN, values), {**values, "most": most}))


def faces_by_person(connection: Connection, values: Mapping[str, str]) -> Iterator[tuple[int, list[SiteFace]]]:
    """Each person's row with their faces."""
    for person, rows in groupby(_streamed(connection, _BY_PERSON, values), key=lambda row: row[0]):
        yield person, [_face(row) for row in rows]


def faces_by_photo(connection: Connection, values: Mapping[str, str]) -> Iterator[tuple[int, list[SiteFace]]]:
    """Each photo's row with its faces."""
    for photo, rows in groupby(_streamed(connection, _BY_PHOTO, values), key=lambda row: row[1]):
        yield photo, [_face(row) for row in rows]


def _streamed(connection: Connection, sql: str, values: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    streaming = connection.execution_options(yield_per=5000)
    for rows in streaming.execute(_spelled(connection, sql, values), dict(values)).partitions(5000):
        yield from rows


def _spelled(connection: Connection, sql: str, values: Mapping[str, str]) -> TextClause:
    return text(expand_gallery(sql, connection.dialect.name, several=bool(values["several"])))


def _face(row: tuple[Any, ...]) -> SiteFace:
    person, photo, left, top, width, height, emotion, confidence, sharpness, yaw = row
    sharp = 50 if sharpness is None else sharpness
    clarity = confidence / 100 * (0.2 + 0.8 * sharp / 100) * (1 - min(abs(yaw or 0), 90) / 120)
    return SiteFace(photo, person, BoundingBox(left, top, width, height), emotion, clarity)


def _place(uri: str) -> tuple[str, str]:
    """Folder, with a closing slash, and file."""
    folder, slash, file = display(uri).rpartition("/")
    return folder + slash, file


def _local(taken_at: str | None, offset: int | None) -> str:
    if taken_at is None:
        return ""
    if not offset:
        return taken_at[:19]
    return (datetime.fromisoformat(taken_at) + timedelta(minutes=offset)).isoformat()[:19]
