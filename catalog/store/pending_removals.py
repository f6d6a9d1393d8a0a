"""Pending removals: faces that a gallery must still delete.

A transaction that deletes rows of faces also adds their face ids to the table ``removals``. The gallery deletes the
faces in a later step, because it may live in the same database or be a remote service. A process that ends between the
two steps leaves pending removals, and the next scan drains them first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from catalog.domain.timestamps import utc_text
from catalog.store.database import Database
from catalog.store.tables import removals
from catalog.store.upsert import batches, insert_into

_ROWS = 200
"""Rows of one insert statement. SQLite limits the number of bound values."""


def add(connection: Connection, faces: Iterable[tuple[str, str, str]], now: datetime | str) -> None:
    """Add faces as ``(engine, gallery, face_id)``. A face that is pending already keeps its time."""
    wanted_at = now if isinstance(now, str) else utc_text(now)
    rows = [
        {"face_id": face_id, "engine": engine, "gallery": gallery, "wanted_at": wanted_at}
        for engine, gallery, face_id in faces
    ]
    for batch in batches(rows, _ROWS):
        connection.execute(insert_into(connection, removals).on_conflict_do_nothing(), list(batch))


def read(connection: Connection, engine: str, gallery: str, limit: int | None = 1000) -> list[str]:
    """At most ``limit`` face ids that this gallery must still delete, in ascending order."""
    query = select(removals.c.face_id).where(removals.c.engine == engine, removals.c.gallery == gallery)
    return list(connection.scalars(query.order_by(removals.c.face_id).limit(limit)))


def count(connection: Connection) -> int:
    """Faces that any gallery must still delete."""
    return connection.scalar(select(func.count()).select_from(removals)) or 0


def clear(connection: Connection, face_ids: Sequence[str], engine: str, gallery: str) -> None:
    """Delete pending removals that the gallery has carried out."""
    for batch in batches(face_ids):
        connection.execute(
            delete(removals).where(
                removals.c.engine == engine, removals.c.gallery == gallery, removals.c.face_id.in_(batch)
            )
        )


def drain(database: Database, remove: Callable[[Sequence[str]], set[str]], engine: str, gallery: str) -> int:
    """Delete all pending removals from the gallery; returns how many faces it still held.

    ``remove`` is the engine's method. It is not called when nothing is pending. Raises what ``remove`` raises; the
    batches before that are cleared.
    """
    removed = 0
    while True:
        with database.read() as connection:
            pending = read(connection, engine, gallery)
        if not pending:
            return removed
        removed += len(remove(pending))
        with database.begin() as connection:
            clear(connection, pending, engine, gallery)
