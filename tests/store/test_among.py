"""Conditions on many values, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update

from catalog.store.among import among, among_parameter
from catalog.store.database import Database, open_database
from catalog.store.tables import persons

NAMES = ["Ann", 'B"ea', "Çelik", "D\\ora", "", "5"]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = open_database(database_url)
    with opened.begin() as connection:
        rows = [{"id": row, "person_id": f"p{row}", "name": name} for row, name in enumerate(NAMES, 1)]
        connection.execute(insert(persons), [{**row, "hidden": False, "created_at": "2024"} for row in rows])
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [([], []), ([3], [3]), ({1, 2, 99}, [1, 2]), (range(1, 40_000), [1, 2, 3, 4, 5, 6])],
)
def test_rows_are_found_by_numbers(database: Database, wanted: list[int], rows: list[int]) -> None:
    with database.read() as connection:
        query = select(persons.c.id).where(among(persons.c.id, wanted)).order_by(persons.c.id)
        assert list(connection.scalars(query)) == rows
        kept = select(persons.c.id).where(among_parameter(persons.c.id, "rows")).order_by(persons.c.id)
        assert list(connection.scalars(kept, {"rows": wanted})) == rows


def test_rows_are_found_by_texts(database: Database) -> None:
    with database.read() as connection:
        for row, name in enumerate(NAMES, 1):
            query = select(persons.c.id).where(among(persons.c.name, [name, "x" * 70_000]))
            assert list(connection.scalars(query)) == [row]


def test_statements_of_one_form_do_not_share_their_values(database: Database) -> None:
    with database.read() as connection:
        query = select(persons.c.id).where(among(persons.c.id, [1, 2, 3]), among(persons.c.name, ["Ann", "Çelik"]))
        assert list(connection.scalars(query.order_by(persons.c.id))) == [1, 3]
        alias = persons.alias()
        query = select(alias.c.id).where(among(alias.c.id, [2, 3]), ~among(alias.c.name, ["Çelik"]))
        assert list(connection.scalars(query)) == [2]


def test_sqlite_looks_the_values_up_in_an_index(tmp_path: Path) -> None:
    opened = open_database(str(tmp_path / "c.sqlite3"))
    condition = among(persons.c.id, [1]) & among(persons.c.person_id, ["p1"]) & (persons.c.hidden.is_(False))
    with opened.read() as connection:
        for query in (select(persons).where(condition), select(persons).where(among_parameter(persons.c.id, "rows"))):
            text_of_query = f"EXPLAIN QUERY PLAN {query.compile(connection)}"
            parameters = ('["1"]',) * text_of_query.count("?")
            (plan, *_) = connection.exec_driver_sql(text_of_query, parameters).all()
            assert plan.detail.startswith("SEARCH persons")
    opened.close()


def test_rows_are_changed_and_deleted(database: Database) -> None:
    with database.begin() as connection:
        changed = connection.execute(update(persons).where(among(persons.c.id, [1, 4])).values(hidden=True))
        assert changed.rowcount == 2
        assert connection.execute(delete(persons).where(among(persons.c.id, [4, 5, 6]))).rowcount == 3
        assert list(connection.execute(select(persons.c.id, persons.c.hidden).order_by(persons.c.id))) == [
            (1, True),
            (2, False),
            (3, False),
        ]
