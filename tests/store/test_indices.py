"""Queries that a scan runs for each photo use indexes."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Select, delete, select, text

from catalog.store import listed_photos
from catalog.store.database import Database
from catalog.store.photos import below
from catalog.store.tables import (
    assignments,
    charges,
    decisions,
    enrollments,
    faces,
    locations,
    matches,
    photos,
    problems,
    rejected_faces,
    scan_sources,
    tombstones,
    work,
)

QUERIES = {
    "a content": select(photos.c.id).where(photos.c.sha256 == "a"),
    "a place": select(locations.c.id).where(locations.c.uri == "file:///a"),
    "a folder's places in order": select(locations).where(below("file:///a/")).order_by(locations.c.uri).limit(5),
    "a photo's places": select(locations.c.id).where(locations.c.photo_id == 1),
    "an enrollment": select(enrollments).where(
        enrollments.c.photo_id == 1, enrollments.c.engine == "local", enrollments.c.gallery == "g"
    ),
    "a face of a gallery": select(faces.c.id).where(
        faces.c.engine == "local", faces.c.gallery == "g", faces.c.face_id == "f"
    ),
    "a photo's faces": select(faces.c.id).where(faces.c.photo_id == 1),
    "a photo's rejected faces": select(rejected_faces.c.id).where(rejected_faces.c.photo_id == 1),
    "a face's matches, lower": select(matches).where(matches.c.face_a == 1),
    "a face's matches, higher": select(matches).where(matches.c.face_b == 1),
    "a person's faces": select(assignments.c.face_id).where(assignments.c.person_id == 1),
    "decisions on a photo": select(decisions.c.id).where(decisions.c.photo_sha256 == "a"),
    "tombstones of a photo": select(tombstones.c.id).where(tombstones.c.photo_sha256 == "a"),
    "a source's last scan": select(scan_sources.c.completed_at).where(scan_sources.c.source_uri == "file:///a/"),
    "a scan's problems": select(problems.c.id).where(problems.c.scan_id == 1),
    "a scan's charges": select(charges.c.id).where(charges.c.scan_id == 1),
    "what is missing for long": select(locations.c.id).where(locations.c.missing_since < "2020"),
    "a source's work": select(work.c.id).where(work.c.source_uri == "file:///a/", work.c.uri == "file:///a/b"),
}


@pytest.mark.parametrize("name", QUERIES)
def test_queries_of_a_scan_use_indexes(database: Database, name: str) -> None:
    """They read no whole table and sort nothing."""
    with database.read() as connection:
        assert whole_tables(connection, QUERIES[name]) == []


def test_a_part_of_a_listing_is_one_range_of_an_index(database: Database) -> None:
    """The most frequent query of a scan."""
    keys = {"first": "file:///a/0", "last": "file:///a/9", "engine": "local", "gallery": "g", "most": 100}
    with database.read() as connection:
        assert whole_tables(connection, listed_photos._UNCHANGED.params(keys)) == []
        assert whole_tables(connection, listed_photos._RECORDED.params(keys)) == []


def test_removing_a_photo_reads_no_whole_table(database: Database) -> None:
    """Otherwise a prune of a large library would take hours."""
    with database.read() as connection:
        if connection.dialect.name == "sqlite":
            statement = delete(photos).where(photos.c.id == 1)
            assert whole_tables(connection, statement) == []  # type: ignore[arg-type]
            return
        keys = connection.execute(
            text(
                "SELECT c.conrelid::regclass::text, a.attname FROM pg_constraint c JOIN pg_attribute a"
                " ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f' AND NOT EXISTS ("
                "SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])"
            )
        ).all()
    # Few rows, all of user decisions. Merged persons have an index.
    assert {tuple(key) for key in keys} <= {("decisions", "undone_by")}


def whole_tables(connection: Connection, query: Select[tuple[object, ...]]) -> list[str]:
    """Return the steps of the query plan that read a whole table or sort."""
    sql = str(query.compile(connection.engine, compile_kwargs={"literal_binds": True}))
    if connection.dialect.name == "sqlite":
        steps = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]
        return [step for step in steps if step.startswith("SCAN") or "TEMP B-TREE" in step]
    # An empty table is read whole, as that is cheapest: ask what the indices could do.
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    connection.execute(text("SET LOCAL enable_sort = off"))
    steps = [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {sql.replace('%', '%%')}")]
    return [step for step in steps if "Seq Scan" in step or "Sort" in step]
