"""Where Alembic meets the catalogue: on a connection lent by ``catalog.store.migrate``, or on a url of one's own."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import Connection

from catalog.engines.local.tables import gallery_metadata
from catalog.store.migrate import exclusive_connection
from catalog.store.tables import metadata


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=[metadata, gallery_metadata],
        render_as_batch=connection.dialect.name == "sqlite",  # SQLite cannot alter a table in place
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def on_own_url() -> None:
    url = context.get_x_argument(as_dictionary=True).get("url") or os.environ.get("CATALOG_DATABASE_URL")
    if not url:
        raise SystemExit("Name the database: CATALOG_DATABASE_URL=... alembic ..., or alembic -x url=... ...")
    with exclusive_connection(url) as connection:
        migrate(connection)


if context.is_offline_mode():
    raise SystemExit("The catalogue's migrations need a database to look at; --sql is not offered.")
if (lent := context.config.attributes.get("connection")) is not None:
    migrate(lent)
else:
    on_own_url()
