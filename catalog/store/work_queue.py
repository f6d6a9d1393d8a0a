"""The work queue of a shared scan, on PostgreSQL: each photo is claimed by exactly one worker.

Claimed photos are locked rows of a transaction that is open while the worker reads them. If a worker dies, its
connection closes and another worker claims them.
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


class ClaimedWork:
    """Photos claimed by this worker until the transaction ends. Claims on their contents last as long."""

    can_wait = False

    def __init__(self, connection: Connection, rows: Sequence[tuple[int, PhotoRef]]) -> None:
        self._connection = connection
        self._ids = {ref.uri: row_id for row_id, ref in rows}
        self._returned: set[str] = set()
        self.refs = [ref for _, ref in rows]

    def claim(self, uri: str, sha256: str) -> bool:
        """Claim a content for enrollment. If another worker has it, returns False and leaves the photo in the queue."""
        if self._connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": content_lock_key(sha256)}):
            return True
        self._returned.add(uri)
        return False

    def release(self, sha256: str) -> None:
        """Does nothing: the claim ends with the transaction."""

    def finish(self) -> None:
        """Delete the photos from the queue, except those whose content another worker has."""
        done = [row_id for uri, row_id in self._ids.items() if uri not in self._returned]
        if done:
            self._connection.execute(delete(work).where(work.c.id.in_(done)))


def add_work(conn: Connection, source_uri: str, refs: Iterable[PhotoRef]) -> None:
    """Add photos to the queue of a source. Photos that are queued already stay."""
    rows = [{"source_uri": source_uri, **{name: getattr(ref, name) for name in _COLUMNS}} for ref in refs]
    if rows:
        conn.execute(insert_into(conn, work).on_conflict_do_nothing(), rows)


def clear_work(conn: Connection, source_uri: str) -> None:
    """Delete the photos of a source that no worker has claimed from the queue."""
    free = select(work.c.id).where(work.c.source_uri == source_uri).with_for_update(skip_locked=True)
    conn.execute(delete(work).where(work.c.id.in_(free.scalar_subquery())))


def any_work(conn: Connection, source_uri: str) -> bool:
    """Return True if the queue of a source holds any photo, claimed or not."""
    return bool(conn.scalar(select(exists().where(work.c.source_uri == source_uri))))


@contextmanager
def claim_work(database: Database, source_uri: str, count: int) -> Iterator[ClaimedWork]:
    """Claim up to ``count`` photos that no worker has claimed. They stay in the queue if the block fails."""
    query = (
        select(work.c.id, *(work.c[name] for name in _COLUMNS))
        .where(work.c.source_uri == source_uri)
        .order_by(work.c.id)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    with translate_driver_errors(database.url), database.engine.begin() as connection:
        rows = connection.execute(query).all()
        claimed = ClaimedWork(connection, [(row[0], PhotoRef(*row[1:])) for row in rows])
        yield claimed
        claimed.finish()
