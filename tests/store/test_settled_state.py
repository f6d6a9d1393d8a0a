"""The facts of the steps after a scan, in both kinds of database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from catalog.domain.photos import PhotoRef
from catalog.store.database import Database
from catalog.store.photos import record_location
from catalog.store.scans import finish_scan, start_scan
from catalog.store.settled_state import (
    SettledState,
    facts_now,
    is_anything_due,
    read_settled_state,
    write_settled_state,
)
from tests.store.named_photo import fill, name_person_on_photo

NOW = datetime(2024, 5, 6, tzinfo=UTC)


def facts(database: Database, scan_id: int = 0) -> str:
    with database.read() as connection:
        return facts_now(connection, "local", "catalog", scan_id=scan_id)


@pytest.fixture
def named(database: Database) -> Database:
    with database.begin() as connection:
        fill(connection)
        name_person_on_photo(connection)
        record_location(connection, 7, PhotoRef("file:///a.jpg", 1, 1), NOW)
    return database


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM assignments",
        "UPDATE persons SET name = 'Somebody Else'",
        "UPDATE persons SET birth_date = '1990-01-01'",
        "UPDATE persons SET hidden = true",
        "UPDATE decisions SET undone_by = NULL",
        "DELETE FROM decisions",
        "UPDATE locations SET missing_since = '2024-01-01T00:00:00.000000Z'",
        "INSERT INTO persons (id, person_id, hidden, created_at) VALUES (9, 'p3', false, '')",
        "INSERT INTO removals (face_id, engine, gallery, wanted_at) VALUES ('f', 'local', 'catalog', '')",
    ],
)
def test_every_change_changes_the_facts(named, change):
    before = facts(named)
    assert facts(named) == before
    with named.begin() as connection:
        assert connection.execute(text(change)).rowcount
    assert facts(named) != before


@pytest.mark.parametrize(
    ("counts", "state", "is_news"),
    [
        ({"discovered": 3, "unchanged": 2, "failed": 1}, "completed", False),
        ({"discovered": 3, "unchanged": 2, "new": 1}, "completed", True),
        ({"discovered": 3, "unchanged": 3}, "interrupted", True),
    ],
)
def test_a_scan_is_a_fact_if_it_may_have_recorded_photos(database, counts, state, is_news):
    """The running scan itself is none."""
    before = facts(database)
    with database.begin() as connection:
        scan_id = start_scan(connection, engine="local", gallery="catalog", model="m", sources=[], version="1", now=NOW)
    assert facts(database, scan_id) == before
    with database.begin() as connection:
        finish_scan(connection, scan_id, state=state, exit_code=0, counts=counts, now=NOW)
    assert (facts(database) != before) is is_news


def test_a_state_is_kept_and_an_unsearched_entry_is_due(database):
    def is_due() -> bool:
        with database.read() as connection:
            return is_anything_due(connection, "local", "catalog", skips_before="2024", answers_before="2024")

    assert not is_due()
    with database.begin() as connection:
        assert read_settled_state(connection) is None
        write_settled_state(connection, SettledState("basis", 2))
        assert read_settled_state(connection) == SettledState("basis", 2)
        connection.execute(
            text("INSERT INTO watches (name, threshold, created_at, created_by) VALUES ('Ann', 99, '2024', 'me')")
        )
    assert is_due()
