"""The photos that several workers share, on PostgreSQL: each is taken by exactly one of them.

Taken photos are locked rows of a transaction that stays open while they are worked on. A worker that dies lets go of
them with its connection, and another one takes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, delete, exists, select, text

from catalog.domain.photos import PhotoRef
from catalog.store.database import Database
from catalog.store.driver_errors import translate_driver_errors
from catalog.store.source_locks import content_lock_key
from catalog.store.tables import work
from catalog.store.upsert import insert_into

_COLUMNS = ("uri", "size", "modified_ns", "etag", "version")


class Taken:
    """Photos that this worker took, until the transaction ends; contents among them are claimed as long."""

    can_wait = False

    def __init__(self, connection: Connection, rows: Sequence[tuple[int, PhotoRef]]) -> None:
        self._connection = connection
        self._ids = {ref.uri: row_id for row_id, ref in rows}
        self._put_back: set[str] = set()
        self.refs = [ref for _, ref in rows]

    def claim(self, uri: str, sha256: str) -> bool:
        """Whether this worker may enroll a content. If another one is at it, the photo is put back for later."""
        if self._connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": content_lock_key(sha256)}):
            return True
        self._put_back.add(uri)
        return False

    def release(self, sha256: str) -> None:
        """Claims last as long as the photos are this worker's."""

    def finish(self) -> None:
        """Take what was done off the list."""
        done = [row_id for uri, row_id in self._ids.items() if uri not in self._put_back]
        if done:
            self._connection.execute(delete(work).where(work.c.id.in_(done)))


def add_work(conn: Connection, source_uri: str, refs: Iterable[PhotoRef]) -> None:
    """Put photos on the list of a source; what is on it already stays."""
    rows = [{"source_uri": source_uri, **{name: getattr(ref, name) for name in _COLUMNS}} for ref in refs]
    if rows:
        conn.execute(insert_into(conn, work).on_conflict_do_nothing(), rows)


def clear_work(conn: Connection, source_uri: str) -> None:
    """Empty a source's list, but for what workers are at; for a planner that begins anew."""
    free = select(work.c.id).where(work.c.source_uri == source_uri).with_for_update(skip_locked=True)
    conn.execute(delete(work).where(work.c.id.in_(free.scalar_subquery())))


def any_work(conn: Connection, source_uri: str) -> bool:
    """Whether anything is left, taken or not."""
    return bool(conn.scalar(select(exists().where(work.c.source_uri == source_uri))))


@contextmanager
def claim_work(database: Database, source_uri: str, count: int) -> Iterator[Taken]:
    """Take up to ``count`` photos that nobody has; they are given back if the block fails."""
    query = (
        select(work.c.id, *(work.c[name] for name in _COLUMNS))
        .where(work.c.source_uri == source_uri)
        .order_by(work.c.id)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    with translate_driver_errors(database.url), database.engine.begin() as connection:
        rows = connection.execute(query).all()
        taken = Taken(connection, [(row[0], PhotoRef(*row[1:])) for row in rows])
        yield taken
        taken.finish()
