"""`catalog sql`: statements that read run, statements that write are refused."""

from __future__ import annotations

import time
from functools import partial

import pytest

from catalog.domain.errors import UsageError
from catalog.reports.sql_statement import open_statement
from catalog.store.database import open_database
from tests.whole_reports import run_statement

query = partial(run_statement, allow_superuser=True)
"""The test server has a superuser only."""

WRITES = [
    "DELETE FROM photos",
    "UPDATE persons SET name = 'x'",
    "INSERT INTO persons (person_id, hidden, created_at) VALUES ('p1', false, '')",
    "DROP TABLE photos",
    "CREATE TABLE mine (id int)",
    "WITH removed AS (DELETE FROM photos RETURNING id) SELECT * FROM removed",
    "SELECT 1; DELETE FROM photos",
    "SELECT 1; SET TRANSACTION READ WRITE; DELETE FROM photos",
    "PRAGMA query_only = OFF",
    "PRAGMA user_version = 7",
    "ATTACH 'other.db' AS other",
    "VACUUM INTO 'copy.db'",
    "-- SELECT\nDELETE FROM photos",
    "/* SELECT */ DELETE FROM photos",
    "SELECT load_extension('x')",
    "SET TRANSACTION READ WRITE",
    "BEGIN",
    "",
    "photos",
]


@pytest.mark.parametrize("sql", WRITES)
def test_statements_that_write_are_refused(filled, sql):
    """Also on a connection that can write."""
    before = query(filled, "SELECT (SELECT COUNT(*) FROM photos), (SELECT COUNT(*) FROM persons)").rows
    with pytest.raises(UsageError):
        query(filled, sql)
    assert query(filled, "SELECT (SELECT COUNT(*) FROM photos), (SELECT COUNT(*) FROM persons)").rows == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS one",
        "  -- a comment\n/* and\nanother */ select 1 AS one",
        "WITH x AS (SELECT 1 AS one) SELECT * FROM x",
        "VALUES (1)",
    ],
)
def test_statements_that_read_return_rows(filled, sql):
    """Comments, common table expressions and VALUES."""
    assert query(filled, sql).rows == ((1,),)


def test_the_connection_can_write_again_afterwards(refilled):
    """A refused statement leaves no authorizer."""
    with pytest.raises(UsageError):
        query(refilled, "WITH x AS (SELECT 1) DELETE FROM photos")
    with refilled.begin() as connection:
        assert connection.exec_driver_sql("DELETE FROM problems").rowcount == 10


def test_rows_beyond_the_limit_are_not_returned(filled):
    """The result is marked as truncated."""
    answer = query(filled, "SELECT person_id FROM v1_people ORDER BY person_id", limit=3)
    assert len(answer.rows) == 3
    assert answer.truncated
    assert not query(filled, "SELECT person_id FROM v1_people ORDER BY person_id LIMIT 3", limit=3).truncated


def test_an_endless_query_ends_at_the_limit(filled):
    """Rows are streamed."""
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    if filled.dialect == "postgresql":
        endless += " LIMIT 1000000"
    assert query(filled, endless, limit=2).rows == ((1,), (2,))


@pytest.mark.parametrize("sql", ["SELECT * FROM nothing", "SELECT FROM WHERE", "SELECT '"])
def test_an_invalid_statement_is_an_error(filled, sql):
    """The message contains the database's message."""
    with pytest.raises(UsageError, match="The database cannot run the statement: "):
        query(filled, sql)


def test_percent_signs_and_colons_are_not_parameters(filled):
    """The statement is passed unchanged."""
    assert query(filled, "SELECT ':a' || '%s' || '100%' AS odd").rows == ((":a%s100%",),)


def test_a_read_only_catalogue_can_be_queried(tmp_path, filled):
    """As the command opens it."""
    if filled.dialect == "postgresql":
        pytest.skip("a file is needed")
    reader = open_database(str(filled.path), read_only=True)
    assert query(reader, "SELECT COUNT(*) FROM v1_photos").rows == ((400,),)
    reader.close()


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"


def test_a_statement_ends_at_the_time_limit(filled):
    """An endless query is canceled. The next statement runs."""
    with pytest.raises(UsageError, match="longer than the time limit"):
        query(filled, ENDLESS, seconds=0.2)
    assert query(filled, "SELECT 1").rows == ((1,),)


def test_the_time_of_a_slow_reader_does_not_count(filled):
    """``catalog sql ... | less``: the database works for a moment, and the user reads for an hour."""
    if filled.dialect == "postgresql":
        pytest.skip("the server counts the time of a statement")
    counting = ENDLESS.replace("FROM n)", "FROM n LIMIT 20000)").replace("COUNT(*)", "i")
    with open_statement(filled, counting, seconds=0.5) as rows:
        numbers = iter(rows)
        assert next(numbers) == (1,)
        time.sleep(0.6)
        assert len(list(numbers)) == 19_999


def test_a_superuser_of_postgresql_is_refused(filled):
    """A superuser could read files of the server. SQLite has no roles."""
    if filled.dialect == "sqlite":
        assert run_statement(filled, "SELECT 1").rows == ((1,),)
        return
    with pytest.raises(UsageError, match="superuser") as caught:
        run_statement(filled, "SELECT pg_read_file('PG_VERSION')")
    assert "--allow-superuser" in caught.value.remedy


def test_a_role_that_can_only_read_runs_statements(database, database_url):
    """The role of docs/queries.md sees the views and cannot read files of the server."""
    if database.dialect == "sqlite":
        pytest.skip("SQLite has no roles")
    with database.engine.connect() as connection:
        for statement in (
            "DROP ROLE IF EXISTS catalog_reader",
            "CREATE ROLE catalog_reader LOGIN",
            "GRANT USAGE ON SCHEMA public TO catalog_reader",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO catalog_reader",
        ):
            connection.exec_driver_sql(statement)
        connection.commit()
    reader = open_database(database_url.replace("postgres:@", "catalog_reader:@"), create=False)
    try:
        assert run_statement(reader, "SELECT COUNT(*) FROM v1_photos").rows == ((0,),)
        with pytest.raises(UsageError):
            run_statement(reader, "SELECT pg_read_file('PG_VERSION')")
    finally:
        reader.close()
        with database.engine.connect() as connection:
            connection.exec_driver_sql("DROP OWNED BY catalog_reader")
            connection.exec_driver_sql("DROP ROLE catalog_reader")
            connection.commit()
