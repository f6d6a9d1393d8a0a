"""Names of persons for shell completion. Imports no SQLAlchemy, because a shell asks at every Tab.

SQLite is read with the standard library. On PostgreSQL completion offers no names: a connection would take longer than
a user waits for a Tab.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

LIMIT = 50
"""Completions offered at most."""

_QUERY = """
    SELECT name, person_id FROM v1_people
    WHERE (lower(name) LIKE lower(?) ESCAPE '\\' OR person_id LIKE ? ESCAPE '\\')
    ORDER BY photos DESC, person_id LIMIT ?
"""


def complete_persons(path: Path, prefix: str) -> list[tuple[str, str]]:
    """Completions that begin with ``prefix``, each with a description: a name with its id, or an id.

    Returns nothing for a file that is missing, locked, or no catalogue.
    """
    if not path.is_file():
        return []
    pattern = prefix.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.2)) as connection:
            rows = connection.execute(_QUERY, (pattern, pattern, LIMIT)).fetchall()
    except sqlite3.Error:
        return []
    return [(name, person_id) if name else (person_id, "no name") for name, person_id in rows]
