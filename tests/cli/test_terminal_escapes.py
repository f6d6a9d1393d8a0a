"""Names of any origin cannot control the terminal, in the output of any command.

Commands refuse such names. A catalogue of an earlier version, or a restored one, may hold them.
"""

from __future__ import annotations

import os

import pytest
from sqlalchemy import text

from catalog.store.database import open_database
from tests.cli.conftest import PORTRAITS, Catalog

ESCAPE = "\x1b]0;pwned\x07\x1b[31m\u202e"
HOSTILE = f"Ann {ESCAPE}"
FAILURE = (
    "INSERT INTO problems (scan_id, uri, outcome, reason, at)"
    " VALUES (1, 'file:///a%1B%5B31m.jpg', 'failed', :name, '2026-01-01T00:00:00.000000Z')"
)
STATEMENTS = (
    "UPDATE persons SET name = :name",
    "UPDATE watches SET name = :name, created_by = :name",
    "UPDATE watch_hits SET reviewed_by = :name, state = 'confirmed', reviewed_at = '2026-01-01T00:00:00.000000Z'",
    "UPDATE employees SET employee_id = :name, enrolled_by = :name",
    "UPDATE decisions SET name = :name, decided_by = :name",
    "UPDATE locations SET uri = REPLACE(uri, '/portraits/', '/%1B%5B31m%07/') WHERE :name <> ''",
    FAILURE,
)


@pytest.fixture
def hostile(catalog: Catalog, portraits: os.PathLike[str]) -> None:
    """A catalogue in which every name has escapes."""
    assert catalog("scan", portraits).code == 0
    person = catalog("people", "list", "--json").json[0]["person_id"]
    assert catalog("people", "name", person, "Ann").code == 0
    assert catalog("watch", "add", "Ann", PORTRAITS / "obama_1.jpg").code == 0
    catalog("watch", "check")
    assert catalog("enroll", "e-1", PORTRAITS / "biden.jpg", "--allow-open-mouth").code == 0
    database = open_database(os.path.expanduser("~/.local/share/catalog/catalog.sqlite3"))  # noqa: PTH111
    with database.begin() as connection:
        for statement in STATEMENTS:
            connection.execute(text(statement), {"name": HOSTILE})
    database.close()


COMMANDS = (
    ("status",),
    ("people", "list"),
    ("people", "show", HOSTILE),
    ("people", "history"),
    ("people", "suggest"),
    ("watch", "list"),
    ("watch", "hits"),
    ("watch", "remove", f"other {ESCAPE}"),
    ("employees", "list"),
    ("employees", "remove", f"other {ESCAPE}"),
    ("audit",),
    ("sources",),
    ("find-person", "--person", HOSTILE),
    ("report", "people"),
    ("report", "appearances"),
    ("report", "failures"),
    ("report", "emotions-by-album"),
    ("sql", "SELECT name, decided_by FROM v1_decisions"),
    ("export", "album", HOSTILE, "--copy-to", f"folder {ESCAPE}"),
    ("people", "name", f"nobody {ESCAPE}", "Bob"),
    ("backup", f"no folder {ESCAPE}/backup.sqlite3"),
    ("restore", f"no file {ESCAPE}"),
    ("report", "html", f"pages {ESCAPE}"),
    ("analyze", f"no photo {ESCAPE}.jpg"),
    ("scan", f"no folder {ESCAPE}"),
    ("import", "csv", f"no file {ESCAPE}"),
    ("people", "import", f"no file {ESCAPE}"),
    ("enroll", "--from", f"no file {ESCAPE}"),
    ("verify", "--csv", f"no file {ESCAPE}"),
    ("undo", "--by", HOSTILE),
    ("people", "forget", HOSTILE, "--yes"),
)


@pytest.mark.usefixtures("hostile")
def test_no_command_prints_an_escape(
    catalog: Catalog, tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results and messages, also about names that the user types."""
    monkeypatch.chdir(tmp_path)
    wrong = []
    for command in COMMANDS:
        answer = catalog(*command)
        printed = answer.out + answer.err
        if any(character in printed for character in "\x1b\x07\u202e"):
            wrong.append((command, printed))
        assert answer.code != 1, (command, printed)
    assert wrong == []
