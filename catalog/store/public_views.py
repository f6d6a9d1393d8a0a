"""Public views: the stable SQL interface, with a description of every column.

A view ``v1_...`` keeps its name, its columns and their meaning permanently. New columns are added at the end. A changed
meaning needs a new view ``v2_...``. The tables may change in any release.

The definitions (``face_views``, ``photo_views``) are SQL for SQLite and PostgreSQL with macros such as
``LOCAL_MONTH(photo)``, which are expanded here. ``docs/schema.md`` is generated from the definitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MACROS = {
    "PHOTO_PLACE": """COALESCE(
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = {0}.id AND place.missing_since IS NULL),
        (SELECT MIN(place.uri) FROM locations AS place WHERE place.photo_id = {0}.id)
    )""",
    "PHOTO_PATH": """(SELECT COALESCE(shown.path, shown.uri) FROM locations AS shown WHERE shown.photo_id = {0}.id
        ORDER BY shown.missing_since IS NOT NULL, shown.uri LIMIT 1)""",
    "PHOTO_MISSING": """CASE WHEN EXISTS
        (SELECT 1 FROM locations AS place WHERE place.photo_id = {0}.id AND place.missing_since IS NULL)
    THEN NULL ELSE (SELECT MAX(place.missing_since) FROM locations AS place WHERE place.photo_id = {0}.id) END""",
    "LOCAL_DATE": """substr({0}.taken_local, 1, CASE {0}.taken_at_precision
        WHEN 'year' THEN 4 WHEN 'month' THEN 7 WHEN 'day' THEN 10 WHEN 'minute' THEN 16 ELSE 19 END)""",
    "LOCAL_DAY": """substr({0}.taken_local, 1, CASE {0}.taken_at_precision
        WHEN 'year' THEN 4 WHEN 'month' THEN 7 ELSE 10 END)""",
    "LOCAL_MONTH": "substr({0}.taken_local, 1, CASE {0}.taken_at_precision WHEN 'year' THEN 4 ELSE 7 END)",
    # A person who is only on a photo that does not count still has a face for each exposure.
    "COUNTED_FACES": """CASE WHEN COUNT(*) - COUNT({0}.photo_id)
            < COUNT(DISTINCT COALESCE({0}.counted_id, assigned.photo_id))
        THEN COUNT(DISTINCT COALESCE({0}.counted_id, assigned.photo_id)) ELSE COUNT(*) - COUNT({0}.photo_id) END""",
    "HIDDEN_FACES": """(SELECT hiding.face_id FROM assignments AS hiding
        JOIN persons AS unseen ON unseen.id = hiding.person_id WHERE unseen.hidden)""",
}
"""Macros; ``{0}`` is the argument, a table alias. ``LOCAL_DATE`` is a date cut to its precision, ``LOCAL_DAY`` is it
without the time of day, ``LOCAL_MONTH`` is its month, or its year if the month is not known. ``COUNTED_FACES`` needs
the alias ``assigned`` of the assignments, too.
"""

DIALECT_MACROS = {
    "sqlite": {
        "LOG_TEXT": "json_extract(entry.content, '$.{0}')",
        "LOG_SENTENCES": "(SELECT group_concat(part.value, ' ') FROM json_each(entry.content, '$.{0}') AS part)",
    },
    "postgresql": {
        "LOG_TEXT": "(CAST(entry.content AS json) ->> '{0}')",
        "LOG_SENTENCES": (
            "(SELECT string_agg(part.value, ' ')"
            " FROM json_array_elements_text(CAST(entry.content AS json) -> '{0}') AS part)"
        ),
    },
}
"""Macros with an expansion for each database. ``{0}`` is a key of an entry of the verification log."""


def expand_macros(sql: str, macros: Mapping[str, str] = MACROS) -> str:
    """Expand the macros, by default those whose SQL is the same for SQLite and PostgreSQL."""
    for macro, expansion in macros.items():
        before, *calls = sql.split(f"{macro}(")
        parts = [before]
        for call in calls:
            alias, _, rest = call.partition(")")
            parts.append(expansion.format(alias) + rest)
        sql = "".join(parts)
    return sql


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column of a view. ``meaning`` states unit, range and the meaning of null."""

    name: str
    meaning: str


def columns(**meanings: str) -> tuple[ViewColumn, ...]:
    return tuple(ViewColumn(name, meaning) for name, meaning in meanings.items())


@dataclass(frozen=True, slots=True)
class View:
    """A documented view with a permanent name."""

    name: str
    comment: str
    columns: tuple[ViewColumn, ...]
    query: str

    def create_sql(self, dialect: str) -> str:
        """The statement for ``sqlite`` or ``postgresql``. Only the view of the verification log differs."""
        query = expand_macros(self.query.strip(), MACROS | DIALECT_MACROS[dialect])
        return f"CREATE VIEW {self.name} AS\n{query}"
