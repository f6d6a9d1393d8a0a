"""Faces to show of a person with very many faces, found without reading all of them.

A card of a person ranks all its faces, which takes 17 microseconds a face: 0.7 s for the 42,000 faces of the largest
person of a catalogue of 1,000,000 faces. For such a person the clearest faces are those of a sample, with the clearest
of all, which is stored. The most doubtful, the oldest and the newest are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, cast, func, or_, select

from catalog.domain.people import AssignedBy
from catalog.store.catalogued_faces import (
    CataloguedFace,
    catalogued_faces_by_row,
    clearness,
    faces_of_person,
    in_gallery,
)
from catalog.store.face_order import FaceOrder
from catalog.store.person_index import PersonRow
from catalog.store.tables import assignments, faces, person_summaries, photos

MANY_FACES = 2_000
"""A person with more faces is not ranked as a whole."""
SAMPLE = 600
"""Faces of such a person among which the clearest are looked for, on average."""
_SCRAMBLING, _SHARES = 40_503, 65_536
"""Row ids are multiplied by the first number, modulo the second: neighboring faces are sampled independently."""
_MORE = 40
"""Faces read in addition, because some may be in another gallery."""


@dataclass(frozen=True, slots=True)
class ManyFaces:
    """The faces of one person in one gallery. ``row`` and ``cover`` are row ids of the person and its clearest face.

    The times are local, of the person's oldest and newest photo when the photos were counted; None without a date.
    """

    connection: Connection
    row: int
    count: int
    cover: int | None
    first_taken: str | None
    last_taken: str | None
    engine: str
    gallery: str

    def take(self, order: FaceOrder, limit: int, excluded: Collection[int]) -> list[int]:
        """Row ids of at most ``limit`` faces, in an order. Faces without a date are neither oldest nor newest."""
        chosen: dict[FaceOrder, Callable[[int, Collection[int]], list[int]]] = {
            FaceOrder.CLEAREST: self._clearest,
            FaceOrder.DOUBTFUL: self._doubtful,
            FaceOrder.OLDEST: self._oldest,
            FaceOrder.NEWEST: self._newest,
        }
        return chosen[order](limit, excluded)

    def _clearest(self, limit: int, excluded: Collection[int]) -> list[int]:
        share = SAMPLE * _SHARES // self.count
        is_sampled = cast(assignments.c.face_id, BigInteger) * _SCRAMBLING % _SHARES < share
        query = self._own_faces().where(or_(is_sampled, assignments.c.face_id == self.cover))
        return self._rows(query.order_by(clearness(self.connection).desc(), faces.c.id), limit, excluded)

    def _doubtful(self, limit: int, excluded: Collection[int]) -> list[int]:
        order = (
            assignments.c.by == AssignedBy.HUMAN.value,
            func.coalesce(assignments.c.similarity, 100.0),
            assignments.c.face_id,
        )
        # Most of the time would be spent on reading the rows of all faces, only to compare their gallery.
        own = select(assignments.c.face_id).where(*self._is_own()).order_by(*order).limit(limit + len(excluded) + _MORE)
        first = list(self.connection.scalars(own))
        is_real = select(faces.c.id).where(faces.c.id.in_(first), *in_gallery(self.engine, self.gallery))
        real = set(self.connection.scalars(is_real))
        rows = [row for row in first if row in real and row not in excluded]
        if len(rows) >= limit:
            return rows[:limit]
        return self._rows(self._own_faces().order_by(*order), limit, excluded)

    def _oldest(self, limit: int, excluded: Collection[int]) -> list[int]:
        if self.first_taken is None:
            return []
        wanted = photos.c.taken_local >= self.first_taken
        taken = self._on_photos([wanted], (photos.c.taken_local, photos.c.id), limit + len(excluded))
        return [row for row in sorted(taken, key=lambda row: (taken[row], row)) if row not in excluded][:limit]

    def _newest(self, limit: int, excluded: Collection[int]) -> list[int]:
        if self.last_taken is None:
            return []
        wanted = photos.c.taken_local <= self.last_taken
        taken = self._on_photos([wanted], (photos.c.taken_local.desc(), photos.c.id), limit + len(excluded))
        rows = sorted(sorted(taken), key=lambda row: taken[row], reverse=True)
        return [row for row in rows if row not in excluded][:limit]

    def _on_photos(
        self, conditions: Sequence[ColumnElement[bool]], order: Sequence[ColumnElement[Any]], limit: int
    ) -> dict[int, str]:
        """The faces on the first ``limit`` photos of the person in an order of dates, with the time of the photo."""
        # The index of dates is read until there are enough photos. A join would begin with all faces of the person.
        own = select(assignments.c.face_id).join(faces, faces.c.id == assignments.c.face_id)
        own = own.where(assignments.c.person_id == self.row, *in_gallery(self.engine, self.gallery))
        has_face = own.where(assignments.c.photo_id == photos.c.id).correlate(photos).exists()
        on_photo = select(photos.c.id).where(*conditions, has_face).order_by(*order).limit(limit)
        photo_rows = list(self.connection.scalars(on_photo))
        query = own.join(photos, photos.c.id == assignments.c.photo_id).where(assignments.c.photo_id.in_(photo_rows))
        rows = self.connection.execute(query.add_columns(photos.c.taken_local))
        return {row.face_id: row.taken_local for row in rows}

    def _is_own(self) -> tuple[ColumnElement[bool], ...]:
        """Conditions on the index of assignments: faces of the person that are real faces."""
        return assignments.c.person_id == self.row, assignments.c.photo_id.is_not(None)

    def _own_faces(self) -> Select[Any]:
        return (
            select(faces.c.id)
            .select_from(assignments.join(faces, faces.c.id == assignments.c.face_id).join(photos))
            .where(*self._is_own(), *in_gallery(self.engine, self.gallery))
        )

    def _rows(self, query: Select[Any], limit: int, excluded: Collection[int]) -> list[int]:
        rows = self.connection.scalars(query.limit(limit + len(excluded)))
        return [row for row in rows if row not in excluded][:limit]


def many_faces(
    connection: Connection, person_row: int, *, engine: str | None = None, gallery: str | None = None
) -> ManyFaces | None:
    """The faces of a person, by row id, that has more than ``MANY_FACES``; None for every other person.

    Default: the faces in the gallery whose faces were counted.
    """
    query = select(person_summaries).where(
        person_summaries.c.person_id == person_row, person_summaries.c.faces > MANY_FACES
    )
    if engine is not None:
        query = query.where(person_summaries.c.engine == engine, person_summaries.c.gallery == gallery)
    summary = connection.execute(query).one_or_none()
    if summary is None:
        return None
    times = summary.first_taken, summary.last_taken
    return ManyFaces(connection, person_row, summary.faces, summary.cover_id, *times, summary.engine, summary.gallery)


def oldest_faces(connection: Connection, person: PersonRow, limit: int) -> list[CataloguedFace]:
    """The faces of a person on its oldest photos, at most ``limit``. The dates of very many faces are not sorted."""
    many = many_faces(connection, person.id)
    rows = [] if many is None else many.take(FaceOrder.OLDEST, limit, ())
    if len(rows) < limit:
        return faces_of_person(connection, person, limit=limit)
    catalogued = catalogued_faces_by_row(connection, rows)
    return [catalogued[row] for row in rows]
