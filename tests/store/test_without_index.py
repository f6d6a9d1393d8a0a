"""A condition that nearly all rows meet does not choose the index."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from catalog.store.catalogued_faces import in_gallery
from catalog.store.database import open_database
from catalog.store.tables import assignments, faces
from catalog.store.without_index import without_index


def test_sqlite_finds_the_faces_of_a_person_by_the_person(sqlite_template: Path) -> None:
    """Not by the gallery, which holds all faces."""
    query = (
        select(faces.c.id)
        .join(assignments, assignments.c.face_id == faces.c.id)
        .where(assignments.c.person_id == 1, *in_gallery("local", "catalog"))
    )
    database = open_database(str(sqlite_template), read_only=True)
    with closing(database), database.read() as connection:
        text = query.compile(connection, compile_kwargs={"literal_binds": True})
        plan = " ".join(str(row) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))
    assert "ix_assignments_person_id" in plan
    assert "gallery" not in plan


def test_postgresql_compares_the_column_itself() -> None:
    """Its statistics say how many rows meet the condition. An expression would count as selective."""
    condition = without_index(faces.c.engine) == "local"
    assert str(condition.compile(dialect=postgresql.dialect())).startswith("faces.engine = ")
    assert str(condition.compile(dialect=sqlite.dialect())).startswith("+faces.engine = ")
