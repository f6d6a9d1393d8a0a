"""Galleries: the model that filled them, photos skipped by the prefilter, and paid calls of this month."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, union_all

from catalog.domain.charges import Operation
from catalog.domain.timestamps import utc_text
from catalog.store.tables import call_intents, charges, enrollments, faces, photos

PREFILTERED = "prefilter"
"""Stored in place of a model: the photo was not sent, because the prefilter found no face on it."""


IN_STACK = "stack"
"""Stored in place of a model: the photo was not sent, because another photo of its stack was."""


def requeue_prefiltered(conn: Connection, engine: str, gallery: str) -> int:
    """Let the next scan enroll photos that were skipped by the prefilter. Returns their number."""
    skipped = (enrollments.c.engine == engine, enrollments.c.gallery == gallery, enrollments.c.model == PREFILTERED)
    return conn.execute(delete(enrollments).where(*skipped)).rowcount


def count_prefiltered(conn: Connection, engine: str, gallery: str) -> int:
    """Return the number of photos skipped by the prefilter."""
    skipped = (enrollments.c.engine == engine, enrollments.c.gallery == gallery, enrollments.c.model == PREFILTERED)
    return conn.scalar(select(func.count()).select_from(enrollments).where(*skipped)) or 0


def prefiltered_photos(conn: Connection, engine: str, gallery: str) -> frozenset[int]:
    """Return the row ids of the photos skipped by the prefilter."""
    skipped = (enrollments.c.engine == engine, enrollments.c.gallery == gallery, enrollments.c.model == PREFILTERED)
    return frozenset(conn.scalars(select(enrollments.c.photo_id).where(*skipped)))


def enrolled_sizes(conn: Connection, engine: str, gallery: str) -> frozenset[int]:
    """Return the sizes in bytes of the photos that are enrolled in the gallery or were skipped by the prefilter."""
    query = select(photos.c.size).distinct().join(enrollments, enrollments.c.photo_id == photos.c.id)
    return frozenset(conn.scalars(query.where(enrollments.c.engine == engine, enrollments.c.gallery == gallery)))


def gallery_model(conn: Connection, engine: str, gallery: str) -> str | None:
    """Return the model of the gallery's latest enrollment; None if it has none."""
    enrolled = (enrollments.c.engine == engine, enrollments.c.gallery == gallery)
    query = select(enrollments.c.model).where(*enrolled, enrollments.c.model.not_in([PREFILTERED, IN_STACK]))
    return conn.scalar(query.order_by(enrollments.c.enrolled_at.desc()).limit(1))


def count_faces(conn: Connection, engine: str, gallery: str) -> int:
    """Return the number of faces that the catalogue knows in the gallery."""
    in_gallery = (faces.c.engine == engine, faces.c.gallery == gallery)
    return conn.scalar(select(func.count()).select_from(faces).where(*in_gallery)) or 0


def faces_by_gallery(conn: Connection) -> list[tuple[str, str, int]]:
    """Return engine, gallery and number of enrolled faces of every gallery with faces, in that order."""
    key = (faces.c.engine, faces.c.gallery)
    query = select(*key, func.count()).group_by(*key).order_by(*key)
    return [(engine, gallery, int(count)) for engine, gallery, count in conn.execute(query)]


def calls_this_month(conn: Connection, engine: str, now: datetime) -> dict[Operation, int]:
    """Return the paid calls of this calendar month (UTC) by operation. They decide the price tier.

    Calls without a recorded charge are included: they may have been billed.
    """
    month = utc_text(now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
    recorded = (
        select(charges.c.operation, func.sum(charges.c.calls))
        .where(charges.c.engine == engine, charges.c.charged_at >= month)
        .group_by(charges.c.operation)
    )
    unanswered = (
        select(call_intents.c.operation, func.count())
        .where(call_intents.c.engine == engine, call_intents.c.started_at >= month)
        .group_by(call_intents.c.operation)
    )
    operation_names = {operation.value for operation in Operation}
    calls: Counter[Operation] = Counter()
    # One statement: between two of them a scan may move a call from the intents to the charges.
    for name, number in conn.execute(union_all(recorded, unanswered)):
        if name in operation_names:
            calls[Operation(name)] += int(number)
    return dict(calls)
