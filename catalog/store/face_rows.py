"""One query per gallery for the face table, and the checks before faces are assigned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from sqlalchemy import Connection, case, select

from catalog.domain.box_columns import BOX_COLUMNS
from catalog.domain.faces import BoundingBox
from catalog.domain.people import AssignedBy
from catalog.domain.taken_at import DateSource
from catalog.store.tables import assignments, faces, persons, photos, searches
from catalog.store.upsert import batches


@dataclass(frozen=True, slots=True)
class FaceColumns:
    """Columns of all faces of a gallery, in ascending order of content hash and box."""

    row_ids: Sequence[int] = ()
    face_ids: Sequence[str] = ()
    photo_rows: Sequence[int] = ()
    box_widths: Sequence[float] = ()
    """Fractions of the upright photo, as are the heights."""
    box_heights: Sequence[float] = ()
    confidences: Sequence[float] = ()
    yaws: Sequence[float | None] = ()
    sharpnesses: Sequence[float | None] = ()
    scan_ids: Sequence[int | None] = ()
    ages_low: Sequence[int | None] = ()
    ages_high: Sequence[int | None] = ()
    genders: Sequence[str | None] = ()
    gender_confidences: Sequence[float | None] = ()
    photo_widths: Sequence[int] = ()
    photo_heights: Sequence[int] = ()
    taken_first: Sequence[str | None] = ()
    """First second at which the photo may have been taken, local time.

    None without a date, or if the camera's clock was perhaps never set.
    """
    taken_last: Sequence[str | None] = ()
    taken_precisions: Sequence[str | None] = ()
    person_rows: Sequence[int | None] = ()
    assigned_by: Sequence[str | None] = ()
    person_names: Sequence[str | None] = ()
    search_complete: Sequence[bool | None] = ()
    """None for faces without a neighbor search."""


def read_face_columns(connection: Connection, *, engine: str, gallery: str) -> FaceColumns:
    """Every face of the gallery that no user marked as not a face."""
    is_trusted = photos.c.taken_at_source.is_distinct_from(DateSource.CLOCK_NOT_SET)
    query = (
        select(
            faces.c.id,
            faces.c.face_id,
            faces.c.photo_id,
            faces.c.box_width,
            faces.c.box_height,
            faces.c.confidence,
            faces.c.yaw,
            faces.c.sharpness,
            faces.c.scan_id,
            faces.c.age_low,
            faces.c.age_high,
            faces.c.gender,
            faces.c.gender_confidence,
            photos.c.width,
            photos.c.height,
            case((is_trusted, photos.c.taken_local)),
            case((is_trusted, photos.c.taken_local_end)),
            photos.c.taken_at_precision,
            assignments.c.person_id,
            assignments.c.by,
            persons.c.name,
            searches.c.complete,
        )
        .select_from(
            faces.join(photos, photos.c.id == faces.c.photo_id)
            .outerjoin(assignments, assignments.c.face_id == faces.c.id)
            .outerjoin(persons, persons.c.id == assignments.c.person_id)
            .outerjoin(searches, searches.c.face_id == faces.c.id)
        )
        .where(faces.c.engine == engine, faces.c.gallery == gallery, faces.c.not_a_face.is_(False))
        .order_by(photos.c.sha256, faces.c.box_left, faces.c.box_top, faces.c.id)
    )
    rows = connection.execute(query).all()
    columns = list(zip(*rows, strict=True))
    assert not columns or len(columns) == len(fields(FaceColumns))
    return FaceColumns(*columns)


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
