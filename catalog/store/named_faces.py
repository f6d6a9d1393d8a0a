"""Photos with their faces, the names of these faces, and all locations of the photo, as the exports need them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection, Row, select

from catalog.domain.faces import BoundingBox
from catalog.domain.orientation import ImageGeometry
from catalog.store.browse_photos import is_alone_with
from catalog.store.named_appearances import photos_naming, visible_appearances
from catalog.store.tables import assignments, faces, locations, persons, photos

_FACES = (
    select(
        photos.c.id,
        photos.c.sha256,
        photos.c.width,
        photos.c.height,
        photos.c.orientation,
        faces.c.id.label("row"),
        faces.c.face_id,
        faces.c.box_left,
        faces.c.box_top,
        faces.c.box_width,
        faces.c.box_height,
        persons.c.person_id,
        persons.c.name,
        persons.c.hidden,
    )
    .select_from(
        photos.outerjoin(faces, (faces.c.photo_id == photos.c.id) & faces.c.not_a_face.is_(False))
        .outerjoin(assignments, assignments.c.face_id == faces.c.id)
        .outerjoin(persons, persons.c.id == assignments.c.person_id)
    )
    .order_by(photos.c.id, faces.c.id)
)
_LOCATIONS = (
    select(locations.c.photo_id, locations.c.uri)
    .where(locations.c.missing_since.is_(None))
    .order_by(locations.c.photo_id, locations.c.uri)
)


@dataclass(frozen=True, slots=True)
class NamedFace:
    """A face and the name of its person.

    ``row`` is the face's row id. ``name`` is None if the person is unnamed or hidden, or if the face is unassigned.
    """

    row: int
    face_id: str
    box: BoundingBox
    person_id: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class PhotoWithFaces:
    """A photo with its faces and the uris of its locations, in ascending order; missing locations are left out."""

    sha256: str
    geometry: ImageGeometry
    uris: tuple[str, ...]
    faces: tuple[NamedFace, ...]
    appearances: tuple[tuple[str, BoundingBox | None], ...] = ()
    """Names and boxes of visible persons without a detected face."""


def photos_with_faces(connection: Connection) -> Iterator[PhotoWithFaces]:
    """Stream all photos that have a location, also those without faces, in ascending order of row ids."""
    uris_by_photo = {
        photo: tuple(row[1] for row in rows)
        for photo, rows in groupby(connection.execute(_LOCATIONS), key=lambda row: row[0])
    }
    appearances: dict[int, list[tuple[str, BoundingBox | None]]] = {}
    for _, name, hidden, photo, box in visible_appearances(connection):
        if name and not hidden:
            appearances.setdefault(photo, []).append((name, box))
    streamed = connection.execution_options(yield_per=2000).execute(_FACES)
    for photo, group in groupby(streamed, key=lambda row: row[0]):
        rows = list(group)
        if photo in uris_by_photo:
            _, sha256, width, height, orientation = rows[0][:5]
            named_faces = tuple(_named_face(row) for row in rows if row.row is not None)
            yield PhotoWithFaces(
                sha256,
                ImageGeometry(width, height, orientation),
                uris_by_photo[photo],
                named_faces,
                tuple(appearances.get(photo, ())),
            )


def uris_showing_all(
    connection: Connection, person_rows: Sequence[int], *, only_in: tuple[str, str] | None = None
) -> list[str]:
    """Return one uri of every photo that shows all these persons (row ids), in ascending order of uris.

    A person is shown by an assigned face or by a named appearance. With ``only_in``, an engine's name and a gallery,
    every face of that gallery on the photo is one of these persons or a hidden person.

    Photos without a location are left out. No person means no photo.
    """
    query = select(locations.c.photo_id, locations.c.uri).where(locations.c.missing_since.is_(None))
    for person_row in person_rows:
        shown = select(assignments.c.photo_id).where(
            assignments.c.person_id == person_row, assignments.c.photo_id.is_not(None)
        )
        query = query.where(locations.c.photo_id.in_(shown) | locations.c.photo_id.in_(photos_naming(person_row)))
    if only_in is not None:
        engine, gallery = only_in
        alone = select(photos.c.id).where(is_alone_with(person_rows, engine, gallery))
        query = query.where(locations.c.photo_id.in_(alone))
    uri_by_photo: dict[int, str] = {}
    if person_rows:
        for photo, uri in connection.execute(query.order_by(locations.c.uri)):
            uri_by_photo.setdefault(photo, uri)
    return list(uri_by_photo.values())


def face_rows_of_id(connection: Connection, face_id: str) -> list[int]:
    """Return the row ids of the faces with this id, which several galleries may hold."""
    return list(connection.scalars(select(faces.c.id).where(faces.c.face_id == face_id)))


def _named_face(row: Row[*tuple[object, ...]]) -> NamedFace:
    box = BoundingBox(row.box_left, row.box_top, row.box_width, row.box_height)
    return NamedFace(row.row, row.face_id, box, row.person_id, None if row.hidden else row.name)
