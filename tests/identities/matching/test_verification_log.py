"""The verification log with several writers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from sqlalchemy import update

from catalog.identities.matching.verification_log import EMPTIED, check_chain, forget_entries, read_audit, record
from catalog.store.database import Database
from catalog.store.tables import verifications
from tests.identities.made_library import NOW


def write(database: Database, number: int) -> None:
    with database.begin() as connection:
        record(connection, {"number": number}, NOW)


@pytest.mark.parametrize("before", [0, 1], ids=["the first two", "two more"])
def test_parallel_writers_are_chained(database: Database, before: int) -> None:
    """The second waits for the first."""
    for number in range(before):
        write(database, number)
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            record(connection, {"number": before}, NOW)
            second = pool.submit(write, database, before + 1)
            wait([second], timeout=0.3)
        second.result()
    with database.read() as connection:
        check = check_chain(connection)
    assert (check.rows, check.broken) == (before + 2, None)


def test_parallel_removals_do_not_block_each_other(database: Database) -> None:
    """Each deletes contents and then writes an entry."""
    for person in ("ann", "bob"):
        with database.begin() as connection:
            record(connection, {"employee_id": person}, NOW)

    def forget(person: str) -> None:
        with database.begin() as connection:
            record(connection, {EMPTIED: forget_entries(connection, person)}, NOW)

    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            emptied = forget_entries(connection, "ann")
            second = pool.submit(forget, "bob")
            wait([second], timeout=0.3)
            record(connection, {EMPTIED: emptied}, NOW)
        second.result()
    with database.read() as connection:
        assert [row.content for row in read_audit(connection)] == [None, None, {EMPTIED: [1]}, {EMPTIED: [2]}]
        assert check_chain(connection).broken is None


def test_the_log_can_be_read_during_a_write(database: Database) -> None:
    write(database, 0)
    with database.begin() as connection:
        record(connection, {"number": 1}, NOW)
        with database.read() as second:
            assert check_chain(second).rows == 1


def test_an_entry_that_is_no_object_any_more_breaks_the_chain_only(light_database: Database) -> None:
    """The log can still be read, and entries of employees can be forgotten."""
    write(light_database, 0)
    for damaged in ("not JSON", "[]"):
        with light_database.begin() as connection:
            connection.execute(update(verifications).values(content=damaged))
            assert check_chain(connection).broken == 1
            assert [row.content for row in read_audit(connection)] == [{}]
            assert forget_entries(connection, "e-1") == []


def test_deleted_content_without_a_removal_is_detected(light_database: Database) -> None:
    """An entry names the entries that it emptied, unless it is emptied itself."""
    for number in range(3):
        write(light_database, number)
    with light_database.begin() as connection:
        connection.execute(update(verifications).where(verifications.c.id == 2).values(content=None))
        assert check_chain(connection).broken == 2
        record(connection, {EMPTIED: [2]}, NOW)
        assert check_chain(connection).broken is None
        connection.execute(update(verifications).where(verifications.c.id == 4).values(content=None))
        assert check_chain(connection).broken == 2
