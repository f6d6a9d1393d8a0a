"""The log of verifications, written to by several at once."""

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
def test_who_writes_at_once_is_chained_one_after_the_other(database: Database, before: int) -> None:
    """The second waits for the first, and follows it."""
    for number in range(before):
        write(database, number)
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            record(connection, {"number": before}, NOW)
            other = pool.submit(write, database, before + 1)
            wait([other], timeout=0.3)
        other.result()
    with database.read() as connection:
        check = check_chain(connection)
    assert (check.rows, check.broken) == (before + 2, None)


def test_two_who_forget_at_once_do_not_wait_for_each_other(database: Database) -> None:
    """Forgetting takes contents away and then writes an entry; both come to their end."""
    for person in ("ann", "bob"):
        with database.begin() as connection:
            record(connection, {"employee_id": person}, NOW)

    def forget(person: str) -> None:
        with database.begin() as connection:
            record(connection, {EMPTIED: forget_entries(connection, person)}, NOW)

    with ThreadPoolExecutor(1) as pool:
        with database.begin() as connection:
            emptied = forget_entries(connection, "ann")
            other = pool.submit(forget, "bob")
            wait([other], timeout=0.3)
            record(connection, {EMPTIED: emptied}, NOW)
        other.result()
    with database.read() as connection:
        assert [row.content for row in read_audit(connection)] == [None, None, {EMPTIED: [1]}, {EMPTIED: [2]}]
        assert check_chain(connection).broken is None


def test_the_log_can_be_read_while_somebody_writes_to_it(database: Database) -> None:
    """As it was before."""
    write(database, 0)
    with database.begin() as connection:
        record(connection, {"number": 1}, NOW)
        with database.read() as other:
            assert check_chain(other).rows == 1


def test_content_that_is_gone_although_nobody_was_removed_is_noticed(light_database: Database) -> None:
    """Emptied entries are named by the entry that emptied them; one that is emptied itself names none."""
    for number in range(3):
        write(light_database, number)
    with light_database.begin() as connection:
        connection.execute(update(verifications).where(verifications.c.id == 2).values(content=None))
        assert check_chain(connection).broken == 2
        record(connection, {EMPTIED: [2]}, NOW)
        assert check_chain(connection).broken is None
        connection.execute(update(verifications).where(verifications.c.id == 4).values(content=None))
        assert check_chain(connection).broken == 2
