"""What the catalogue knows of galleries: which networks filled them, and what this month has been paid for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from catalog.domain.charges import Operation
from catalog.domain.timestamps import utc_text
from catalog.store.tables import charges, enrollments

PREFILTERED = "prefilter"
"""In the place of a model: the photo was not sent, because a prefilter saw no face in it."""


def requeue_prefiltered(conn: Connection, engine: str, gallery: str) -> int:
    """Let photos that a prefilter held back be enrolled after all; returns how many there are."""
    held = (enrollments.c.engine == engine, enrollments.c.gallery == gallery, enrollments.c.model == PREFILTERED)
    return conn.execute(delete(enrollments).where(*held)).rowcount


def count_prefiltered(conn: Connection, engine: str, gallery: str) -> int:
    """How many photos a prefilter held back."""
    held = (enrollments.c.engine == engine, enrollments.c.gallery == gallery, enrollments.c.model == PREFILTERED)
    return conn.scalar(select(func.count()).select_from(enrollments).where(*held)) or 0


def gallery_model(conn: Connection, engine: str, gallery: str) -> str | None:
    """The networks and version that enrolled a gallery's faces last; None for a gallery without any."""
    here = (enrollments.c.engine == engine, enrollments.c.gallery == gallery, enrollments.c.model != PREFILTERED)
    query = select(enrollments.c.model).where(*here)
    return conn.scalar(query.order_by(enrollments.c.enrolled_at.desc()).limit(1))


def calls_this_month(conn: Connection, engine: str, now: datetime) -> dict[Operation, int]:
    """Paid calls of the calendar month (UTC) so far, by operation: what decides on the price tier."""
    month = utc_text(now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
    query = (
        select(charges.c.operation, func.sum(charges.c.calls))
        .where(charges.c.engine == engine, charges.c.charged_at >= month)
        .group_by(charges.c.operation)
    )
    known = {operation.value for operation in Operation}
    return {Operation(name): int(calls) for name, calls in conn.execute(query) if name in known}
