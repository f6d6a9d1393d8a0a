"""What each scan did, and what was paid."""

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


def test_a_scan_is_told_with_its_sources_and_counts(database: Database) -> None:
    """The newest first; what was not counted is 0."""
    with database.begin() as conn:
        first, second = begin(conn), begin(conn, "file:///b/", LATER)
        complete_source(conn, first, "file:///a/", 3, NOW)
        finish_scan(conn, first, state="completed", exit_code=3, counts={"discovered": 3, "failed": 1}, now=LATER)
        found = last_scans(conn, 5)
    assert [scan.id for scan in found] == [second, first]
    assert (found[1].state, found[1].exit_code, found[1].finished_at) == ("completed", 3, LATER)
    assert (found[1].counts["discovered"], found[1].counts["failed"], found[1].counts["new"]) == (3, 1, 0)
    assert (found[0].state, found[0].finished_at, found[0].sources) == ("running", None, ("file:///b/",))


def test_a_source_was_last_seen_at_its_last_completed_scan(database: Database) -> None:
    """A scan that did not walk to the end does not count."""
    with database.begin() as conn:
        complete_source(conn, begin(conn), "file:///a/", 1, NOW)
        begin(conn, now=LATER)
        assert last_completed(conn, "file:///a/") == NOW
        assert last_completed(conn, "file:///b/") is None


def test_a_killed_scan_is_found_out_by_the_next(database: Database) -> None:
    """Of the same source only: another one may well be running."""
    with database.begin() as conn:
        begin(conn)
        begin(conn, "file:///b/")
        assert close_abandoned(conn, ["file:///a/"]) == 1
        assert [scan.state for scan in last_scans(conn, 2)] == ["running", "interrupted"]


def test_dollars_are_kept_exactly(database: Database) -> None:
    """A tenth of a cent, ten thousand times, is ten dollars."""
    charge = Charge(Operation.INDEX_FACES, 1, Decimal("0.001"))
    with database.begin() as conn:
        scan = begin(conn)
        record_charges(
            conn, [charge] * 10_000, engine="rekognition", region="eu-west-1", command="scan", scan_id=scan, now=NOW
        )
        assert conn.execute(text("SELECT sum(microdollars), sum(calls) FROM charges")).one() == (10_000_000, 10_000)


def test_a_count_that_does_not_exist_is_a_mistake(database: Database) -> None:
    """It must not be dropped in silence."""
    with database.begin() as conn, pytest.raises(ValueError, match="has no counts"):
        finish_scan(conn, 1, state="completed", exit_code=0, counts={"photos": 1}, now=NOW)
