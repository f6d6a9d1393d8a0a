"""Writes migrations/versions/0001_first_release.py from the tables that the program has now.

Only until the first release: from then on 0001 stays as it is, and a change of the tables is a new migration
(``alembic revision --autogenerate -m ...``).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from catalog.engines.local.tables import gallery_metadata
from catalog.store.face_views import VIEWS
from catalog.store.public_views import create_statements
from catalog.store.tables import metadata
from catalog.store.triggers import trigger_statements

TARGET = Path(__file__).parent.parent / "migrations" / "versions" / "0001_first_release.py"

HEAD = '''"""The schema of the first release, frozen. Written by tools/freeze_schema.py."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQLITE = {sqlite}

POSTGRESQL = {postgresql}


def upgrade() -> None:
    {tables}
{views}

def downgrade() -> None:
    raise NotImplementedError("A catalogue goes back to an older schema by its backup: `catalog restore`.")
'''


def frozen() -> str:
    """The migration's text."""
    with create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": [metadata, gallery_metadata]})
        script = produce_migrations(context, [metadata, gallery_metadata])
        assert script.upgrade_ops is not None
        tables = render_python_code(script.upgrade_ops)
    lines = [line for line in tables.splitlines() if not line.strip().startswith("#")]
    created = (
        "    for statement in {'sqlite': SQLITE, 'postgresql': POSTGRESQL}[op.get_bind().dialect.name]:\n"
        "        op.get_bind().exec_driver_sql(statement)\n"
    )
    text = HEAD.format(
        sqlite=_listed(trigger_statements("sqlite") + create_statements("sqlite", VIEWS)),
        postgresql=_listed(trigger_statements("postgresql") + create_statements("postgresql", VIEWS)),
        tables="\n".join(lines).strip(),
        views=created,
    )
    ruff = Path(sys.executable).parent / "ruff"
    done = subprocess.run(
        [ruff, "format", "--isolated", "--line-length", "120", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def _listed(statements: list[str]) -> str:
    """A Python list of the statements, readable in a review."""
    quoted = [f'"""{statement}"""' if "\n" in statement else repr(statement) for statement in statements]
    return "[\n" + "".join(f"    {each},\n" for each in quoted) + "]"


if __name__ == "__main__":
    TARGET.write_text(frozen())
    print(TARGET)
