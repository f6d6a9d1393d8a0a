"""Catalogued faces: faces with their persons and one location of their photo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, exists, func, select

from catalog.domain.box_columns import BOX_COLUMNS
from catalog.domain.errors import PersonError
from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.local_day import LocalSpan
from catalog.domain.people import AssignedBy
from catalog.store.among import among_parameter
from catalog.store.damaged_rows import stored_time, stored_uri
from catalog.store.person_index import PersonRow
from catalog.store.photo_dates import stored_span
from catalog.store.tables import assignments, faces, locations, persons, photos
from catalog.store.upsert import batches
from catalog.store.without_index import without_index

_ROWS = 5_000
"""Faces or photos of one query."""
_ENOUGH_PIXELS = 200.0
"""Width of a face above which a larger one is not easier to recognize. Not measured."""


@dataclass(frozen=True, slots=True)
class CataloguedFace:
    """A face with its person and the first location of its photo; a missing location if the photo has no other.

    ``row`` is the row id of the face. ``similarity`` is 0 to 100, to the person's other faces when it was assigned.
    """

    row: int
    face_id: str
    engine: str
    gallery: str
    sha256: str
    box: BoundingBox
    uri: str | None
    taken_at: datetime | None
    person_id: str | None
    name: str | None
    hidden: bool
    by: AssignedBy | None
    similarity: float | None
    not_a_face: bool = False
    taken: LocalSpan | None = None
    """The local date of the photo, as exact as it is known; None if there is none."""

    @property
    def place(self) -> FaceKey:
        return FaceKey(self.sha256, self.box)


def faces_of_person(
    connection: Connection, person: PersonRow, limit: int | None = None, gallery: tuple[str, str] | None = None
) -> list[CataloguedFace]:
    """Return the faces of a person, oldest photo first; undated photos come last.

    ``gallery`` is an engine and its gallery; by default faces of all galleries are returned.
    """
    # The photos of all faces are sorted, and only the faces within the limit are read. An index of the assignments has
    # the photo of each face but those marked as no face.
    own_photo = select(faces.c.photo_id).where(faces.c.id == assignments.c.face_id).scalar_subquery()
    query = (
        select(assignments.c.face_id)
        .join(photos, photos.c.id == func.coalesce(assignments.c.photo_id, own_photo))
        .where(assignments.c.person_id == person.id)
        .order_by(photos.c.taken_local.is_(None), photos.c.taken_local, assignments.c.face_id)
    )
    if gallery is not None:
        query = query.where(exists().where(faces.c.id == assignments.c.face_id, *in_gallery(*gallery)))
    return catalogued_in_order(connection, list(connection.scalars(query.limit(limit))))


def catalogued_in_order(connection: Connection, rows: Sequence[int]) -> list[CataloguedFace]:
    """The faces with these row ids, in this order."""
    catalogued = catalogued_faces_by_row(connection, rows)
    return [catalogued[row] for row in rows if row in catalogued]


def in_gallery(engine: str, gallery: str) -> tuple[ColumnElement[bool], ...]:
    """Conditions on the few faces that another condition finds: they are real faces of this gallery.

    The gallery nearly always holds all faces.
    """
    own_engine, own_gallery = without_index(faces.c.engine), without_index(faces.c.gallery)
    return own_engine == engine, own_gallery == gallery, faces.c.not_a_face.is_(False)


def clearness(connection: Connection) -> ColumnElement[float]:
    """Rank a face for recognition by a user, in columns of ``faces`` and ``photos``. Large and frontal is high."""
    least_function = func.min if connection.dialect.name == "sqlite" else func.least
    size = least_function(faces.c.box_width * photos.c.width, _ENOUGH_PIXELS)
    return size * func.coalesce(faces.c.sharpness, 50.0) * (1.2 - func.abs(func.coalesce(faces.c.yaw, 0.0)) / 90.0)


def catalogued_faces_by_id(
    connection: Connection, face_ids: Sequence[str], *, engine: str, gallery: str
) -> dict[str, CataloguedFace]:
    """Return faces of a gallery by face id. Leaves out unknown ids and faces marked as not a face."""
    result: list[CataloguedFace] = []
    for batch in batches(face_ids):
        query = _face_query().where(
            faces.c.engine == engine,
            faces.c.gallery == gallery,
            faces.c.face_id.in_(batch),
            faces.c.not_a_face.is_(False),
        )
        result += _catalogued_faces(connection, query)
    return {face.face_id: face for face in result}


def catalogued_faces_by_row(connection: Connection, rows: Iterable[int]) -> dict[int, CataloguedFace]:
    result: list[CataloguedFace] = []
    for batch in batches(list(rows), _ROWS):
        result += _catalogued_faces(connection, _faces_of_rows(), {"rows": batch})
    return {face.row: face for face in result}


def find_face(connection: Connection, wanted: str, *, engine: str, gallery: str) -> CataloguedFace:
    """Return the face with this id, or the only face whose id starts with it. Raises ``PersonError``."""
    # A whole id is found by an index. The beginning of an id is compared with all ids of the gallery.
    names = {"engine": engine, "gallery": gallery}
    candidates = _catalogued_faces(connection, _face_of_id(), {**names, "face_id": wanted})
    if not candidates:
        begins = faces.c.face_id.startswith(wanted, autoescape=True)
        candidates = _catalogued_faces(connection, _faces_of_gallery().where(begins).limit(2), names)
    if len(candidates) != 1:
        subject = "No face has" if not candidates else "Several faces have"
        raise PersonError(
            f'{subject} an id that starts with "{wanted}".', remedy="`catalog people show PERSON` lists face ids."
        )
    return candidates[0]


def faces_at_key(connection: Connection, key: FaceKey) -> list[CataloguedFace]:
    """Return the faces of all galleries that are the same face as the key, highest overlap first."""
    on_photo = faces_by_content(connection, [key.sha256]).get(key.sha256, [])
    overlapping = [face for face in on_photo if face.place.same(key)]
    return sorted(overlapping, key=lambda face: -face.box.iou(key.box))


def faces_by_content(connection: Connection, contents: Iterable[str]) -> dict[str, list[CataloguedFace]]:
    """Return the faces of all galleries on these photos, by content hash."""
    faces_by_hash: dict[str, list[CataloguedFace]] = {}
    for batch in batches(sorted(contents), _ROWS):
        for face in _catalogued_faces(connection, _faces_of_contents(), {"contents": batch}):
            faces_by_hash.setdefault(face.sha256, []).append(face)
    return faces_by_hash


@cache
def _face_query() -> Select[Any]:
    present = (
        select(func.min(locations.c.uri))
        .where(locations.c.photo_id == photos.c.id, locations.c.missing_since.is_(None))
        .scalar_subquery()
    )
    missing = select(func.min(locations.c.uri)).where(locations.c.photo_id == photos.c.id).scalar_subquery()
    return select(
        faces.c.id,
        faces.c.face_id,
        faces.c.engine,
        faces.c.gallery,
        photos.c.sha256,
        *(faces.c[name] for name in BOX_COLUMNS),
        func.coalesce(present, missing).label("uri"),
        photos.c.taken_at,
        photos.c.taken_at_precision,
        photos.c.taken_local,
        photos.c.taken_local_end,
        persons.c.person_id.label("public_id"),
        persons.c.name,
        persons.c.hidden,
        assignments.c.by,
        assignments.c.similarity,
        faces.c.not_a_face,
    ).select_from(
        faces.join(photos)
        .outerjoin(assignments, assignments.c.face_id == faces.c.id)
        .outerjoin(persons, persons.c.id == assignments.c.person_id)
    )


# Building one of these statements takes longer than running it for one face.


@cache
def _faces_of_rows() -> Select[Any]:
    return _face_query().where(among_parameter(faces.c.id, "rows"))


@cache
def _faces_of_contents() -> Select[Any]:
    return _face_query().where(among_parameter(photos.c.sha256, "contents"))


@cache
def _faces_of_gallery() -> Select[Any]:
    return _face_query().where(faces.c.engine == bindparam("engine"), faces.c.gallery == bindparam("gallery"))


@cache
def _face_of_id() -> Select[Any]:
    return _faces_of_gallery().where(faces.c.face_id == bindparam("face_id"))


def _catalogued_faces(
    connection: Connection, query: Select[Any], parameters: Mapping[str, object] | None = None
) -> list[CataloguedFace]:
    return [
        CataloguedFace(
            row=row.id,
            face_id=row.face_id,
            engine=row.engine,
            gallery=row.gallery,
            sha256=row.sha256,
            box=BoundingBox(row.box_left, row.box_top, row.box_width, row.box_height),
            uri=stored_uri(row.uri, f"Photo {row.sha256[:12]}"),
            taken_at=stored_time(row.taken_at, f"Photo {row.sha256[:12]}", "taken_at"),
            person_id=row.public_id,
            name=row.name,
            hidden=bool(row.hidden),
            by=None if row.by is None else AssignedBy(row.by),
            similarity=row.similarity,
            not_a_face=bool(row.not_a_face),
            taken=stored_span(row.taken_local, row.taken_local_end, row.taken_at_precision),
        )
        for row in connection.execute(query, parameters).all()
    ]
