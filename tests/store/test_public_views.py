"""Public views keep names, columns and meanings, on both databases."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text, update

from catalog.store.database import Database, open_database
from catalog.store.face_views import VIEWS
from catalog.store.photo_dates import date_columns
from catalog.store.tables import photos
from tests.reports.made_catalog import fill
from tests.whole_reports import run_statement

query = partial(run_statement, allow_superuser=True)
"""The test server has a superuser only."""

ROOT = Path(__file__).parent.parent.parent
QUERIES = re.findall(r"## (\d+)\. ([^\n]*)\n.*?```sql\n(.*?)```", (ROOT / "docs" / "queries.md").read_text(), re.DOTALL)

# The public columns. New columns are added at the end; nothing else changes.
PROMISED = {
    "v1_people": "person_id name faces photos first_seen last_seen",
    "v1_appearances": (
        "photo_sha256 uri taken_at person_id name face_id similarity box_left box_top box_width box_height"
    ),
    "v1_emotions": "face_id type confidence",
    "v1_emotions_by_month": "month type faces measured share",
    "v1_co_occurrence": "person_a_id name_a person_b_id name_b photos first_seen last_seen",
    "v1_photos": "photo_sha256 uri places missing_since taken_at taken_at_offset taken_local",
    "v1_scans": "scan_id started_at finished_at state exit_code engine gallery model version discovered",
    "v1_charges": "charged_at scan_id command engine region operation calls dollars",
    "v1_locations": "photo_sha256 uri album size first_seen missing_since",
    "v1_problems": "scan_id uri outcome reason photo_sha256 at",
    "v1_watches": "name threshold reference_faces negative_faces hits open_hits created_at created_by",
    "v1_hits": (
        "hit_id watch state similarity margin face_id box_left box_top box_width box_height photo_sha256 uri taken_at"
        " person_id hidden found_at scan_id reviewed_at reviewed_by engine gallery path"
    ),
    "v1_employees": "employee_id reference_faces enrolled_at enrolled_by",
    "v1_verifications": (
        "entry at what employee_id verdict similarity accept refuse photo_sha256 reasons login engine model"
    ),
}


@pytest.mark.parametrize("name", PROMISED)
def test_a_public_view_keeps_its_columns_in_order(name):
    """SQL for an earlier release still runs."""
    view = next(view for view in VIEWS if view.name == name)
    assert " ".join(column.name for column in view.columns).startswith(PROMISED[name])


def test_the_database_has_each_view_with_the_described_columns(database: Database):
    """Descriptions and database agree."""
    for view in VIEWS:
        answer = query(database, f"SELECT * FROM {view.name} LIMIT 0")
        described = tuple(column.name for column in view.columns)
        if database.dialect == "sqlite":
            assert answer.columns == described
        with database.read() as connection:
            assert tuple(connection.exec_driver_sql(f"SELECT * FROM {view.name} LIMIT 0").keys()) == described


def test_postgresql_stores_the_descriptions(postgresql_url: str, database: Database):
    """Clients can show them."""
    if database.dialect != "postgresql":
        pytest.skip("SQLite keeps no comments")
    with database.read() as connection:
        comment = connection.exec_driver_sql(
            "SELECT col_description('v1_people'::regclass, 3), obj_description('v1_people'::regclass)"
        ).one()
    assert tuple(comment) == (
        "faces of this person, 0 or more; files of one exposure count once",
        "one row per person with a name or a face",
    )


def test_both_databases_give_the_same_rows(postgresql_url: str, tmp_path: Path, sqlite_template: Path):
    """Every view of a generated catalogue."""
    shutil.copyfile(sqlite_template, tmp_path / "catalog.db")
    answers = []
    for url in (str(tmp_path / "catalog.db"), postgresql_url):
        database = open_database(url)
        fill(database, photo_count=300, face_count=700, person_count=40)
        with database.begin() as connection:
            connection.exec_driver_sql("INSERT INTO stacked_photos VALUES (2, 1, 'name'), (4, 3, 'image')")
        with database.read() as connection:
            answers.append({view.name: _rows(connection, view.name) for view in VIEWS})
        database.close()
    for view in VIEWS:
        assert answers[0][view.name] == answers[1][view.name], view.name
        assert answers[0][view.name] or view.name == "v1_rejected_faces"


def _rows(connection, name: str) -> list[str]:
    """Return rows as text, without differences between the drivers."""

    def as_text(value: object) -> str:
        if isinstance(value, str) or value is None:
            return repr(value)
        return f"{float(value):.6f}"  # true and 1, Decimal and float

    return sorted(",".join(map(as_text, row)) for row in connection.exec_driver_sql(f"SELECT * FROM {name}"))


def test_there_are_ten_worked_queries():
    """docs/queries.md has ten examples."""
    assert [int(number) for number, _, _ in QUERIES] == list(range(1, 11))


@pytest.mark.parametrize("sql", [sql for _, _, sql in QUERIES], ids=[f"query{number}" for number, _, _ in QUERIES])
def test_an_example_query_returns_rows(filled: Database, sql: str):
    """Each query of docs/queries.md."""
    assert query(filled, sql).rows


def test_months_are_local_time_of_the_camera(refilled: Database):
    """A photo at 23:30 on New Year's Eve in New York is in December."""
    with refilled.begin() as connection:
        moment = datetime(2020, 1, 1, 4, 30, tzinfo=UTC)
        connection.execute(update(photos).where(photos.c.id == 1).values(**date_columns(moment, -300, None, None)))
    answer = query(
        refilled,
        "SELECT taken_local FROM v1_photos WHERE taken_at LIKE '2020-01-01T04:30:00%' AND taken_at_offset = -300",
    )
    assert answer.rows == (("2019-12-31T23:30:00",),)


def test_a_face_marked_as_not_a_face_is_not_counted(refilled: Database):
    """The copied photo id follows `faces.not_a_face`, in both directions."""
    before = query(refilled, "SELECT faces FROM v1_people WHERE name = 'Ada'").rows
    with refilled.begin() as connection:
        connection.exec_driver_sql("UPDATE faces SET not_a_face = (1 = 1)")
    assert query(refilled, "SELECT * FROM v1_people WHERE faces > 0").rows == ()
    with refilled.begin() as connection:
        connection.execute(text("UPDATE faces SET not_a_face = (id % 211 = 0)"))
    assert query(refilled, "SELECT faces FROM v1_people WHERE name = 'Ada'").rows == before
