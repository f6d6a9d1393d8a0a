"""Records many new photos with one statement for each table, because a statement costs as much as dozens of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from catalog.domain.faces import Enrollment
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.photos import PhotoRef
from catalog.store.faces import NewEnrollment, record_new_enrollments
from catalog.store.photos import location_row, photo_row, upsert_location
from catalog.store.tables import locations, photos
from catalog.store.upsert import insert_into, repeated_batches


@dataclass(frozen=True, slots=True)
class NewPhoto:
    """A photo to record. ``model`` is stored with its enrollment."""

    sha256: str
    size: int
    photo: OpenedPhoto
    enrollment: Enrollment
    model: str
    ref: PhotoRef


def record_new_photos(
    conn: Connection,
    new_photos: Sequence[NewPhoto],
    *,
    engine: str,
    gallery: str,
    scan_id: int | None,
    now: datetime,
    keeps_expressions: bool,
) -> dict[str, int]:
    """Record photos with their enrollments and locations. Returns the row ids of the locations by content hash.

    Content hashes and locations are distinct. A content that the catalogue holds, perhaps in another gallery, is left
    out, because its earlier rows matter.
    """
    rows = [photo_row(new.sha256, new.size, new.photo, now) for new in new_photos]
    statement = insert_into(conn, photos).on_conflict_do_nothing(index_elements=["sha256"])
    returning = statement.returning(photos.c.sha256, photos.c.id)
    id_by_sha256: dict[str, int] = {}
    for batch in repeated_batches(rows):
        id_by_sha256.update((sha256, row_id) for sha256, row_id in conn.execute(returning, batch))
    recorded = [new for new in new_photos if new.sha256 in id_by_sha256]
    if not recorded:
        return {}
    record_new_enrollments(
        conn,
        [NewEnrollment(id_by_sha256[new.sha256], new.enrollment, new.model) for new in recorded],
        engine=engine,
        gallery=gallery,
        scan_id=scan_id,
        now=now,
        keeps_expressions=keeps_expressions,
    )
    location_by_uri: dict[str, int] = {}
    for batch in repeated_batches([location_row(id_by_sha256[new.sha256], new.ref, now) for new in recorded]):
        result = conn.execute(upsert_location(conn.dialect.name).returning(locations.c.uri), batch)
        location_by_uri.update((uri, row_id) for row_id, uri in result)
    return {new.sha256: location_by_uri[new.ref.uri] for new in recorded}
