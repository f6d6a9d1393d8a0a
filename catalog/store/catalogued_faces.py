"""Appearances: the faces of the catalogue with the people they are assigned to and the photos they are on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from catalog.domain.errors import PersonError
from catalog.domain.face_key import FaceKey
from catalog.domain.faces import BoundingBox
from catalog.domain.people import AssignedBy
from catalog.domain.timestamps import utc_time
from catalog.store.person_index import PersonRow
from catalog.store.tables import assignments, faces, locations, persons, photos
from catalog.store.upsert import batches


@dataclass(frozen=True, slots=True)
class CataloguedFace:
    """A face with the person it is assigned to and one place where its photo can be found, if any still stands."""

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

    @property
    def place(self) -> FaceKey:
        return FaceKey(self.sha256, self.box)


def faces_of_person(connection: Connection, person: PersonRow, limit: int | None = None) -> list[CataloguedFace]:
    """The faces of a person, oldest photo first, those without a date last."""
    return _appearances(
        connection,
        _appearance_query()
        .where(assignments.c.person_id == person.id)
        .order_by(photos.c.taken_at.is_(None), photos.c.taken_at, faces.c.id)
        .limit(limit),
    )


def catalogued_faces_by_id(
    connection: Connection, face_ids: Sequence[str], *, engine: str, gallery: str
) -> dict[str, CataloguedFace]:
    """The faces that a gallery knows by these ids; unknown ones and what a human called no face are left out."""
    found: list[CataloguedFace] = []
    for some in batches(face_ids):
        query = _appearance_query().where(
            faces.c.engine == engine,
            faces.c.gallery == gallery,
            faces.c.face_id.in_(some),
            faces.c.not_a_face.is_(False),
        )
        found += _appearances(connection, query)
    return {each.face_id: each for each in found}


def catalogued_faces_by_row(connection: Connection, rows: Iterable[int]) -> dict[int, CataloguedFace]:
    found: list[CataloguedFace] = []
    for some in batches(list(rows)):
        found += _appearances(connection, _appearance_query().where(faces.c.id.in_(some)))
    return {each.row: each for each in found}


def find_face(connection: Connection, wanted: str, *, engine: str, gallery: str) -> CataloguedFace:
    """The face with this id, or the only one whose id begins so. Raises ``PersonError``."""
    query = _appearance_query().where(
        faces.c.engine == engine, faces.c.gallery == gallery, faces.c.face_id.startswith(wanted, autoescape=True)
    )
    found = _appearances(connection, query.limit(2))
    exact = [each for each in found if each.face_id == wanted]
    if not (exact or len(found) == 1):
        what = "No face has" if not found else "Several faces have"
        raise PersonError(
            f'{what} an id that begins with "{wanted}".', remedy="`catalog people show PERSON` lists ids of faces."
        )
    return (exact or found)[0]


def faces_at_key(connection: Connection, place: FaceKey) -> list[CataloguedFace]:
    """The faces of every gallery at a place: those whose box overlaps its box, best first."""
    query = _appearance_query().where(photos.c.sha256 == place.sha256)
    near = [each for each in _appearances(connection, query) if each.place.same(place)]
    return sorted(near, key=lambda each: -each.box.iou(place.box))


def faces_by_content(connection: Connection, contents: Iterable[str]) -> dict[str, list[CataloguedFace]]:
    """The faces of every gallery on some photos, by content."""
    found: dict[str, list[CataloguedFace]] = {}
    for some in batches(sorted(contents)):
        for each in _appearances(connection, _appearance_query().where(photos.c.sha256.in_(some))):
            found.setdefault(each.sha256, []).append(each)
    return found


def _appearance_query() -> Select[Any]:
    place = (
        select(func.min(locations.c.uri))
        .where(locations.c.photo_id == photos.c.id, locations.c.missing_since.is_(None))
        .scalar_subquery()
    )
    lost = select(func.min(locations.c.uri)).where(locations.c.photo_id == photos.c.id).scalar_subquery()
    return select(
        faces.c.id,
        faces.c.face_id,
        faces.c.engine,
        faces.c.gallery,
        photos.c.sha256,
        faces.c.box_left,
        faces.c.box_top,
        faces.c.box_width,
        faces.c.box_height,
        func.coalesce(place, lost).label("uri"),
        photos.c.taken_at,
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


def _appearances(connection: Connection, query: Select[Any]) -> list[CataloguedFace]:
    return [
        CataloguedFace(
            row=row.id,
            face_id=row.face_id,
            engine=row.engine,
            gallery=row.gallery,
            sha256=row.sha256,
            box=BoundingBox(row.box_left, row.box_top, row.box_width, row.box_height),
            uri=row.uri,
            taken_at=utc_time(row.taken_at),
            person_id=row.public_id,
            name=row.name,
            hidden=bool(row.hidden),
            by=None if row.by is None else AssignedBy(row.by),
            similarity=row.similarity,
            not_a_face=bool(row.not_a_face),
        )
        for row in connection.execute(query)
    ]
