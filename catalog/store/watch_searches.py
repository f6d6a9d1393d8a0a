"""Which faces the gallery had at the last search for each entry of the watch list.

A search asks the whole gallery for one reference. It finds nothing new while the gallery has the same faces.
"""

from __future__ import annotations

from sqlalchemy import Connection, and_, func, select

from catalog.store.tables import faces, watch_references, watch_searches
from catalog.store.upsert import insert_into


def gallery_faces(connection: Connection, engine: str, gallery: str) -> str:
    """Return a text that changes with every face that is added to the gallery or deleted.

    It is not the highest row id alone: PostgreSQL commits rows of two scans in any order, and SQLite gives the id of a
    deleted row again.
    """
    in_gallery = (faces.c.engine == engine, faces.c.gallery == gallery)
    count, ids, newest = connection.execute(
        select(func.count(), func.sum(faces.c.id), func.max(faces.c.id)).where(*in_gallery)
    ).one()
    enrolled_at = connection.scalar(select(faces.c.enrolled_at).where(faces.c.id == newest))
    return f"{count} {int(ids or 0)} {enrolled_at or ''}"


def has_faces(connection: Connection, engine: str, gallery: str) -> bool:
    """The catalogue knows a face of the gallery."""
    query = select(faces.c.id).where(faces.c.engine == engine, faces.c.gallery == gallery)
    return connection.scalar(query.limit(1)) is not None


def searched_watches(connection: Connection, engine: str, gallery: str, faces: str) -> frozenset[int]:
    """Row ids of the entries that were searched for among these faces, which :func:`gallery_faces` returned."""
    query = select(watch_searches.c.watch_id).where(
        watch_searches.c.engine == engine, watch_searches.c.gallery == gallery, watch_searches.c.faces == faces
    )
    return frozenset(connection.scalars(query))


def record_watch_search(connection: Connection, watch_id: int, engine: str, gallery: str, faces: str) -> None:
    """Record a complete search. ``faces`` is what :func:`gallery_faces` returned before it."""
    row = {"watch_id": watch_id, "engine": engine, "gallery": gallery, "faces": faces}
    statement = insert_into(connection, watch_searches)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["watch_id", "engine", "gallery"], set_={"faces": statement.excluded.faces}
        ),
        row,
    )


def count_references(connection: Connection, engine: str, gallery: str) -> tuple[int, int]:
    """References and negative references of all entries, and those of entries that the next scan must search for."""
    searched = and_(
        watch_searches.c.watch_id == watch_references.c.watch_id,
        watch_searches.c.engine == engine,
        watch_searches.c.gallery == gallery,
        watch_searches.c.faces == gallery_faces(connection, engine, gallery),
    )
    query = select(func.count(), func.count(watch_searches.c.watch_id)).select_from(
        watch_references.outerjoin(watch_searches, searched)
    )
    every, known = connection.execute(query).one()
    return every, every - known
