"""Scans and charges."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import text

from catalog.domain.charges import Charge, Operation
from catalog.store.database import Database
from catalog.store.scans import (
    close_abandoned,
    complete_source,
    finish_scan,
    last_completed,
    last_scans,
    record_charges,
    start_scan,
)

NOW = datetime(2026, 5, 17, 1, tzinfo=UTC)
LATER = datetime(2026, 5, 18, 1, tzinfo=UTC)


def begin(conn, source="file:///a/", now=NOW):
    return start_scan(conn, engine="local", gallery="g", model="m", sources=[source], version="1", now=now)


def test_scans_are_read_with_sources_and_counts(database: Database) -> None:
    """Newest first. Missing counts are 0."""
    with database.begin() as conn:
        first, second = begin(conn), begin(conn, "file:///b/", LATER)
        complete_source(conn, first, "file:///a/", 3, NOW)
        finish_scan(conn, first, state="completed", exit_code=3, counts={"discovered": 3, "failed": 1}, now=LATER)
        recorded = last_scans(conn, 5)
    assert [scan.id for scan in recorded] == [second, first]
    assert (recorded[1].state, recorded[1].exit_code, recorded[1].finished_at) == ("completed", 3, LATER)
    assert (recorded[1].counts["discovered"], recorded[1].counts["failed"], recorded[1].counts["new"]) == (3, 1, 0)
    assert (recorded[0].state, recorded[0].finished_at, recorded[0].sources) == ("running", None, ("file:///b/",))


def test_a_source_was_last_seen_at_its_last_completed_scan(database: Database) -> None:
    """A scan with an incomplete listing does not count."""
    with database.begin() as conn:
        complete_source(conn, begin(conn), "file:///a/", 1, NOW)
        begin(conn, now=LATER)
        assert last_completed(conn, "file:///a/") == NOW
        assert last_completed(conn, "file:///b/") is None


def test_a_killed_scan_is_closed_by_the_next_scan_of_its_source(database: Database) -> None:
    """Scans of other sources may be running."""
    with database.begin() as conn:
        begin(conn)
        begin(conn, "file:///b/")
        assert close_abandoned(conn, ["file:///a/"]) == 1
        assert [scan.state for scan in last_scans(conn, 2)] == ["running", "interrupted"]


def test_dollars_are_stored_exactly(database: Database) -> None:
    """A tenth of a cent, ten thousand times, is ten dollars."""
    charge = Charge(Operation.INDEX_FACES, 1, Decimal("0.001"))
    with database.begin() as conn:
        scan = begin(conn)
        record_charges(
            conn, [charge] * 10_000, engine="rekognition", region="eu-west-1", command="scan", scan_id=scan, now=NOW
        )
        assert conn.execute(text("SELECT sum(microdollars), sum(calls) FROM charges")).one() == (10_000_000, 10_000)


def test_an_unknown_count_is_an_error(database: Database) -> None:
    """It is not ignored."""
    with database.begin() as conn, pytest.raises(ValueError, match="has no counts"):
        finish_scan(conn, 1, state="completed", exit_code=0, counts={"photos": 1}, now=NOW)
