"""Data of the pages: all photos, then faces in the order of persons and of photos.

Hidden persons, faces marked as not a face, photos without a location, and faces of other galleries are excluded here
for all pages. ``values`` are the SQL parameters of the gallery (``catalog.reports.gallery_filter``). Faces are
streamed. Photos are in memory: about 100 MB for 300,000.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, TextClause, text

from catalog.domain.faces import BoundingBox
from catalog.domain.uri import display
from catalog.reports.gallery_macros import expand_gallery
from catalog.store.named_appearances import visible_appearances
from catalog.store.public_views import expand_macros

_PHOTOS = """
SELECT photo.id, photo.sha256, MIN(place.uri), LOCAL_DATE(photo), photo.width, photo.height,
    COUNT(stacked.photo_id) = 0
FROM photos AS photo
JOIN locations AS place ON place.photo_id = photo.id
LEFT JOIN stacked_photos AS stacked ON stacked.photo_id = photo.id
WHERE place.missing_since IS NULL
GROUP BY photo.id, photo.sha256, photo.taken_local, photo.taken_at_precision, photo.width, photo.height
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
    face.sharpness, face.yaw, face.emotion_confidence
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
    """A visible person. ``row`` is the row id, which no page shows."""

    row: int
    person_id: str
    name: str | None

    @property
    def label(self) -> str:
        return self.name or f"Unnamed {self.person_id}"


@dataclass(frozen=True, slots=True)
class SitePhoto:
    """A photo with a location. ``taken`` is the local time, ``YYYY-MM-DDTHH:MM:SS``, cut to its precision, or empty.

    ``album`` and ``file`` are folder and name of the location, as shown.
    """

    row: int
    sha256: str
    uri: str
    taken: str
    width: int
    height: int
    album: str
    file: str
    counts: bool
    """False for a file of an exposure of which another photo counts."""

    @property
    def picture(self) -> str:
        """Name of the reduced photo in the output folder."""
        return f"photos/{self.sha256[:2]}/{self.sha256[:20]}.jpg"


@dataclass(frozen=True, slots=True)
class SiteFace:
    """A face on a photo. ``person`` is a row id, None for an unassigned face."""

    photo: int
    person: int | None
    box: BoundingBox
    emotion: str | None
    clarity: float
    """Quality as a portrait, 0 to 1: high for a certain, sharp, frontal face."""
    emotion_confidence: float | None = None
    """Confidence of ``emotion``, 0 to 100; None: not measured."""

    def picture(self, photo: SitePhoto) -> str:
        """Return the name of the crop in the output folder, a digest of photo and box."""
        box = f"{self.box.left:.5f} {self.box.top:.5f} {self.box.width:.5f} {self.box.height:.5f}"
        name = sha256(f"{photo.sha256} {box}".encode()).hexdigest()
        return f"faces/{name[:2]}/{name[:20]}.jpg"


def read_people(connection: Connection) -> dict[int, SitePerson]:
    return {row[0]: SitePerson(*row) for row in connection.execute(text(_PEOPLE))}


def read_photos(connection: Connection) -> dict[int, SitePhoto]:
    """Return all photos with a location by row id, oldest first; undated photos come last."""
    photos = [
        SitePhoto(row, digest, uri, taken or "", width, height, *_folder_and_file(uri), bool(counts))
        for row, digest, uri, taken, width, height, counts in connection.execute(text(expand_macros(_PHOTOS)))
    ]
    photos.sort(key=lambda photo: (photo.taken or "~", photo.row))
    return {photo.row: photo for photo in photos}


def most_seen(connection: Connection, values: Mapping[str, str], limit: int) -> set[int]:
    """Return the row ids of the persons with the most faces."""
    return set(connection.scalars(_statement(connection, _MOST_SEEN, values), {**values, "most": limit}))


def faces_by_person(connection: Connection, values: Mapping[str, str]) -> Iterator[tuple[int, list[SiteFace]]]:
    """Yield the row id of each person with the person's faces."""
    for person, rows in groupby(_streamed(connection, _BY_PERSON, values), key=lambda row: row[0]):
        yield person, [_face(row) for row in rows]


def faces_by_photo(connection: Connection, values: Mapping[str, str]) -> Iterator[tuple[int, list[SiteFace]]]:
    """Yield the row id of each photo with its faces."""
    for photo, rows in groupby(_streamed(connection, _BY_PHOTO, values), key=lambda row: row[1]):
        yield photo, [_face(row) for row in rows]


def appearances_by_person(connection: Connection) -> dict[int, list[tuple[int, BoundingBox | None]]]:
    """Return photo row and box of the named appearances of visible persons, by person row."""
    appearances: dict[int, list[tuple[int, BoundingBox | None]]] = {}
    for person, _, hidden, photo, box in visible_appearances(connection):
        if not hidden:
            appearances.setdefault(person, []).append((photo, box))
    return appearances


def _streamed(connection: Connection, sql: str, values: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    streaming = connection.execution_options(yield_per=5000)
    for rows in streaming.execute(_statement(connection, sql, values), dict(values)).partitions(5000):
        yield from rows


def _statement(connection: Connection, sql: str, values: Mapping[str, str]) -> TextClause:
    return text(expand_gallery(sql, connection.dialect.name, several=bool(values["several"])))


def _face(row: tuple[Any, ...]) -> SiteFace:
    person, photo, left, top, width, height, emotion, confidence, sharpness, yaw, certainty = row
    sharp = 50 if sharpness is None else sharpness
    clarity = confidence / 100 * (0.2 + 0.8 * sharp / 100) * (1 - min(abs(yaw or 0), 90) / 120)
    return SiteFace(photo, person, BoundingBox(left, top, width, height), emotion, clarity, certainty)


def _folder_and_file(uri: str) -> tuple[str, str]:
    """Return folder, with a closing slash, and file name."""
    folder, slash, file = display(uri).rpartition("/")
    return folder + slash, file
