"""Migrations create the schema that the tables describe."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, create_engine, inspect, text

from catalog.engines.local.tables import gallery_metadata
from catalog.store import migrate
from catalog.store.database import SCHEMA, Database, open_database
from catalog.store.face_views import VIEWS
from catalog.store.migrate import alembic_config, exclusive_connection, known_revisions, upgrade
from catalog.store.tables import metadata
from tests.schema_template import SchemaTemplate, schema_statements

ROOT = Path(__file__).parent.parent.parent
FROZEN = {
    "0001_first_release.py": "ea30b6f3d63a46a7d23053370aac96d13efb16dd5ade14148d2dc059c5e8fb4d",
    "0002_left_out.py": "abd19ae5333bdc7c220997015aeab27905f8e8a2498177302fe8161da21dbb97",
    "0003_decision_copies_and_groups.py": "2665db6193daf06705c51526459b415cc89a3c83adf11f8b65dc75c48b47407e",
    "0004_review_queue.py": "4fcb2dba7fd6fef80ff4ed2a437ffa628e276b456b49c88bed3fcf5b715e06ed",
    "0005_paths_and_named_appearances.py": "d68c5a8c0ea2f15fbb9aaede45c9ecc78c542ec8a4d17d2331f802988300d28c",
    "0013_user_stacks.py": "a96915710a9132bb6c221ff90b57e19aa5572708fa85c3090c72eb0d29f4a171",
}


@pytest.fixture(autouse=True)
def real_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each new catalogue of this module is made by the migrations."""
    monkeypatch.setattr(migrate, "command", command)


def test_the_program_names_the_newest_migration() -> None:
    """``SCHEMA`` repeats the newest revision, so that opening does not load Alembic."""
    assert known_revisions()[0] == SCHEMA


@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_migrations_make_the_described_tables(database: Database) -> None:
    """Tables, columns, types, defaults, indexes, foreign keys and, on PostgreSQL, comments are equal."""
    with database.read() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "target_metadata": [metadata, gallery_metadata],
                "compare_type": True,
                # Alembic and SQLite spell the default '' in two ways.
                "compare_server_default": database.dialect == "postgresql",
            },
        )
        assert compare_metadata(context, [metadata, gallery_metadata]) == []


def test_the_template_of_other_tests_is_what_the_migrations_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other tests fill new catalogues by statements instead of migrating them. The contents are the same."""
    paths = [tmp_path / name for name in ("migrated", "filled")]
    open_database(str(paths[0])).close()
    statements = schema_statements(paths[0])
    assert len(statements) > 100
    monkeypatch.setattr(migrate, "command", SchemaTemplate(lambda: statements))
    open_database(str(paths[1])).close()
    assert schema_statements(paths[1]) == statements


def test_migrations_make_the_described_checks(database: Database, tmp_path: Path) -> None:
    """Check constraints and collations, which Alembic does not compare, are equal."""
    described = create_engine(f"sqlite:///{tmp_path / 'described.sqlite3'}")
    for tables in (metadata, gallery_metadata):
        tables.create_all(described)
    assert _checks(database.engine) == _checks(described)
    described.dispose()


def _checks(engine: Engine) -> set[tuple[str, str]]:
    inspector = inspect(engine)
    tables = [table for schema in (metadata, gallery_metadata) for table in schema.tables]
    return {(table, str(check["name"])) for table in tables for check in inspector.get_check_constraints(table)}


@pytest.mark.parametrize("schema", [metadata, gallery_metadata], ids=["catalogue", "gallery"])
def test_every_table_and_column_is_described(schema: MetaData) -> None:
    """Each has a comment."""
    silent = [
        f"{table.name}.{column.name if column is not None else ''}"
        for table in schema.tables.values()
        for column in [None, *table.columns]
        if not (table.comment if column is None else column.comment)
    ]
    assert silent == []


def test_uris_sort_as_bytes_on_postgresql(postgresql_url: str) -> None:
    """The range of locations below a folder and the order of a listing depend on it."""
    opened = open_database(postgresql_url)
    with opened.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT table_name, column_name, collation_name FROM information_schema.columns"
            " WHERE column_name IN ('uri', 'source_uri') AND table_name IN ('locations', 'problems', 'scan_sources')"
        ).all()
    opened.close()
    assert {row[2] for row in rows} == {"C"}
    assert len(rows) == 3


def test_a_database_of_the_first_schema_keeps_its_rows(tmp_path: Path) -> None:
    """Later migrations add to it."""
    path = tmp_path / "old.sqlite3"
    with exclusive_connection(str(path)) as connection:
        command.upgrade(alembic_config(connection), "0001")
        connection.exec_driver_sql(
            "INSERT INTO photos (id, sha256, size, format, width, height, orientation, recorded_at)"
            " VALUES (1, 'aa', 1, 'JPEG', 2, 3, 1, '2026-01-01T00:00:00.000000Z')"
        )
    done = upgrade(str(path))
    assert (done.before, done.after) == ("0001", SCHEMA)
    assert done.backup is not None
    opened = open_database(str(path), create=False)
    with opened.read() as connection:
        assert connection.exec_driver_sql("SELECT photo_sha256, faces FROM v1_photos").all() == [("aa", 0)]
    opened.close()


def test_released_migrations_do_not_change() -> None:
    """A migration that a database has run is never edited; a change of the tables is a new migration."""
    migrations = (ROOT / "migrations" / "versions").glob("*.py")
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in migrations}
    assert {name: digests[name] for name in FROZEN} == FROZEN


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_copies_in_the_log_are_known_after_the_upgrade_of_the_first_schema(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """``copy_of`` names the original, or the row itself where the original is not in the log."""
    address = str(tmp_path / "old.sqlite3")
    if kind == "postgresql":
        address = request.getfixturevalue("blank_postgresql_url")
    with exclusive_connection(address) as connection:
        command.upgrade(alembic_config(connection), "0001")
        for number, details in enumerate((None, '{"carried_from":["x"],"copy_of":1}', '{"carried_from":["x"]}'), 1):
            connection.execute(
                text(
                    "INSERT INTO decisions (id, decided_at, decided_by, verb, details)"
                    " VALUES (:id, '2026', 'me', 'split', :details)"
                ),
                {"id": number, "details": details},
            )
    upgrade(address)
    with exclusive_connection(address) as connection:
        copies = connection.execute(text('SELECT id, copy_of, "group" FROM decisions ORDER BY id')).all()
    assert [tuple(row) for row in copies] == [(1, None, None), (2, 1, None), (3, 3, None)]


def test_upgrading_twice_does_nothing_the_second_time(database_url: str) -> None:
    """The second upgrade makes no copy."""
    done = upgrade(database_url)
    assert (done.before, done.after, done.backup) == (SCHEMA, SCHEMA, None)


def test_alembic_upgrades_from_the_checkout(tmp_path: Path) -> None:
    """``alembic upgrade head`` works for developers, with the database in the environment."""
    path = tmp_path / "by alembic 100%.sqlite3"
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=ROOT,
        env={**os.environ, "CATALOG_DATABASE_URL": str(path)},
        check=True,
        capture_output=True,
    )
    opened = open_database(str(path), create=False)
    opened.close()


def test_migrations_make_the_described_views(sqlite_template: Path) -> None:
    """The text of each view in the database is the text of its definition."""
    with closing(sqlite3.connect(sqlite_template)) as connection:
        stored = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'").fetchall())
    described = {view.name: view.create_sql("sqlite") for view in VIEWS}
    assert {name: " ".join(sql.split()) for name, sql in stored.items()} == {
        name: " ".join(sql.split()) for name, sql in described.items()
    }
