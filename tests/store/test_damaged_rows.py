"""Rows that another program changed: exit code 6, one sentence, and the row named."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from catalog.domain.errors import DatabaseError
from catalog.store.catalogued_faces import catalogued_faces_by_row
from catalog.store.database import Database, open_database
from catalog.store.decision_rows import read_decisions
from tests.store.named_photo import CONTENT, fill, name_person_on_photo

TAMPERED: dict[str, tuple[str, str]] = {
    "a junk time of a photo": ("UPDATE photos SET taken_at = 'junk'", f"Photo {CONTENT[:12]}"),
    "details that are no JSON": ("UPDATE decisions SET details = '{' WHERE id = 3", "Decision 3"),
    "details of another shape": ("UPDATE decisions SET details = '[1]' WHERE id = 3", "Decision 3"),
    "an unknown verb": ("UPDATE decisions SET verb = 'drop' WHERE id = 3", "Decision 3"),
    "a decision at no time": ("UPDATE decisions SET decided_at = '' WHERE id = 4", "Decision 4"),
    "a uri with a NUL": (
        """INSERT INTO locations (photo_id, uri, size, modified_ns, etag, first_seen)
        VALUES (7, 'file:///a%00b.jpg', 1, 1, '', '2026')""",
        f"Photo {CONTENT[:12]}",
    ),
}


def read_everything(connection: Connection) -> None:
    read_decisions(connection)
    catalogued_faces_by_row(connection, [5])


@pytest.mark.parametrize(("statement", "row"), TAMPERED.values(), ids=TAMPERED.keys())
def test_a_tampered_row_is_named(database: Database, statement: str, row: str) -> None:
    """The message says which row, and what is wrong with it."""
    with database.begin() as connection:
        fill(connection)
        name_person_on_photo(connection)
        read_everything(connection)
        connection.execute(text(statement))
    with pytest.raises(DatabaseError, match=row) as caught, database.read() as connection:
        read_everything(connection)
    assert caught.value.exit_code == 6
    assert caught.value.remedy


def test_text_that_is_not_utf8_is_damage(tmp_path: Path) -> None:
    """SQLite stores any bytes as text; PostgreSQL does not."""
    database = open_database(str(tmp_path / "catalog.sqlite3"))
    with database.begin() as connection:
        fill(connection)
        name_person_on_photo(connection)
        connection.execute(text("UPDATE persons SET name = CAST(X'ff' AS TEXT)"))
    with pytest.raises(DatabaseError, match="not UTF-8"), database.read() as connection:
        catalogued_faces_by_row(connection, [5])
    database.close()
