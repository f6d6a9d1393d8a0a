"""The SQL that people may rely on: versioned views, each column described.

A view named ``v1_...`` keeps its name, its columns and their meaning for ever. New columns may be added at the end;
what would change a meaning becomes a ``v2_...`` beside it. The tables below them may change with any release.

The definitions (``face_views``) are SQL, the same for SQLite and PostgreSQL but for words in capitals, such as
``LOCAL_MONTH(photo)``, which are spelled here. ``docs/schema.md`` is generated from the definitions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

WORDS = {
    "PHOTO_PLACE": """COALESCE(
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = {0}.id AND place.missing_since IS NULL),
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = {0}.id)
    )""",
    "PHOTO_MISSING": """CASE WHEN EXISTS
        (SELECT 1 FROM locations AS place WHERE place.photo_id = {0}.id AND place.missing_since IS NULL)
    THEN NULL ELSE (SELECT MAX(place.missing_since) FROM locations AS place WHERE place.photo_id = {0}.id) END""",
    "HIDDEN_FACES": """(SELECT hiding.face_id FROM assignments AS hiding
        JOIN persons AS unseen ON unseen.id = hiding.person_id WHERE unseen.hidden)""",
}
"""Words that stand for the same SQL on both databases; ``{0}`` is the alias that the word was given."""

DIALECT_WORDS = {
    "sqlite": {
        "LOCAL_TIME": "strftime('%Y-%m-%dT%H:%M:%S', {0}.taken_at, COALESCE({0}.taken_at_offset, 0) || ' minutes')",
        "LOCAL_MONTH": "strftime('%Y-%m', {0}.taken_at, COALESCE({0}.taken_at_offset, 0) || ' minutes')",
    },
    "postgresql": {
        "LOCAL_TIME": (
            "to_char(CAST({0}.taken_at AS timestamptz) AT TIME ZONE 'UTC'"
            " + COALESCE({0}.taken_at_offset, 0) * interval '1 minute', 'YYYY-MM-DD\"T\"HH24:MI:SS')"
        ),
        "LOCAL_MONTH": (
            "to_char(CAST({0}.taken_at AS timestamptz) AT TIME ZONE 'UTC'"
            " + COALESCE({0}.taken_at_offset, 0) * interval '1 minute', 'YYYY-MM')"
        ),
    },
}
"""Words that each database spells its own way."""


def spell(sql: str, dialect: str) -> str:
    """Spell the words in capitals for ``sqlite`` or ``postgresql``."""
    for word, spelling in (WORDS | DIALECT_WORDS[dialect]).items():
        before, *calls = sql.split(f"{word}(")
        parts = [before]
        for call in calls:
            alias, _, rest = call.partition(")")
            parts.append(spelling.format(alias) + rest)
        sql = "".join(parts)
    return sql


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a view and what it means: unit, range, and what null says."""

    name: str
    meaning: str


def columns(**meanings: str) -> tuple[ViewColumn, ...]:
    return tuple(ViewColumn(name, meaning) for name, meaning in meanings.items())


@dataclass(frozen=True, slots=True)
class View:
    """A question that many ask, with a name that stays."""

    name: str
    comment: str
    columns: tuple[ViewColumn, ...]
    query: str

    def select(self, dialect: str) -> str:
        """The SELECT as ``sqlite`` or ``postgresql`` runs it."""
        return spell(self.query.strip(), dialect)

    def create_sql(self, dialect: str) -> str:
        return f"CREATE VIEW {self.name} AS\n{self.select(dialect)}"

    @property
    def drop_sql(self) -> str:
        return f"DROP VIEW IF EXISTS {self.name}"

    def comment_sql(self) -> Sequence[str]:
        """Comments for a database that keeps them, which PostgreSQL does and SQLite does not."""
        return [
            f"COMMENT ON VIEW {self.name} IS {_quoted(self.comment)}",
            *[f"COMMENT ON COLUMN {self.name}.{each.name} IS {_quoted(each.meaning)}" for each in self.columns],
        ]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def create_views(connection: Connection, views: Sequence[View]) -> None:
    """Create the views in their order; none of them may exist."""
    for statement in create_statements(connection.dialect.name, views):
        connection.exec_driver_sql(statement)


def create_statements(dialect: str, views: Sequence[View]) -> list[str]:
    """What :func:`create_views` runs, as text for a migration to freeze."""
    statements = [view.create_sql(dialect) for view in views]
    if dialect == "postgresql":
        statements += [comment for view in views for comment in view.comment_sql()]
    return statements


def drop_views(connection: Connection, views: Sequence[View]) -> None:
    """Drop the views, in the reverse of the order in which they were created."""
    for view in reversed(views):
        connection.exec_driver_sql(view.drop_sql)
