"""Persons for browsing: pages of persons with a cover face, and strangers that may be hidden in bulk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from catalog.domain.people import AssignedBy
from catalog.store.catalogued_faces import CataloguedFace, catalogued_faces_by_row, in_gallery
from catalog.store.person_summaries import (
    HIDDEN,
    NAMED,
    OPEN,
    PersonSummary,
    clearest_faces,
    name_matches,
    read_summaries,
    select_summaries,
)
from catalog.store.tables import assignments, faces, locations, person_summaries, persons, photos

Shown = Literal["named", "unnamed", "hidden"]
_STATES: dict[Shown, str] = {"named": NAMED, "unnamed": OPEN, "hidden": HIDDEN}


def list_persons(
    connection: Connection, shown: Shown, limit: int, *, prefix: str = "", after: str | None = None
) -> list[PersonSummary]:
    """Persons with a face in the gallery, most faces first. ``prefix`` is the start of a word of the name.

    ``after`` is the public id of the last person of the previous page.
    """
    conditions: list[ColumnElement[bool]] = []
    if prefix:
        conditions.append(name_matches(prefix))
    if after is not None:
        last = connection.execute(
            select(person_summaries.c.faces, person_summaries.c.person_id)
            .join(persons, persons.c.id == person_summaries.c.person_id)
            .where(persons.c.person_id == after)
        ).one_or_none()
        if last is not None:
            same_size = and_(person_summaries.c.faces == last.faces, person_summaries.c.person_id < last.person_id)
            conditions.append(or_(person_summaries.c.faces < last.faces, same_size))
    return select_summaries(connection, conditions, limit, state=_STATES[shown])


def cover_faces(
    connection: Connection, person_rows: Sequence[int], *, engine: str, gallery: str
) -> dict[int, CataloguedFace]:
    """A clear face of each person in one gallery, by the person's row id.

    It is the clearest one when the person's counts were computed.
    """
    rows = list(person_rows)
    is_own = and_(assignments.c.face_id == person_summaries.c.cover_id, assignments.c.person_id.in_(rows))
    stored = (
        select(person_summaries.c.person_id, person_summaries.c.cover_id)
        .join(assignments, and_(is_own, assignments.c.person_id == person_summaries.c.person_id))
        .where(person_summaries.c.person_id.in_(rows))
        .where(person_summaries.c.engine == engine, person_summaries.c.gallery == gallery)
    )
    covers: dict[int, int] = {row.person_id: row.cover_id for row in connection.execute(stored)}
    without_cover = [row for row in rows if row not in covers]
    if without_cover:
        covers |= clearest_faces(connection, [*in_gallery(engine, gallery), assignments.c.person_id.in_(without_cover)])
    catalogued = catalogued_faces_by_row(connection, covers.values())
    return {person: catalogued[face] for person, face in covers.items() if face in catalogued}


def count_confirmed(connection: Connection, person: int, *, engine: str, gallery: str) -> int:
    """Number of faces of a person that a user assigned."""
    query = (
        select(func.count())
        .select_from(assignments.join(faces, faces.c.id == assignments.c.face_id))
        .where(assignments.c.person_id == person, assignments.c.by == AssignedBy.HUMAN.value)
        .where(*in_gallery(engine, gallery))
    )
    return int(connection.scalar(query) or 0)


@dataclass(frozen=True, slots=True)
class StrangerSelection:
    """Which persons without a name are meant; exactly one limit is set.

    ``photo``: on the photo with this content hash. ``album``: with all faces below this uri (closing slash).
    ``fewer_than``: on fewer photos than this number.
    """

    photo: str | None = None
    album: str | None = None
    fewer_than: int | None = None


def find_strangers(connection: Connection, selection: StrangerSelection, *, limit: int | None = None) -> list[int]:
    """Row ids of the persons without a name that are not hidden, most faces first."""
    conditions = _stranger_conditions(selection)
    query = (
        select(persons.c.id)
        .select_from(person_summaries.join(persons, persons.c.id == person_summaries.c.person_id))
        .where(*conditions)
        .order_by(person_summaries.c.faces.desc(), persons.c.id)
        .limit(limit)
    )
    return list(connection.scalars(query))


def count_strangers(connection: Connection, selection: StrangerSelection) -> int:
    """Number of the persons of :func:`find_strangers`."""
    query = select(func.count()).select_from(
        person_summaries.join(persons, persons.c.id == person_summaries.c.person_id)
    )
    return int(connection.scalar(query.where(*_stranger_conditions(selection))) or 0)


def summaries_in_order(connection: Connection, person_rows: Sequence[int]) -> list[PersonSummary]:
    """The summaries of these persons, in the given order; persons without a face are left out."""
    summaries = read_summaries(connection, person_rows)
    return [summaries[row] for row in person_rows if row in summaries]


def _stranger_conditions(selection: StrangerSelection) -> list[Any]:
    conditions: list[Any] = [
        person_summaries.c.state == OPEN,
        persons.c.name.is_(None),
        persons.c.hidden.is_(False),
        persons.c.merged_into.is_(None),
    ]
    if selection.fewer_than is not None:
        conditions.append(person_summaries.c.photos < selection.fewer_than)
    on_photos = select(assignments.c.person_id)
    if selection.photo is not None:
        on_photos = on_photos.join(photos, photos.c.id == assignments.c.photo_id)
        conditions.append(persons.c.id.in_(on_photos.where(photos.c.sha256 == selection.photo)))
    if selection.album is not None:
        end = selection.album[:-1] + "0"  # "0" is the character after "/"
        inside = select(locations.c.photo_id).where(locations.c.uri >= selection.album, locations.c.uri < end)
        conditions.append(persons.c.id.in_(on_photos.where(assignments.c.photo_id.in_(inside))))
        outside = on_photos.where(assignments.c.photo_id.is_not(None), assignments.c.photo_id.not_in(inside))
        conditions.append(persons.c.id.not_in(outside))
    return conditions
