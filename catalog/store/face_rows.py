"""One query per gallery for the face table, and the checks before faces are assigned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, case, select

from catalog.domain.box_columns import BOX_COLUMNS
from catalog.domain.faces import BoundingBox
from catalog.domain.people import AssignedBy
from catalog.domain.taken_at import DateSource
from catalog.store.tables import assignments, faces, persons, photos, searches
from catalog.store.upsert import batches

Numbers = NDArray[np.int64]
Values = NDArray[np.float64]
Texts = list[str | None]

_BATCH_ROWS = 10_000
"""Rows that are objects at a time. A million rows take ten times more memory as objects than as columns."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceColumns:
    """Columns of all faces of a gallery, in ascending order of content hash and box.

    A number that is unknown is -1, a value NaN.
    """

    row_ids: Numbers
    face_ids: list[str]
    photo_rows: Numbers
    box_widths: Values
    """Fractions of the upright photo, as are the heights."""
    box_heights: Values
    confidences: Values
    yaws: Values
    sharpnesses: Values
    scan_ids: Numbers
    ages_low: Values
    ages_high: Values
    genders: Texts
    gender_confidences: Values
    photo_widths: Values
    photo_heights: Values
    taken_first: Texts
    """First second at which the photo may have been taken, local time.

    None without a date, or if the camera's clock was perhaps never set.
    """
    taken_last: Texts
    taken_precisions: Texts
    person_rows: Numbers
    assigned_by: Texts
    is_named: Values
    """1 for faces of a person with a name."""
    search_complete: Values
    """NaN for faces without a neighbor search."""


def _numbers(values: Sequence[int | None]) -> Numbers:
    return np.array([-1 if value is None else value for value in values], dtype=np.int64)


def _values(values: Sequence[float | None]) -> Values:
    return np.array(values, dtype=np.float64)  # None becomes NaN


def _texts(values: Sequence[str | None]) -> Texts:
    texts: dict[str | None, str | None] = {}
    return [texts.setdefault(value, value) for value in values]


def _contents(values: Sequence[str]) -> NDArray[np.bytes_]:
    return np.array(values, dtype="S64")


_IS_TRUSTED = photos.c.taken_at_source.is_distinct_from(DateSource.CLOCK_NOT_SET)
_COLUMNS: tuple[tuple[ColumnElement[Any], Callable[[Sequence[Any]], Any]], ...] = (
    (faces.c.id, _numbers),
    (faces.c.face_id, list),
    (faces.c.photo_id, _numbers),
    (faces.c.box_width, _values),
    (faces.c.box_height, _values),
    (faces.c.confidence, _values),
    (faces.c.yaw, _values),
    (faces.c.sharpness, _values),
    (faces.c.scan_id, _numbers),
    (faces.c.age_low, _values),
    (faces.c.age_high, _values),
    (faces.c.gender, _texts),
    (faces.c.gender_confidence, _values),
    (photos.c.width, _values),
    (photos.c.height, _values),
    (case((_IS_TRUSTED, photos.c.taken_local)), _texts),
    (case((_IS_TRUSTED, photos.c.taken_local_end)), _texts),
    (photos.c.taken_at_precision, _texts),
    (assignments.c.person_id, _numbers),
    (assignments.c.by, _texts),
    (case((persons.c.name.is_not(None), 1), else_=0), _values),
    (case((searches.c.complete.is_(True), 1), (searches.c.complete.is_(False), 0)), _values),
    (photos.c.sha256, _contents),
    (faces.c.box_left, _values),
    (faces.c.box_top, _values),
)
"""Expressions of the columns of :class:`FaceColumns`, in order, and what makes a column of values.

The last three put the faces in order.
"""


def read_face_columns(connection: Connection, *, engine: str, gallery: str) -> FaceColumns:
    """Every face of the gallery that no user marked as not a face."""
    query = (
        select(*(expression for expression, _ in _COLUMNS))
        .select_from(
            faces.join(photos, photos.c.id == faces.c.photo_id)
            .outerjoin(assignments, assignments.c.face_id == faces.c.id)
            .outerjoin(persons, persons.c.id == assignments.c.person_id)
            .outerjoin(searches, searches.c.face_id == faces.c.id)
        )
        .where(faces.c.engine == engine, faces.c.gallery == gallery, faces.c.not_a_face.is_(False))
    )
    parts: list[list[Any]] = [[convert(())] for _, convert in _COLUMNS]
    rows = connection.execute(query, execution_options={"yield_per": _BATCH_ROWS})
    for batch in rows.partitions():
        for part, (_, convert), values in zip(parts, _COLUMNS, zip(*batch, strict=True), strict=True):
            part.append(convert(values))
    *columns, contents, lefts, tops = map(_joined, parts)
    # A database would hold all rows in memory to sort them.
    order = np.lexsort((columns[0], tops, lefts, contents))
    return FaceColumns(*(_in_order(column, order) for column in columns))


def _joined(parts: list[Any]) -> Any:
    """The batches of one column as one array or list."""
    return list(chain.from_iterable(parts)) if isinstance(parts[0], list) else np.concatenate(parts)


def _in_order(column: Any, order: Numbers) -> Any:
    return [column[index] for index in order.tolist()] if isinstance(column, list) else column[order]


def boxes_by_content(connection: Connection, contents: Iterable[str]) -> dict[str, list[tuple[int, BoundingBox]]]:
    """Row id and box of the faces of every gallery on photos, by content hash."""
    columns = (faces.c.id, photos.c.sha256, *(faces.c[name] for name in BOX_COLUMNS))
    faces_by_photo: dict[str, list[tuple[int, BoundingBox]]] = defaultdict(list)
    for batch in batches(sorted(contents)):
        query = select(*columns).join_from(faces, photos).where(photos.c.sha256.in_(batch))
        for row, sha256, *box in connection.execute(query):
            faces_by_photo[sha256].append((row, BoundingBox(*box)))
    return faces_by_photo


def person_by_face_row(connection: Connection, *, engine: str, gallery: str) -> dict[int, int]:
    """Row id of the person of each face of a gallery, by row id of the face; -1 for none."""
    query = (
        select(faces.c.id, assignments.c.person_id)
        .outerjoin_from(faces, assignments, assignments.c.face_id == faces.c.id)
        .where(faces.c.engine == engine, faces.c.gallery == gallery)
    )
    return {row: -1 if person is None else person for row, person in connection.execute(query).all()}


def human_person_by_face_row(connection: Connection, *, engine: str, gallery: str) -> dict[int, int]:
    """Row id of the person of each face of a gallery that a user assigned, by row id of the face."""
    query = (
        select(faces.c.id, assignments.c.person_id)
        .join_from(faces, assignments, assignments.c.face_id == faces.c.id)
        .where(faces.c.engine == engine, faces.c.gallery == gallery, assignments.c.by == AssignedBy.HUMAN.value)
    )
    return {int(row): int(person) for row, person in connection.execute(query)}


def present_rows(connection: Connection, row_ids: Sequence[int]) -> set[int]:
    """Those of the faces that still exist and are not marked as not a face.

    On PostgreSQL their rows are locked, so that none is deleted before the transaction ends.
    """
    return {
        row
        for batch in batches(row_ids)
        for row in connection.scalars(
            select(faces.c.id)
            .where(faces.c.id.in_(batch), faces.c.not_a_face.is_(False))
            .with_for_update(read=True, key_share=True)
        ).all()
    }
